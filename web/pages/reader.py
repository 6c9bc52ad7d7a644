"""The reader: a document at the passage that matched."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.errors import NotIndexedYet, NoTopicsYet, UnknownPassage
from riparian.types import DocumentId, Hit, PassageId, Span, Topic
from search.request import Page
from web.pages import reading
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.wiring import services

SIMILAR = Page(k=5, sentences=False)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a document is about a topic."""

    topic: Topic
    weight: float


@blueprint.get("/d/<int:document>")
def document(document: int) -> ResponseReturnValue:
    """The part of the text asked for: by `part`, by `page`, or the one that holds `passage`."""
    opened = reading.open_document(services().database, DocumentId(document))
    spans = reading.spread(opened)
    page = reading.anchored(opened.document, "page", whole(request.args, "page", 0))
    passage = PassageId(whole(request.args, "passage", 0))
    marked = opened.passages.get(passage)
    place = page.start if page else marked.start if marked else 0
    number = min(whole(request.args, "part", 0) or reading.number_of(place, spans), len(spans))
    query = request.args.get("q", "").strip()
    return render_template(
        "document.html",
        opened=opened,
        part=reading.part(
            opened, spans, number, marked=marked, words=_words(opened.document.id, query, spans[number - 1])
        ),
        passage=passage if marked else None,
        gone=bool(passage) and marked is None,
        page=page,
        q=query,
        shares=_shares(opened.document.id),
        similar=_similar(opened.document.id),
    )


@blueprint.get("/p/<int:passage>")
def passage(passage: int) -> ResponseReturnValue:
    """A passage's own short address leads to its document, opened at it."""
    with services().database.read() as catalog:
        found = catalog.passages.documents_of([passage])
    if PassageId(passage) not in found:
        raise UnknownPassage(passage)
    where = url_for(".document", document=found[PassageId(passage)], passage=passage, _anchor=f"p{passage}")
    return redirect(where)


def _words(document_id: DocumentId, query: str, part: Span) -> tuple[Span, ...]:
    return services().search.marks(document_id, query, part) if query else ()


def _shares(document_id: DocumentId) -> list[Share]:
    """The document's topics, heaviest first; none while the collection has none."""
    with services().database.read() as catalog:
        try:
            model = catalog.topics.active_model(catalog.documents.get(document_id).collection_id)
        except NoTopicsYet:
            return []
        topics = {topic.id: topic for topic in catalog.topics.of_model(model.id)}
        found = catalog.topics.of_document(model.id, document_id)
    return [Share(topics[membership.topic_id], membership.weight) for membership in found]


def _similar(document_id: DocumentId) -> list[Hit]:
    try:
        return list(services().search.similar_to_document(document_id, page=SIMILAR).hits)
    except NotIndexedYet:
        return []
