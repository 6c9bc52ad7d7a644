"""Senses of a word: what is near each, how often, examples, change over time; dividing them otherwise, saving one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.catalog.senses import SenseId, SenseWordId
from riparian.errors import Invalid, TokensUnavailable
from senses.service import Found
from web import sense_shapes
from web.pages import archive
from web.pages.blueprint import blueprint
from web.sense_shapes import SenseExample, SenseShape, SensesShape
from web.wiring import services

AT_ONCE = 200
"""Sentences that a page encodes before it is shown; more are a job."""


@dataclass(frozen=True, slots=True)
class Line:
    """An example in three pieces, the target in the middle."""

    example: SenseExample
    before: str
    target: str
    after: str


@blueprint.get("/senses")
def senses_of_largest() -> ResponseReturnValue:
    """The senses page of the collection that most documents are in."""
    found = archive.largest(services().collections())
    return redirect(url_for(".senses", collection=found.name) if found else url_for(".collections"))


@blueprint.get("/c/<collection>/senses")
def senses(collection: str) -> ResponseReturnValue:
    """Asks for a word; with `word`, its senses, found now where few sentences have to be encoded, else by a job."""
    word = " ".join(request.args.get("word", "").split())[:1000]
    lemma = request.args.get("lemma") == "1"
    refused, found = "", None
    if word:
        try:
            found = _found(collection, word, lemma)
        except TokensUnavailable as error:
            refused = str(error)
        if found is None and not refused:
            return redirect(url_for(".job", job=services().senses.queue(collection, word, lemma=lemma)))
    return _page(collection, word, lemma, found, refused)


@blueprint.post("/c/<collection>/senses")
def divide_senses(collection: str) -> ResponseReturnValue:
    """Divides a word's occurrences into so many senses, merges some, splits one, saves one, or takes that back."""
    form, service = request.form, services().senses
    what = form.get("what", "")
    if what == "save":
        service.save(SenseId(_id(form.get("sense", ""))), form.get("name", ""))
    elif what == "split":
        service.split(SenseId(_id(form.get("sense", ""))))
    elif what == "merge":
        service.merge([SenseId(_id(one)) for one in form.getlist("sense")])
    elif what == "undo":
        service.undo(SenseWordId(_id(form.get("word_id", ""))))
    elif what == "number":
        service.divide_into(SenseWordId(_id(form.get("word_id", ""))), _id(form.get("number", "")))
    else:
        raise Invalid(f"senses cannot be changed by {what!r}")
    lemma = "1" if form.get("lemma") == "1" else None
    return redirect(url_for(".senses", collection=collection, word=form.get("word", ""), lemma=lemma), 303)


def _found(collection: str, word: str, lemma: bool) -> Found | None:
    """None where a job has to do it."""
    parts = services()
    known = parts.senses.known(collection, word, lemma=lemma)
    if known is not None:
        return known
    with parts.gate:
        if parts.senses.to_encode(collection, word, lemma=lemma) > AT_ONCE:
            return None
        return parts.senses.find(collection, word, lemma=lemma)


def _page(collection: str, word: str, lemma: bool, found: Found | None, refused: str) -> ResponseReturnValue:
    parts = services()
    changed = parts.senses.change(found.word.id) if found is not None else None
    with parts.database.read() as catalog:
        here = catalog.collections.named(collection)
        shape = sense_shapes.senses(catalog, found, changed) if found is not None else None
        saved = sense_shapes.many(catalog, catalog.senses.saved(here.id))
    return render_template(
        "senses.html",
        collection=here,
        word=word,
        lemma=lemma,
        found=shape,
        lines=_lines(shape.senses) if shape else {},
        saved=saved,
        refused=refused,
        changed=_is_changed(shape),
    )


def _is_changed(shape: SensesShape | None) -> bool:
    return bool(shape and shape.change and len(shape.senses) > 1 and len(shape.change.periods) > 1)


def _lines(found: list[SenseShape]) -> dict[int, list[Line]]:
    return {
        sense.id: [
            Line(
                one,
                one.text[: one.target.start],
                one.text[one.target.start : one.target.end],
                one.text[one.target.end :],
            )
            for one in sense.examples
        ]
        for sense in found
    }


def _id(value: str) -> int:
    """Invalid for what is no number."""
    if not (value.isdecimal() and 0 < len(value) < 10):
        raise Invalid(f"{value!r} is no number")
    return int(value)
