"""Topics: what a collection is about, what a topic holds, finding them, naming them, topics of new text."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.types import Document, DocumentId, TopicId
from topics.asked import MOST_WORDS
from topics.curation.requests import Rename
from topics.kinds import KINDS
from web import shapes, topic_shapes
from web.api import paging
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, Line, Paging, Parameters, Text, TopicPath
from web.job_shapes import JobShape
from web.learned_shapes import ToldShape, told
from web.shapes import DocumentPassage, DocumentRef, Shape
from web.topic_shapes import MembershipShape, TopicModelShape, TopicShape
from web.wiring import services

TOPICS = tag("topics", "What a collection is about.")


class TopicsShape(Shape):
    """The active model and its topics, the largest share first; shares sum to 1."""

    model: TopicModelShape
    topics: list[TopicShape]


class TopicPassage(Shape):
    weight: float = Field(description="How much of the passage the topic is.")
    document: DocumentRef
    passage: DocumentPassage


class TopicPassages(Shape):
    passages: list[TopicPassage]
    next: str | None


class TopicDocument(Shape):
    weight: float = Field(description="How much of the document the topic is.")
    document: DocumentRef


class TopicDocuments(Shape):
    documents: list[TopicDocument]
    next: str | None


class InferredShape(Shape):
    """For each text, its topics, the heaviest first, and the likeliest labels where the topics learned any."""

    texts: list[list[MembershipShape]]
    labels: list[list[ToldShape]]


class FitBody(Parameters):
    topics: int | None = Field(None, ge=2, le=500, description="How many; chosen by the collection itself when empty.")
    kind: str | None = Field(
        None,
        description="The model: joint, Riparian's own, when empty; combined: words and meaning; zeroshot: meaning; "
        "lda, nmf: words; kmeans: groups by meaning.",
        json_schema_extra={"enum": [*sorted(KINDS), None]},
    )
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="0 when empty.")
    labels: Line | None = Field(
        None, description="A field of documents whose values combined and zeroshot learn beside the words: meta.<key>."
    )
    words: int | None = Field(None, ge=1, le=MOST_WORDS, description="Size of the vocabulary; 2000 when empty.")
    options: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="Settings of the kind, kl_weight for one."
    )
    afresh: bool = Field(False, description="Start without what people changed, where they did.")


class InferBody(Parameters):
    texts: list[Text] = Field(min_length=1, max_length=100)


class RenameBody(Parameters):
    label: Line = Field(min_length=1, max_length=200)


@api.get("/collections/<name>/topics", tags=TOPICS, responses={200: TopicsShape})
def list_topics(path: CollectionPath) -> Response:
    """The topics of a collection"""
    with services().database.read() as catalog:
        model = catalog.topics.active_model(catalog.collections.named(path.name).id)
        found = catalog.topics.of_model(model.id)
    answer = TopicsShape(model=topic_shapes.topic_model(model), topics=[topic_shapes.topic(topic) for topic in found])
    return jsonify(answer.json_value())


@api.post("/collections/<name>/topics/fit", tags=TOPICS, responses={202: JobShape})
def fit_topics(path: CollectionPath, body: FitBody) -> Response:
    """Queue finding the topics; the old ones are shown until it is done

    Topics that people changed are refitted (a job of kind refit-topics): what they did is kept, what is left empty
    stays as it was asked for before, and the result is a proposal. With `afresh` they are found without it.
    """
    job = services().fit_topics(
        path.name, topics=body.topics, kind=body.kind, seed=body.seed, options=body.options or None,
        labels=body.labels, words=body.words, afresh=body.afresh,
    )  # fmt: skip
    return accepted(job_of(job))


@api.post("/collections/<name>/topics/infer", tags=TOPICS, responses={200: InferredShape})
def infer_topics(path: CollectionPath, body: InferBody) -> Response:
    """Topics of new texts, without adding them"""
    parts = services()
    with parts.database.read() as catalog:
        collection = catalog.collections.named(path.name).id
        labels = {int(t.id): t.label for t in catalog.topics.of_model(catalog.topics.active_model(collection).id)}
    with parts.gate:
        said = parts.topics.said(collection, body.texts)
    answer = InferredShape(
        texts=[topic_shapes.memberships(mixture, labels) for mixture in parts.topics.shown(said)],
        labels=[told(likeliest) for likeliest in parts.learned.of_texts(said.info, said.kept)],
    )
    return jsonify(answer.json_value())


@api.get("/topics/<topic_id>", tags=TOPICS, responses={200: TopicShape})
def get_topic(path: TopicPath) -> Response:
    """One topic with its words and counts"""
    with services().database.read() as catalog:
        return jsonify(topic_shapes.topic(catalog.topics.get(TopicId(path.topic_id))).json_value())


@api.patch("/topics/<topic_id>", tags=TOPICS, responses={200: TopicShape})
def rename_topic(path: TopicPath, body: RenameBody) -> Response:
    """Give a topic a better name; it is an edit that can be undone"""
    parts, topic = services(), TopicId(path.topic_id)
    with parts.database.read() as catalog:
        collection = catalog.topics.collection_of(topic)
    parts.curation.edit(collection, Rename(topic, body.label), author=parts.settings.author)
    with parts.database.read() as catalog:
        return jsonify(topic_shapes.topic(catalog.topics.get(TopicId(path.topic_id))).json_value())


@api.get("/topics/<topic_id>/passages", tags=TOPICS, responses={200: TopicPassages})
def get_topic_passages(path: TopicPath, query: Paging) -> Response:
    """Passages whose main topic it is, the most typical first"""
    begin = paging.decode(query.cursor)
    with services().database.read() as catalog:
        catalog.topics.get(TopicId(path.topic_id))
        found = catalog.topics.passages_of(TopicId(path.topic_id), limit=query.limit + 1, offset=begin)
        passages = catalog.passages.many([passage for passage, _ in found])
        documents = catalog.documents.many({passage.document_id for passage in passages.values()})
    kept = [
        TopicPassage(
            weight=weight,
            document=shapes.document_ref(documents[passages[passage].document_id]),
            passage=shapes.document_passage(passages[passage], documents[passages[passage].document_id].anchors),
        )
        for passage, weight in found[: query.limit]
    ]
    cursor = paging.encode(begin + query.limit) if len(found) > query.limit else None
    return paging.link_next(jsonify(TopicPassages(passages=kept, next=cursor).json_value()), cursor)


@api.get("/topics/<topic_id>/documents", tags=TOPICS, responses={200: TopicDocuments})
def get_topic_documents(path: TopicPath, query: Paging) -> Response:
    """Documents with a passage of the topic, those that it makes up most of first"""
    begin = paging.decode(query.cursor)
    with services().database.read() as catalog:
        catalog.topics.get(TopicId(path.topic_id))
        found = catalog.topics.documents_of(TopicId(path.topic_id), limit=query.limit + 1, offset=begin)
        documents: dict[DocumentId, Document] = catalog.documents.many([document for document, _ in found])
    kept = [
        TopicDocument(weight=weight, document=shapes.document_ref(documents[document]))
        for document, weight in found[: query.limit]
    ]
    cursor = paging.encode(begin + query.limit) if len(found) > query.limit else None
    return paging.link_next(jsonify(TopicDocuments(documents=kept, next=cursor).json_value()), cursor)
