"""The front door of analyses: derived from stored mixtures and vectors, never stored as truth, always made again.

What is quick is worked out when it is asked for. The quality of topics and the map take minutes: they are jobs, and
what they found lies beside the model's files.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.errors import BadQuery, NotIndexedYet
from riparian.jobs import Handler, Running
from riparian.types import (
    CollectionId,
    DocumentId,
    Ids,
    JobId,
    Matrix,
    Passage,
    PassageId,
    Span,
    Topic,
    TopicId,
    TopicModelInfo,
)
from topics import bow, corpus, stored_counts
from topics.analysis import (
    doubt,
    groups,
    labels,
    material,
    measuring,
    period_words,
    periods,
    places,
    quality,
    report,
    tree,
)
from topics.analysis import map as maps
from topics.analysis.doubt import Borderline, Stretch
from topics.analysis.groups import Compared
from topics.analysis.map import Map, Method
from topics.analysis.material import Mixtures
from topics.analysis.periods import OverTime, Unit
from topics.analysis.places import Drawn
from topics.analysis.report import Report, TopicQuality
from topics.analysis.tree import Node
from topics.base import BagOfWords
from topics.corpus import Corpus
from topics.service import StoredVectors

QUALITY, MAP = "topics-quality", "topics-map"
"""Kinds of job: measure every topic, draw the map."""

FIELDS = ("author", "type", "language", "year")
"""Fields that groups can be made by, besides `meta.<key>`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A topic of a mix: the mean of its weight in the documents, and how many have a passage that is mainly it."""

    topic_id: TopicId
    label: str
    share: float
    documents: int


@dataclass(frozen=True, slots=True)
class Mix:
    """Topics over a set of documents, the largest share first; `without` of the set have no topics yet."""

    parts: tuple[Part, ...]
    documents: int
    without: int


@dataclass(frozen=True, slots=True)
class Closely:
    """One topic looked at closely. `doubt` is the mean entropy of its passages; `quality` is None before the job."""

    topic: Topic
    nearest: tuple[tuple[Topic, float], ...]
    borderline: tuple[tuple[Passage, Borderline, Topic], ...]
    doubt: float
    own_words: float
    quality: TopicQuality | None


class AnalysisService:
    """Safe to share between threads. Every method raises NoTopicsYet where the collection has no topics."""

    def __init__(self, database: Database, vectors: StoredVectors, settings: Settings) -> None:
        self._database, self._vectors, self._data_dir = database, vectors, settings.data_dir
        self._worded: tuple[tuple[OverTime, OverTime], ...] = ()  # without words, and with

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of analyses, by their kind."""
        return {QUALITY: self._run_quality, MAP: self._run_map}

    # ---------------------------------------------------------------- at once

    def tree(self, collection_id: CollectionId) -> Node:
        """The tree of the topics that have passages."""
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            found = material.of_passages(catalog, collection_id)
        return tree.grow(found.topics, tree.centres(*self._joined(info, found)))

    def over_time(self, collection_id: CollectionId, unit: Unit | None = None) -> OverTime:
        """Topics in periods, with the words of each; BadQuery where too few documents have a date."""
        with self._database.read() as catalog:
            found = material.of_documents(catalog, collection_id)
            dates = catalog.topic_analyses.dates(collection_id)
        plain = _over_time(_Keyed(found), tuple(sorted(dates.items())), unit)
        if not any(known is plain for known, _ in self._worded):
            self._worded = ((plain, self._with_words(collection_id, plain, dates)), *self._worded[:3])
        return next(worded for known, worded in self._worded if known is plain)

    def _with_words(self, collection_id: CollectionId, over: OverTime, dates: Mapping[DocumentId, date]) -> OverTime:
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            found = material.of_passages(catalog, collection_id)
            owners = catalog.passages.documents_of(found.rows.tolist())
            folder = self._folder(catalog, info)
        documents = np.array([owners.get(PassageId(passage), -1) for passage in found.rows.tolist()], np.int64)
        bag = stored_counts.bag_of(folder, found.rows, lambda ids, words: self._count(info, ids, words))
        places = periods.period_of(over, dates, documents)
        words = period_words.words_of_periods(found.theta, bag, places, len(over.periods))
        of_topic = dict(zip(found.ids, words, strict=True))
        lines = tuple(replace(line, words=of_topic.get(line.topic.id, ())) for line in over.timelines)
        return replace(over, timelines=lines)

    def _count(self, info: TopicModelInfo, ids: Ids, vocabulary: Sequence[str]) -> tuple[Ids, BagOfWords]:
        language = str(info.settings.get("language", "en"))
        nothing = np.zeros((len(ids), 1), np.float32)
        with self._database.read() as catalog:
            found = corpus.read(
                catalog, info.collection_id, ids, nothing, language, lambda texts: bow.count(texts, vocabulary)
            )
        return found.passages, found.bag

    def groups(self, collection_id: CollectionId, field: str, most: int = 8) -> Compared:
        """Topics by the values of a field; BadQuery for a field that there is not, or one whose values are too few."""
        if field not in FIELDS and not (field.startswith("meta.") and len(field) > len("meta.")):
            raise BadQuery(f"cannot compare by {field!r}; by {', '.join(FIELDS)} or meta.<key>")
        with self._database.read() as catalog:
            found = material.of_documents(catalog, collection_id)
            values = catalog.facets.values(collection_id, field)
        return _compare(_Keyed(found), tuple(values), field, most)

    def fields(self, collection_id: CollectionId) -> list[str]:
        """What the documents of the collection can be grouped by."""
        with self._database.read() as catalog:
            return [*FIELDS, *catalog.topic_analyses.fields(collection_id)]

    def mix(self, collection_id: CollectionId, documents: Ids) -> Mix:
        """The topics of exactly these documents, the largest share first."""
        with self._database.read() as catalog:
            found = catalog.topic_analyses.active(collection_id)
            if found is None:
                catalog.topics.active_model(collection_id)  # says how to find topics
                return Mix((), 0, len(documents))
            model_id, labels_ = found
            summed, mixed = catalog.topic_analyses.over(model_id, documents)
        parts = (Part(one.topic_id, labels_[one.topic_id], one.weight / mixed, one.documents) for one in summed)
        return Mix(tuple(parts), mixed, len(documents) - mixed)

    def closely(self, topic_id: TopicId, count: int = 5) -> Closely:
        """UnknownTopic where there is none."""
        with self._database.read() as catalog:
            topic = catalog.topics.get(topic_id)
            info = _info(catalog, topic)
            topics = tuple(sorted(catalog.topics.of_model(topic.model_id), key=lambda other: other.id))
            found = material.mixtures(catalog.topic_analyses.passages(topic.model_id), topics)
            near = doubt.borderline(found, topic_id, count) if topic_id in found.ids else []
            passages = catalog.passages.many(one.passage_id for one in near)
            kept = report.load(self._data_dir / catalog.topics.folder(topic.model_id))
        by_id = {other.id: other for other in topics}
        column = found.ids.index(topic_id)
        return Closely(
            topic=topic,
            nearest=tuple((by_id[other], near) for other, near in self._nearest(info, found, column)),
            borderline=tuple((passages[b.passage_id], b, by_id[b.other]) for b in near if b.passage_id in passages),
            doubt=doubt.mean_doubt(found)[topic_id],
            own_words=quality.own_words(topics)[column],
            quality=kept.topics.get(topic_id) if kept else None,
        )

    def stretches(self, document_id: DocumentId) -> list[Stretch]:
        """The stretches of a stored document by topic, in order; passages without a topic yet are left out."""
        with self._database.read() as catalog:
            model, topics = material.shown_topics(catalog, catalog.documents.get(document_id).collection_id)
            where = catalog.passages.places(document_id)
            mixtures = catalog.topics.of_passages(model.id, [int(passage) for passage in where])
        known: list[tuple[PassageId, Span]] = [
            (passage, span) for passage, span in where.items() if passage in mixtures
        ]
        known.sort(key=lambda one: one[1].start)
        return doubt.stretches(known, [mixtures[passage] for passage, _ in known], len(topics))

    def quality(self, collection_id: CollectionId) -> Report | None:
        """What the last quality job of the active model found, None before the first."""
        with self._database.read() as catalog:
            return report.load(self._folder(catalog, catalog.topics.active_model(collection_id)))

    def map(self, collection_id: CollectionId) -> Drawn | None:
        """The map as it was last drawn, with the topics of now on it; None before the first."""
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            found = material.of_passages(catalog, collection_id)
        kept = places.load(places.path(self._data_dir, collection_id, info.encoder_id))
        return None if kept is None else places.drawn(kept, found)

    def named(self, collection_id: CollectionId, by: str) -> list[tuple[Topic, str]]:
        """Every topic with another name: by its first "phrases" or its "sentence", as the quality job found them (where
        it found none, the name it has), or by an installed labeller. No two are alike. Invalid for an unknown one.
        """
        with self._database.read() as catalog:
            info, topics = material.shown_topics(catalog, collection_id)
            kept = report.load(self._folder(catalog, info))
        if by not in labels.BUILT_IN:
            words = [[term.term for term in topic.terms] for topic in topics]
            made = labels.written_by(labels.labeller(by), words, self._sentences(info, topics))
        else:
            made = labels.distinct([_offered(topic, kept, by) for topic in topics])
        return list(zip(topics, made, strict=True))

    # ---------------------------------------------------------------- jobs

    def queue(self, catalog: Catalog, collection_id: CollectionId, kind: str) -> JobId:
        """Queues one of `QUALITY` and `MAP` in the caller's transaction, unless it waits or runs already."""
        catalog.topics.active_model(collection_id)
        waiting = jobs.unfinished(catalog, collection_id, kind)
        return waiting.id if waiting else jobs.enqueue(catalog, kind, {}, collection_id)

    def measure(self, collection_id: CollectionId, progress: Callable[[str, int, int], None]) -> Report:
        """Measures every topic of the active model and keeps the report. `progress` may raise to stop the work."""
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            folder = self._folder(catalog, info)
        progress("reading words", 0, 1)
        found, words = self._corpus(info)
        progress("reading words", 1, 1)
        made = measuring.measured(info, found, words, self._texts(found.topics), progress)
        report.save(folder, made)
        return made

    def draw(
        self, collection_id: CollectionId, progress: Callable[[str, int, int], None], method: Method | None = None
    ) -> Map:
        """Draws the map of every embedded passage, keeping the places of the one before, and keeps it. `method` None:
        UMAP where it is installed and there are enough passages."""
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
        ids, vectors = self._stored(info)
        file = places.path(self._data_dir, collection_id, info.encoder_id)
        progress("drawing the map", 0, 1)
        drawn = maps.draw(ids, vectors, places.load(file), method)
        progress("drawing the map", 1, 1)
        places.save(file, drawn)
        with self._database.write() as catalog:
            here = places.drawn(drawn, material.of_passages(catalog, collection_id)).topics
            catalog.topic_analyses.set_places(here)
        return drawn

    def _run_quality(self, running: Running) -> Mapping[str, Any]:
        made = self.measure(_collection_of(running), lambda s, d, t: running.progress(s, d, t, "steps"))
        return {"topics": len(made.topics), "calibration_error": round(made.error, 4)}

    def _run_map(self, running: Running) -> Mapping[str, Any]:
        drawn = self.draw(_collection_of(running), lambda s, d, t: running.progress(s, d, t, "steps"))
        return {"passages": len(drawn.passages), "method": drawn.method, "kept": drawn.kept}

    # ---------------------------------------------------------------- parts

    def _folder(self, catalog: Catalog, info: TopicModelInfo) -> Path:
        return self._data_dir / catalog.topics.folder(info.id)

    def _stored(self, info: TopicModelInfo) -> tuple[Ids, Matrix]:
        with self._database.read() as catalog:
            encoder = catalog.encoders.get(info.encoder_id)
            name = catalog.collections.get(info.collection_id).name
        ids, vectors = self._vectors.vectors(info.collection_id, encoder)
        if not len(ids):
            raise NotIndexedYet(f"collection {name!r} has no vectors of {encoder.name} any more; index it first")
        return ids, vectors

    def _joined(self, info: TopicModelInfo, found: Mixtures) -> tuple[Any, Matrix]:
        """Mixtures and vectors of the passages that have both."""
        ids, vectors = self._stored(info)
        _, rows, places_ = np.intersect1d(found.rows, ids, return_indices=True)
        return found.theta[rows], vectors[places_]

    def _nearest(self, info: TopicModelInfo, found: Mixtures, column: int) -> list[tuple[TopicId, float]]:
        centres = tree.centres(*self._joined(info, found)).astype(np.float64)
        return doubt.nearest(centres @ centres.T, np.array(found.ids, np.int64), column)

    def _corpus(self, info: TopicModelInfo) -> tuple[Mixtures, Corpus]:
        """Passages that have vectors and topics, row by row the same."""
        ids, vectors = self._stored(info)
        with self._database.read() as catalog:
            found = material.of_passages(catalog, info.collection_id)
            both, rows, kept = np.intersect1d(found.rows, ids, return_indices=True)
            language = corpus.main_language(catalog, info.collection_id)
            words = corpus.read(catalog, info.collection_id, both, vectors[kept], language, bow.build)
        rows = rows[np.searchsorted(both, words.passages)]
        return Mixtures(words.passages, found.theta[rows], found.topics), words

    def _texts(self, topics: Sequence[Topic]) -> list[list[str]]:
        """The texts of each topic's representative passages."""
        with self._database.read() as catalog:
            wanted = catalog.passages.many({p for topic in topics for p in topic.representatives})
        return [[wanted[p].text for p in topic.representatives if p in wanted] for topic in topics]

    def _sentences(self, info: TopicModelInfo, topics: Sequence[Topic]) -> list[list[str]]:
        language = str(info.settings.get("language", "en"))
        pairs = zip(topics, self._texts(topics), strict=True)
        return [
            labels.best_sentences(texts, [(t.term, t.weight) for t in topic.terms], 3, language)
            for topic, texts in pairs
        ]


# ------------------------------------------------------------------------------ pure parts


class _Keyed:
    """Mixtures that can be looked up in a cache by what they hold."""

    def __init__(self, found: Mixtures) -> None:
        self.found = found
        theta = found.theta
        names = tuple(topic.label for topic in found.topics)
        self._key = (found.rows.tobytes(), theta.data.tobytes(), theta.indices.tobytes(), found.ids, names)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self._key == other._key


@functools.lru_cache(maxsize=8)
def _over_time(found: _Keyed, dates: tuple[tuple[DocumentId, date], ...], unit: Unit | None) -> OverTime:
    return periods.over_time(found.found, dict(dates), unit)


@functools.lru_cache(maxsize=8)
def _compare(found: _Keyed, values: tuple[tuple[int, str], ...], field: str, most: int) -> Compared:
    return groups.compare(found.found, values, field, most=most)


def _info(catalog: Catalog, topic: Topic) -> TopicModelInfo:
    collection_id = catalog.topics.collection_of(topic.id)
    return next(info for info in catalog.topics.models(collection_id) if info.id == topic.model_id)


def _collection_of(running: Running) -> CollectionId:
    if running.job.collection_id is None:
        raise ValueError(f"a job of kind {running.job.kind!r} belongs to a collection")
    return running.job.collection_id


def _offered(topic: Topic, kept: Report | None, by: str) -> str:
    found = kept.topics.get(topic.id) if kept else None
    offered = "" if found is None else found.sentence if by == "sentence" else next(iter(found.phrases), "")
    return offered[: labels.LONGEST] or topic.label
