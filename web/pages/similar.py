"""More like this: a document, a passage, a pasted text, an uploaded file."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from riparian.errors import BadQuery
from riparian.types import Document, DocumentId, PassageId, SearchAnswer
from search.request import Page
from web import uploads
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.pages.search import shown
from web.wiring import services

SHOWN = 20


@blueprint.get("/similar")
def similar() -> ResponseReturnValue:
    """Hits like `document` or `passage`; with neither, the form for a text of one's own."""
    document, passage = whole(request.args, "document", 0), whole(request.args, "passage", 0)
    if passage:
        return _like_passage(PassageId(passage))
    if document:
        return _like_document(DocumentId(document))
    return _form(request.args.get("collection", ""))


@blueprint.post("/similar")
def by_text() -> ResponseReturnValue:
    """Hits like the pasted text, or like the uploaded file where nothing was pasted."""
    collection, text = request.form.get("collection", ""), request.form.get("text", "").strip()
    compared = text or _uploaded_text()
    if not compared:
        raise BadQuery("there is nothing to compare; paste a text or choose a file")
    return _form(collection, text, services().search.by_text(collection, compared, page=Page(SHOWN)))


def _uploaded_text() -> str:
    file = request.files.get("file")
    return uploads.text_of(services().settings, file) if file and file.filename else ""


def _like_document(document_id: DocumentId) -> ResponseReturnValue:
    answer = services().search.similar_to_document(document_id, page=Page(SHOWN))
    with services().database.read() as catalog:
        document = catalog.documents.get(document_id)
    return _hits(document, None, answer)


def _like_passage(passage_id: PassageId) -> ResponseReturnValue:
    answer = services().search.similar_to_passage(passage_id, page=Page(SHOWN))
    with services().database.read() as catalog:
        document = catalog.documents.get(catalog.passages.get(passage_id).document_id)
    return _hits(document, passage_id, answer)


def _hits(document: Document, passage: PassageId | None, answer: SearchAnswer) -> ResponseReturnValue:
    with services().database.read() as catalog:
        collection = catalog.collections.get(document.collection_id).name
    return render_template(
        "similar.html",
        like=document,
        passage=passage,
        answer=answer,
        hits=shown(answer, SHOWN),
        collection=collection,
    )


def _form(chosen: str, text: str = "", answer: SearchAnswer | None = None) -> ResponseReturnValue:
    return render_template(
        "similar.html",
        like=None,
        answer=answer,
        hits=shown(answer, SHOWN) if answer else [],
        text=text,
        chosen=chosen,
        collections=[collection.name for collection in services().collections()],
    )
