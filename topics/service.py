"""The front door of the room: fit, look at, and infer topics of a collection.

Files first, then one transaction: a model's folder is complete on disk before the catalog names it, and its topics
and the mixtures of every passage and document become visible together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_matrix

from riparian import device
from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.topics import NewTopic
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.errors import BadQuery, Conflict, NotIndexedYet
from riparian.failpoints import failpoint
from riparian.jobs import Handler, Running
from riparian.types import (
    Collection,
    CollectionId,
    Document,
    DocumentId,
    Ids,
    Matrix,
    Membership,
    Passage,
    PassageId,
    Topic,
    TopicId,
    TopicModelId,
    TopicModelInfo,
)
from topics import bow, corpus, files, kinds, learning, memberships, mending, mixtures, stored_counts
from topics.asked import Asked, AskedAgain
from topics.base import Progress, TopicModel, silent
from topics.bow import VocabularySettings
from topics.corpus import Corpus
from topics.discover import Described, Discovery, discover
from topics.queueing import AFRESH, ASSIGN, FIT, active, is_curated, is_outdated, queue_assign, queue_fit, queue_refit

__all__ = ["ASSIGN", "FIT", "TopicService", "queue_assign", "queue_fit"]

logger = logging.getLogger(__name__)

KEPT = 2
"""Models of a collection that are kept: the active one and the one before."""


class StoredVectors(Protocol):
    """What `riparian.vectors.store.VectorStore` gives: every embedded passage, ids ascending, with its row."""

    def vectors(self, collection_id: CollectionId, encoder: StoredEncoder) -> tuple[Ids, Matrix]: ...


class Encoders(Protocol):
    """What `riparian.encoders.pool.EncoderPool` gives: the encoder that a collection was indexed with."""

    def of(self, stored: StoredEncoder) -> Encoder: ...


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a model said of texts: kept mixtures (N, K) over its own topics, and the texts' vectors."""

    info: TopicModelInfo
    kept: csr_matrix
    vectors: Matrix


class TopicService:
    """Safe to share between threads. Never encodes what is stored; `infer` encodes the texts it is given."""

    def __init__(self, database: Database, encoders: Encoders, vectors: StoredVectors, settings: Settings) -> None:
        self._database, self._encoders, self._vectors = database, encoders, vectors
        self._data_dir, self._device = settings.data_dir, settings.device
        self._loaded: dict[TopicModelId, TopicModel] = {}
        self._lock = threading.Lock()

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of this room, by their kind."""
        return {FIT: self._run_fit, ASSIGN: self._run_assign}

    # ---------------------------------------------------------------- fitting

    def fit(
        self,
        collection_id: CollectionId,
        *,
        kind: str = kinds.DEFAULT,
        topics: int | None = None,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
        labels: str | None = None,
        words: int | None = None,
        afresh: bool = True,
        progress: Progress = silent,
    ) -> TopicModelInfo:
        """Finds topics in every embedded passage and makes them the collection's active ones.

        What can be asked for: `topics.asked.Asked`. Raises NotIndexedYet without vectors, Invalid for what cannot be
        asked for or passages without words; UnknownCollection; Conflict, unless `afresh`, where people changed the
        topics that are shown. `progress` may raise: then nothing has changed, and the same fit goes on from the last
        epochs that were kept.
        """
        asked = Asked(kind, topics, seed, options or {}, labels, words)
        asked.check()
        encoder, language, found = self.corpus_of(collection_id, progress, words)
        discovery = self._discover(collection_id, asked, encoder, found, progress)
        folder = files.publish(self._data_dir, collection_id, discovery.fit.model)
        stored_counts.save(self._data_dir / folder, found.passages, found.bag)
        failpoint("topics.published")
        settings = model_settings(discovery, found, asked, language)
        with self._database.write() as catalog:
            if not afresh and _is_curated(catalog, collection_id):
                raise Conflict("people changed the topics meanwhile; `riparian topics fit` again keeps what they did")
            model_id = self._store(catalog, collection_id, encoder, found, discovery, folder, settings)
            gone = _retire(catalog, collection_id)
        failpoint("topics.committed")
        for old in gone:
            files.remove(self._data_dir, old)
        self.sweep(collection_id)
        self.assign_new(collection_id)
        logger.info("collection %s: %s topics (%s)", collection_id, discovery.fit.model.topics, kind)
        with self._database.read() as catalog:
            return next(info for info in catalog.topics.models(collection_id) if info.id == model_id)

    def _discover(
        self, collection_id: CollectionId, asked: Asked, encoder: StoredEncoder, found: Corpus, progress: Progress
    ) -> Discovery:
        with self._database.read() as catalog:
            lesson = learning.of_field(catalog, collection_id, asked.labels, found)
        discovery = discover(
            asked.kind, found.vectors, found.bag, found.documents,
            encoder=encoder.fingerprint, topics=asked.topics, seed=asked.seed, options=asked.options,
            classes=lesson.told if lesson else None, checkpoint=files.checkpoint(self._data_dir, collection_id),
            device=device.choose(self._device).name, progress=progress,
        )  # fmt: skip
        return learning.scored(discovery, lesson, found)

    def corpus_of(
        self, collection_id: CollectionId, progress: Progress, words: int | None = None
    ) -> tuple[StoredEncoder, str, Corpus]:
        """The collection's encoder, its main language, and its embedded passages as a fit meets them, with at most so
        many `words`. NotIndexedYet where there are none, UnknownCollection."""
        with self._database.read() as catalog:
            collection = catalog.collections.get(collection_id)
            encoder = _encoder(catalog, collection)
        ids, vectors = self._vectors.vectors(collection_id, encoder)
        if not len(ids):
            raise NotIndexedYet(f"collection {collection.name!r} has no vectors yet; index it first")
        progress("reading words", 0, len(ids))
        with self._database.read() as catalog:
            language = corpus.main_language(catalog, collection_id)
            vocabulary = VocabularySettings() if words is None else VocabularySettings(size=words)
            make = partial(bow.build, settings=vocabulary)
            found = corpus.read(catalog, collection_id, ids, vectors, language, make)
        progress("reading words", len(found), len(found))
        return encoder, language, found

    def _store(
        self,
        catalog: Catalog,
        collection_id: CollectionId,
        encoder: StoredEncoder,
        found: Corpus,
        discovery: Discovery,
        folder: str,
        settings: Mapping[str, Any],
    ) -> TopicModelId:
        model_id, topic_ids = catalog.topics.add_model(
            collection_id, encoder.id, kind=discovery.fit.model.kind, folder=folder, settings=settings,
            scores=discovery.scores, topics=[_new_topic(topic, found) for topic in discovery.topics],
        )  # fmt: skip
        memberships.put_all(catalog, model_id, collection_id, found, mixtures.kept(discovery.fit.theta))
        catalog.topics.activate(model_id)
        catalog.events.add(
            collection_id,
            "topics-fitted",
            {"model": int(model_id), "kind": discovery.fit.model.kind, "topics": len(topic_ids)},
        )
        return model_id

    def sweep(self, collection_id: CollectionId) -> None:
        """Removes what killed fits left on the disk."""
        with self._database.read() as catalog:
            live = {catalog.topics.folder(info.id) for info in catalog.topics.models(collection_id)}
        files.sweep(self._data_dir, collection_id, live)

    def _run_fit(self, running: Running) -> Mapping[str, Any]:
        payload, collection_id = running.job.payload, _collection_of(running)
        with self._database.read() as catalog:
            if is_outdated(catalog, collection_id, payload):
                return {"skipped": "the collection has another encoder by now"}
            if not payload.get(AFRESH) and _is_curated(catalog, collection_id):
                return self._refit_instead(collection_id, payload)
        asked = Asked.of(payload)
        info = self.fit(
            collection_id,
            kind=asked.kind,
            topics=asked.topics,
            seed=asked.seed,
            options=asked.options,
            labels=asked.labels,
            words=asked.words,
            afresh=bool(payload.get(AFRESH)),
            progress=lambda stage, done, total: running.progress(stage, done, total, "steps"),
        )
        held = info.settings.get("labels_held_out")
        made = {"model": int(info.id), "topics": info.topics, "scores": dict(info.scores)}
        return made if held is None else made | {"held_out": held}

    def _refit_instead(self, collection_id: CollectionId, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """For topics that people changed after the fit was queued."""
        with self._database.write() as catalog:
            asked = {key: value for key, value in payload.items() if key != AFRESH}
            info = catalog.topics.active_model(collection_id)
            return {"skipped": "people changed the topics", "job": queue_refit(catalog, info, AskedAgain.of(asked))}

    def _run_assign(self, running: Running) -> Mapping[str, Any]:
        return {"passages": self.assign_new(_collection_of(running))}

    # ---------------------------------------------------------------- passages that came later

    def assign_new(self, collection_id: CollectionId) -> int:
        """Infers the active model's topics for embedded passages that have none; answers with how many.

        No refit. 0 where the collection has no topics. Call it when indexing ends.
        """
        with self._database.read() as catalog:
            info = active(catalog, collection_id)
            if info is None:
                return 0
            waiting = catalog.topics.unassigned(info.id, collection_id)
            encoder = catalog.encoders.get(info.encoder_id)
        if not len(waiting):
            return 0
        ids, vectors = self._vectors.vectors(collection_id, encoder)
        here = np.isin(ids, waiting)
        if not here.any():
            return 0
        model = self.model_of(info)
        language = str(info.settings.get("language", "en"))
        with self._database.read() as catalog:
            found = corpus.read(
                catalog, collection_id, ids[here], vectors[here], language,
                lambda texts: bow.count(texts, model.vocabulary),
            )  # fmt: skip
        theta = model.infer(found.vectors, found.bag.counts, encoder=encoder.fingerprint)
        with self._database.write() as catalog:
            return memberships.add(catalog, info.id, collection_id, found, mixtures.kept(theta))

    # ---------------------------------------------------------------- damage

    def mend(self, collection_id: CollectionId) -> None:
        """Makes models good whose files are damaged: the active one is fitted again as it was asked for, others go.

        The fit is a job: where another job of the collection runs it waits in the queue. RiparianError where it fails.
        """
        mending.mend(self._database, self._data_dir, collection_id, self.handlers)

    # ---------------------------------------------------------------- looking

    def model(self, collection_id: CollectionId) -> TopicModelInfo:
        """The active model. NoTopicsYet when none was fitted."""
        with self._database.read() as catalog:
            return catalog.topics.active_model(collection_id)

    def topics(self, collection_id: CollectionId) -> list[Topic]:
        """The active model's topics, largest share first. NoTopicsYet when none was fitted."""
        with self._database.read() as catalog:
            return catalog.topics.of_model(catalog.topics.active_model(collection_id).id)

    def is_curated(self, collection_id: CollectionId) -> bool:
        """Whether people changed the topics that are shown."""
        with self._database.read() as catalog:
            return _is_curated(catalog, collection_id)

    def show(self, topic_id: TopicId) -> Topic:
        """UnknownTopic when it is not there."""
        with self._database.read() as catalog:
            return catalog.topics.get(topic_id)

    def representatives(self, topic_id: TopicId) -> list[Passage]:
        """The passages that stand for the topic, best first, without those that were removed since."""
        with self._database.read() as catalog:
            topic = catalog.topics.get(topic_id)
            found = catalog.passages.many(topic.representatives)
        return [found[passage] for passage in topic.representatives if passage in found]

    def passages_of(self, topic_id: TopicId, *, limit: int = 50, offset: int = 0) -> list[tuple[Passage, float]]:
        """Passages whose main topic it is with its weight in them, heaviest first."""
        with self._database.read() as catalog:
            catalog.topics.collection_of(topic_id)
            weights = catalog.topics.passages_of(topic_id, limit=limit, offset=offset)
            found = catalog.passages.many(passage for passage, _ in weights)
        return [(found[passage], weight) for passage, weight in weights]

    def documents_of(self, topic_id: TopicId, *, limit: int = 50, offset: int = 0) -> list[tuple[Document, float]]:
        """Documents with a passage whose main topic it is, by the topic's share in them."""
        with self._database.read() as catalog:
            catalog.topics.collection_of(topic_id)
            weights = catalog.topics.documents_of(topic_id, limit=limit, offset=offset)
            found = catalog.documents.many(document for document, _ in weights)
        return [(found[document], weight) for document, weight in weights]

    def of_document(self, document_id: DocumentId) -> list[Membership]:
        """The document's mixture in its collection's active model, heaviest first; empty when not inferred yet."""
        with self._database.read() as catalog:
            collection_id = catalog.documents.get(document_id).collection_id
            return catalog.topics.of_document(catalog.topics.active_model(collection_id).id, document_id)

    def infer(self, collection_id: CollectionId, texts: Sequence[str]) -> list[list[Membership]]:
        """Mixtures of new texts in the collection's topics, heaviest first; each is kept as a passage's would be.

        Raises NoTopicsYet, BadQuery for an empty text, IndexMismatch where the encoder changed since.
        """
        return self.shown(self.said(collection_id, texts))

    def said(self, collection_id: CollectionId, texts: Sequence[str]) -> Said:
        """What the active model says of new texts. Raises what `infer` raises."""
        if not all(text.strip() for text in texts):
            raise BadQuery("there is no text to find topics for")
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            stored = catalog.encoders.get(info.encoder_id)
        encoder, model = self._encoders.of(stored), self.model_of(info)
        languages = (str(info.settings.get("language", "en")),)
        bag = bow.count(((text, languages) for text in texts), model.vocabulary)
        vectors = encoder.encode_passages(texts, "passage")
        theta = model.infer(vectors, bag.counts, encoder=encoder.fingerprint())
        return Said(info, mixtures.kept(theta), vectors)

    def shown(self, said: Said) -> list[list[Membership]]:
        """The mixtures of texts under the edits in force, heaviest first."""
        with self._database.read() as catalog:
            return memberships.of_texts(catalog, said.info.id, said.kept, said.vectors)

    def vocabulary(self, info: TopicModelInfo) -> tuple[str, ...]:
        """The words that a stored model counts. DamagedIndex where its files are not what was written."""
        return self.model_of(info).vocabulary

    def model_of(self, info: TopicModelInfo) -> TopicModel:
        """The model from memory or disk, verified. DamagedIndex where its files are not what was written."""
        with self._lock:
            if info.id not in self._loaded:
                with self._database.read() as catalog:
                    folder = catalog.topics.folder(info.id)
                self._loaded[info.id] = files.open_model(self._data_dir / folder)
                while len(self._loaded) > 4:
                    del self._loaded[next(iter(self._loaded))]
            return self._loaded[info.id]


# ------------------------------------------------------------------------------ to and from the catalog


def _collection_of(running: Running) -> CollectionId:
    if running.job.collection_id is None:
        raise ValueError(f"a job of kind {running.job.kind!r} belongs to a collection")
    return running.job.collection_id


def _is_curated(catalog: Catalog, collection_id: CollectionId) -> bool:
    info = active(catalog, collection_id)
    return info is not None and is_curated(catalog, info)


def _encoder(catalog: Catalog, collection: Collection) -> StoredEncoder:
    if collection.encoder_id is None:
        raise NotIndexedYet(f"collection {collection.name!r} has no encoder yet; index it first")
    return catalog.encoders.get(collection.encoder_id)


def model_settings(
    discovery: Discovery,
    found: Corpus,
    asked: Asked,
    language: str,
) -> dict[str, Any]:
    """What is stored of how a model was fitted."""
    return {
        **asked.settings(),
        "topics": discovery.fit.model.topics,
        "scan": [[k, round(score, 4)] for k, score in discovery.choice.curve],
        "language": language,
        "epochs": discovery.fit.epochs,
        "words": len(discovery.fit.model.vocabulary),
        "last_passage": int(found.passages[-1]),
        **({"labels_held_out": discovery.held_out} if asked.labels else {}),
    }


def _new_topic(topic: Described, found: Corpus) -> NewTopic:
    standing = tuple(PassageId(int(found.passages[row])) for row in topic.representatives)
    return NewTopic(topic.number, topic.label, topic.terms, topic.coherence, standing)


def _retire(catalog: Catalog, collection_id: CollectionId) -> list[str]:
    """Removes all but the newest models from the catalog, and what a refit proposed in place of others; answers with
    their folders."""
    others = [info for info in catalog.topics.models(collection_id) if not info.active]
    proposed = [info for info in others if info.state == "proposed"]
    old = proposed + [info for info in others if info.state != "proposed"][KEPT - 1 :]
    folders = [catalog.topics.folder(info.id) for info in old]
    for info in old:
        catalog.topics.remove_model(info.id)
    return folders
