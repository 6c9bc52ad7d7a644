"""Documents and passages: metadata, text, parts, near-duplicates."""

from __future__ import annotations

from datetime import date as Day

from flask import Response, jsonify
from pydantic import BaseModel, Field

from riparian.catalog.filters import parse
from riparian.types import DocumentId, PassageId
from web import inbox, shapes, topic_shapes
from web.api import paging
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, DocumentPath, FilteredPaging, Line, Parameters, PassagePath, Text
from web.job_shapes import JobShape
from web.shapes import DocumentPassage, DocumentRef, DocumentShape, PlaceShape, Shape
from web.topic_shapes import MembershipShape
from web.wiring import services

DOCUMENTS = tag("documents", "Readable texts with their metadata, and the passages they are cut into.")


class DocumentsPage(Shape):
    documents: list[DocumentShape]
    total: int = Field(description="Documents that meet the filters.")
    next: str | None


class AnchorShape(PlaceShape):
    start: int


class TextShape(Shape):
    """The stored text; every offset of the API counts its code points."""

    id: int
    text: str
    anchors: list[AnchorShape] = Field(description="Where pages, slides or rows begin.")


class PassagesShape(Shape):
    passages: list[DocumentPassage]


class DuplicatesShape(Shape):
    documents: list[DocumentRef]


class MembershipsShape(Shape):
    topics: list[MembershipShape]


class NewDocument(Parameters):
    """A text to index. `id` names it: handing in another text under the same id brings it up to date. Without one it
    is named by what it says, so that handing it in twice adds nothing."""

    text: Text = Field(min_length=1, max_length=5_000_000)
    id: Line = Field("", max_length=200)
    title: Line = ""
    date: Day | None = None
    author: Line = ""
    language: str = Field("", pattern="^([a-z]{2,3})?$", description="ISO 639 code; found out when empty.")
    metadata: dict[Line, str | int | float | bool | list[str]] = Field(default_factory=dict, max_length=100)


class NewDocuments(Parameters):
    documents: list[NewDocument] = Field(min_length=1, max_length=1000)


class IdempotencyHeader(BaseModel):
    idempotency_key: Line = Field(
        "",
        alias="Idempotency-Key",
        description="Accepted, and not needed: the same documents sent again change nothing.",
    )


@api.get("/collections/<name>/documents", tags=DOCUMENTS, responses={200: DocumentsPage})
def list_documents(path: CollectionPath, query: FilteredPaging) -> Response:
    """Documents by id, those that meet the filters"""
    filters, after = parse(query.filter), paging.decode(query.cursor)
    with services().database.read() as catalog:
        collection = catalog.collections.named(path.name)
        found = catalog.documents.page(collection.id, filters, limit=query.limit + 1, after=after)
        total = catalog.documents.count(collection.id, filters)
    kept = found[: query.limit]
    cursor = paging.encode(kept[-1].id) if len(found) > len(kept) else None
    page = DocumentsPage(documents=[shapes.document(d, path.name) for d in kept], total=total, next=cursor)
    return paging.link_next(jsonify(page.json_value()), cursor)


@api.get("/documents/<document_id>", tags=DOCUMENTS, responses={200: DocumentShape})
def get_document(path: DocumentPath) -> Response:
    """A document's metadata"""
    with services().database.read() as catalog:
        found = catalog.documents.get(DocumentId(path.document_id))
        name = catalog.collections.get(found.collection_id).name
    return jsonify(shapes.document(found, name).json_value())


@api.get("/documents/<document_id>/text", tags=DOCUMENTS, responses={200: TextShape})
def get_text(path: DocumentPath) -> Response:
    """The whole text, and where its pages begin"""
    with services().database.read() as catalog:
        found = catalog.documents.get(DocumentId(path.document_id))
        text = catalog.documents.text(found.id)
    anchors = [AnchorShape(start=a.start, kind=a.kind, number=a.number) for a in found.anchors]
    return jsonify(TextShape(id=found.id, text=text, anchors=anchors).json_value())


@api.get("/documents/<document_id>/passages", tags=DOCUMENTS, responses={200: PassagesShape})
def get_passages(path: DocumentPath) -> Response:
    """The passages of a document, in the order of its text"""
    with services().database.read() as catalog:
        document = catalog.documents.get(DocumentId(path.document_id))
        found = catalog.passages.of_document(document.id)
    passages = [shapes.document_passage(passage, document.anchors) for passage in found]
    return jsonify(PassagesShape(passages=passages).json_value())


@api.get("/documents/<document_id>/duplicates", tags=DOCUMENTS, responses={200: DuplicatesShape})
def get_duplicates(path: DocumentPath) -> Response:
    """The other documents of a document's near-duplicate group"""
    with services().database.read() as catalog:
        document = catalog.documents.get(DocumentId(path.document_id))
        found = catalog.documents.duplicates(document.id)
    return jsonify(DuplicatesShape(documents=[shapes.document_ref(d) for d in found]).json_value())


@api.get("/documents/<document_id>/topics", tags=DOCUMENTS, responses={200: MembershipsShape})
def get_document_topics(path: DocumentPath) -> Response:
    """How much of a document is about which topic, the heaviest first"""
    with services().database.read() as catalog:
        document = catalog.documents.get(DocumentId(path.document_id))
        model = catalog.topics.active_model(document.collection_id)
        labels = {int(topic.id): topic.label for topic in catalog.topics.of_model(model.id)}
        found = catalog.topics.of_document(model.id, document.id)
    return jsonify(MembershipsShape(topics=topic_shapes.memberships(found, labels)).json_value())


@api.get("/passages/<passage_id>", tags=DOCUMENTS, responses={200: DocumentPassage})
def get_passage(path: PassagePath) -> Response:
    """A passage with its text and place"""
    with services().database.read() as catalog:
        found = catalog.passages.get(PassageId(path.passage_id))
        document = catalog.documents.get(found.document_id)
    return jsonify(shapes.document_passage(found, document.anchors).json_value())


@api.post("/collections/<name>/documents", tags=DOCUMENTS, responses={202: JobShape})
def add_documents(path: CollectionPath, header: IdempotencyHeader, body: NewDocuments) -> Response:
    """Add or update documents; they are safe on the disk when this answers, and indexed by the job it names"""
    parts = services()
    with parts.database.read() as catalog:
        collection = catalog.collections.named(path.name)
    handed = [inbox.HandedIn(**document.model_dump()) for document in body.documents]
    folder = inbox.put(parts.settings.data_dir, collection, handed)
    return accepted(job_of(parts.indexer.add(collection.name, [folder])))
