"""Topics changed by people: edits and what they would do, their history, codebooks."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import TopicEdit
from riparian.errors import BadQuery, Invalid
from riparian.types import CollectionId
from topics.curation import codebook as codebooks
from web import curation_wording as wording
from web.curating import Asked, request_of
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.wiring import services

SIZE = 50
LONGEST_BOOK = 20_000_000
_LARGEST_ID = 2**63 - 1
_FORMS = {".csv": "csv", ".jsonld": "skos", ".json": "json"}
_ENDINGS = {form: ending for ending, form in _FORMS.items()}


@blueprint.post("/c/<collection>/topics/edit")
def edit_topics(collection: str) -> ResponseReturnValue:
    """Makes an edit, or shows what it would do where `preview` was pressed."""
    parts, form = services(), request.form
    with parts.database.read() as catalog:
        found = catalog.collections.named(collection)
    wanted = request_of(_asked(form))
    back = _back(collection, form)
    if form.get("preview"):
        effect = parts.curation.preview(found.id, wanted)
        sent = [pair for pair in form.items(multi=True) if pair[0] not in ("preview", "csrf_token")]
        return render_template("topic_effect.html", collection=found, effect=effect, sent=sent, back=back)
    edit, _ = parts.curation.edit(
        found.id, wanted, author=parts.settings.author, reason=" ".join(form.get("reason", "").split())
    )
    if edit.kind in ("merge", "move"):
        return redirect(url_for(".topic", topic=edit.data["into" if edit.kind == "merge" else "to"]), 303)
    return redirect(back, 303)


@blueprint.get("/c/<collection>/topics/history")
def topic_history(collection: str) -> ResponseReturnValue:
    """Every edit in words, newest first, with the next to undo and to redo."""
    offset = whole(request.args, "offset", 0)
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
    edits = services().curation.history(found.id, limit=SIZE + 1, offset=offset)
    log = services().curation.log(found.id)
    undo, redo = log.applied[-1:], log.undone[:1]
    with services().database.read() as catalog:
        lines = _told(catalog, edits[:SIZE])
        following = [sentence for _, sentence in _told(catalog, [*undo, *redo])]
    return render_template(
        "topic_history.html",
        collection=found,
        lines=lines,
        undo=following[0] if undo else "",
        redo=following[-1] if redo else "",
        offset=offset,
        size=SIZE,
        more=len(edits) > SIZE,
    )


@blueprint.post("/c/<collection>/topics/undo")
def undo_topics(collection: str) -> ResponseReturnValue:
    services().curation.undo(_id(collection))
    return redirect(url_for(".topic_history", collection=collection), 303)


@blueprint.post("/c/<collection>/topics/redo")
def redo_topics(collection: str) -> ResponseReturnValue:
    services().curation.redo(_id(collection))
    return redirect(url_for(".topic_history", collection=collection), 303)


@blueprint.get("/c/<collection>/topics/codebook/<form>")
def topic_codebook(collection: str, form: str) -> ResponseReturnValue:
    """The codebook as a file to keep."""
    if form not in codebooks.FORMATS:
        raise BadQuery(f"no codebook format {form!r}; there is: {', '.join(codebooks.FORMATS)}")
    text = codebooks.write(services().curation.codebook(_id(collection)), form)
    named = {"Content-Disposition": f'attachment; filename="topics{_ENDINGS[form]}"'}
    return Response(text, mimetype=codebooks.MEDIA_TYPES[form], headers=named)


@blueprint.post("/c/<collection>/topics/codebook")
def take_codebook(collection: str) -> ResponseReturnValue:
    """Takes an uploaded codebook in as one edit."""
    sent = request.files.get("book")
    if sent is None or not sent.filename:
        raise Invalid("choose a codebook: a .json, .csv or .jsonld file")
    form = next((form for ending, form in _FORMS.items() if sent.filename.lower().endswith(ending)), None)
    if form is None:
        raise Invalid(f"{sent.filename!r} is no codebook: a .json, .csv or .jsonld file is one")
    raw = sent.stream.read(LONGEST_BOOK + 1)
    if len(raw) > LONGEST_BOOK:
        raise Invalid(f"{sent.filename!r} is larger than any codebook")
    try:
        book = codebooks.read(raw.decode("utf-8"), form)
    except UnicodeDecodeError as error:
        raise Invalid(f"{sent.filename!r} is no text in UTF-8") from error
    parts = services()
    parts.curation.take_codebook(_id(collection), book, author=parts.settings.author, reason=sent.filename[:200])
    return redirect(url_for(".topic_history", collection=collection), 303)


def _asked(form: MultiDict[str, str]) -> Asked:
    """Invalid for a number that is none."""
    return Asked(
        kind=form.get("kind", ""),
        topic=_number(form.get("topic")),
        topics=_numbers(form.getlist("topics")),
        into=_number(form.get("into")),
        parts=_number(form.get("parts")) or 2,
        passages=_numbers(form.getlist("passages")),
        to=_number(form.get("to")),
        label=" ".join(form.get("label", "").split()),
        words=[word.strip() for word in form.get("words", "").split(",") if word.strip()],
        note=form.get("note", ""),
        hidden=bool(form.get("hidden")),
    )


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > _LARGEST_ID:
        raise Invalid(f"{text[:40]!r} is no number")
    return int(text)


def _numbers(texts: list[str]) -> list[int]:
    return [number for text in texts if (number := _number(text)) is not None]


def _back(collection: str, form: MultiDict[str, str]) -> str:
    if form.get("back") == "drift":
        return url_for(".topic_drift", collection=collection)
    topic = _number(form.get("topic")) or _number(form.get("from"))
    return url_for(".topic", topic=topic) if topic else url_for(".topics", collection=collection)


def _told(catalog: Catalog, edits: list[TopicEdit]) -> list[tuple[TopicEdit, str]]:
    labels = catalog.curation.labels({topic for edit in edits for topic in wording.topics_of(edit)})
    return [(edit, wording.sentence(edit, labels)) for edit in edits]


def _id(collection: str) -> CollectionId:
    with services().database.read() as catalog:
        return catalog.collections.named(collection).id
