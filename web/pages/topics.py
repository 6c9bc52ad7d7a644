"""Topics: the table of a collection's, one topic in full, and giving it a better name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import StoredTopic
from riparian.errors import BadQuery, Invalid, NoTopicsYet
from riparian.types import Collection, CollectionId, Document, Passage, PassageId, Topic, TopicId, TopicModelInfo
from topics.curation.edits import TopicState
from topics.curation.requests import Rename
from topics.queueing import is_curated
from web import curation_wording, learned_wording
from web.pages import archive
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.wiring import services

LISTED = 20
SHOWN_BEST = 4
LONGEST_LABEL = 200
ORDERS: dict[str, Callable[[Topic], Any]] = {
    "share": lambda topic: -topic.share,
    "label": lambda topic: topic.label.casefold(),
    "passages": lambda topic: -topic.passages,
    "documents": lambda topic: -topic.documents,
    "coherence": lambda topic: -(topic.coherence.get("npmi") or -1.0),
}


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage with its document and how much of it is about the topic."""

    passage: Passage
    document: Document
    weight: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One topic with a page of its passages, the documents that are most about it, and how it looks elsewhere."""

    topic: Topic
    collection: Collection
    tint: int
    heaviest: float
    representatives: tuple[Quote, ...]
    passages: tuple[Quote, ...]
    documents: tuple[tuple[Document, float], ...]
    more: bool


@blueprint.get("/topics")
def largest() -> ResponseReturnValue:
    """The topics of the collection that most documents are in."""
    found = archive.largest(services().collections())
    return redirect(url_for(".topics", collection=found.name) if found else url_for(".collections"))


@blueprint.get("/c/<collection>/topics")
def topics(collection: str) -> ResponseReturnValue:
    """Every topic, in the order that `sort` names."""
    order = request.args.get("sort", "share")
    if order not in ORDERS:
        raise BadQuery(f"cannot sort by {order!r}; sort by {', '.join(ORDERS)}")
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        model = _model(catalog, found.id)
        listed = archive.topics_of(catalog, found.id)
        left = model is not None and model.encoder_id != found.encoder_id
        curated = model is not None and is_curated(catalog, model)
        found_with = catalog.encoders.get(model.encoder_id).name if model is not None and left else ""
    return render_template(
        "topics.html",
        collection=found,
        model=model,
        found_with=found_with,
        learned=_learned(model),
        gifts=curation_wording.gifts(services().curation.curated(found.id)) if curated else "",
        topics=sorted(listed, key=lambda topic: (topic.hidden, ORDERS[order](topic))),
        tints=archive.tints(listed),
        largest=listed[0].share if listed else 1.0,
        order=order,
    )


@blueprint.get("/t/<int:topic>")
def topic(topic: int) -> ResponseReturnValue:
    """One topic: its words, the passages that show it best, all of its passages in pages, its documents, and forms to
    change it. One that was merged leads to what it became."""
    offset = whole(request.args, "offset", 0)
    with services().database.read() as catalog:
        became = catalog.topics.successor(TopicId(topic))
        if became is not None:
            return redirect(url_for(".topic", topic=became))
        found = _shown(catalog, TopicId(topic), offset)
        others = archive.topics_of(catalog, found.collection.id)
    curated = services().curation.curated(found.collection.id)
    return render_template(
        "topic.html",
        shown=found,
        collection=found.collection,
        offset=offset,
        size=LISTED,
        others=sorted((o for o in others if o.id != topic), key=lambda other: other.label.casefold()),
        state=curated.topics.get(TopicId(topic), TopicState(_plain(found.topic))),
    )


@blueprint.post("/c/<collection>/topics")
def find_topics(collection: str) -> ResponseReturnValue:
    """Queues finding the collection's topics; without a number, one is chosen. Topics that people changed are refitted,
    unless `afresh` is ticked."""
    number = request.form.get("number", "").strip()
    if number and not (number.isdecimal() and len(number) <= 3):
        raise Invalid(f"{number!r} is no number of topics; leave it empty to have one chosen")
    afresh = request.form.get("afresh") == "yes"
    job = services().fit_topics(collection, topics=int(number) if number else None, afresh=afresh)
    return redirect(url_for(".job", job=job), 303)


@blueprint.post("/t/<int:topic>/rename")
def rename(topic: int) -> ResponseReturnValue:
    label = " ".join(request.form.get("label", "").split())
    if not label or len(label) > LONGEST_LABEL:
        raise Invalid(f"a topic needs a name of 1 to {LONGEST_LABEL} characters")
    parts = services()
    with parts.database.read() as catalog:
        collection = catalog.topics.collection_of(TopicId(topic))
    parts.curation.edit(collection, Rename(TopicId(topic), label), author=parts.settings.author)
    return redirect(url_for(".topic", topic=topic), 303)


def _plain(topic: Topic) -> StoredTopic:
    """A topic of a model that is not the active one, which no edit concerns."""
    return StoredTopic(topic.id, topic.number, topic.label, topic.terms, topic.coherence, topic.representatives)


def _model(catalog: Catalog, collection_id: CollectionId) -> TopicModelInfo | None:
    try:
        return catalog.topics.active_model(collection_id)
    except NoTopicsYet:
        return None


def _learned(model: TopicModelInfo | None) -> str:
    """How well the model tells labels, "" where it learned none."""
    if model is None or not model.settings.get("labels"):
        return ""
    scores = model.scores
    return learned_wording.how_well(
        scores.get("label_accuracy"), scores.get("label_guess"), model.settings.get("labels_held_out", 0)
    )


def _shown(catalog: Catalog, topic_id: TopicId, offset: int) -> Shown:
    """UnknownTopic when there is none."""
    collection = catalog.collections.get(catalog.topics.collection_of(topic_id))
    topic = catalog.topics.get(topic_id)
    listed = catalog.topics.passages_of(topic_id, limit=LISTED + 1, offset=offset)
    about = catalog.topics.documents_of(topic_id, limit=LISTED)
    documents = catalog.documents.many(document for document, _ in about)
    return Shown(
        topic=topic,
        collection=collection,
        tint=archive.tints(catalog.topics.of_model(topic.model_id)).get(topic_id, 0),
        heaviest=max((term.weight for term in topic.terms), default=1.0),
        representatives=_quotes(catalog, [(passage, 1.0) for passage in topic.representatives[:SHOWN_BEST]]),
        passages=_quotes(catalog, listed[:LISTED]),
        documents=tuple((documents[d], weight) for d, weight in about if d in documents),
        more=len(listed) > LISTED,
    )


def _quotes(catalog: Catalog, weighed: Iterable[tuple[PassageId, float]]) -> tuple[Quote, ...]:
    """In the order given; passages that were removed since the topics were found are left out."""
    pairs = list(weighed)
    passages = catalog.passages.many(passage for passage, _ in pairs)
    documents = catalog.documents.many({passage.document_id for passage in passages.values()})
    return tuple(Quote(passages[p], documents[passages[p].document_id], weight) for p, weight in pairs if p in passages)
