"""The front door of curation: change topics, look at a change before it is made, take it back, see what was done.

An edit is worked out in front of its transaction, texts and vectors included, and stored with all rows that it
changes in one: a reader sees the topics before or after it. Where another edit came between, it is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import APPLIED, UNDONE, TopicEdit
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.errors import Conflict
from riparian.failpoints import failpoint
from riparian.types import CollectionId, Ids, Matrix, TopicId, TopicModelInfo
from topics import bow, corpus
from topics.curation import edits, importing, planning, preview, store, wording
from topics.curation.codebook import Codebook
from topics.curation.counted import Counted
from topics.curation.edits import Curated, Draft
from topics.curation.importing import Taken
from topics.curation.mixtures import Mixtures, VectorsOf, derive
from topics.curation.preview import Effect
from topics.curation.requests import Request
from topics.curation.store import Log

logger = logging.getLogger(__name__)

FEW = 0.1
"""A move of less than this part of a topic's passages leaves its words as they are."""

Vocabulary = Callable[[TopicModelInfo], tuple[str, ...]]


class StoredVectors(Protocol):
    """What `riparian.vectors.store.VectorStore` gives: every embedded passage, ids ascending, with its row."""

    def vectors(self, collection_id: CollectionId, encoder: StoredEncoder) -> tuple[Ids, Matrix]: ...


@dataclass(frozen=True, slots=True)
class Planned:
    """An edit that was worked out over one state of the topics, with what it changes."""

    info: TopicModelInfo
    log: Log
    draft: Draft
    effect: Effect


class CurationService:
    """Safe to share between threads. `vocabulary` gives the words of a fitted model."""

    def __init__(self, database: Database, vectors: StoredVectors, vocabulary: Vocabulary) -> None:
        self._database, self._vectors, self._vocabulary = database, vectors, vocabulary
        self._counted = Counted()

    # ---------------------------------------------------------------- changing

    def preview(self, collection_id: CollectionId, request: Request) -> Effect:
        """What the edit would change, without making it. Raises what `edit` raises."""
        return self._plan(collection_id, request).effect

    def edit(
        self, collection_id: CollectionId, request: Request, *, author: str = "", reason: str = ""
    ) -> tuple[TopicEdit, Effect]:
        """Makes the edit. NoTopicsYet, UnknownTopic, UnknownPassage; Invalid for what can never be; Conflict where a
        pin is in the way or the topics were changed meanwhile."""
        planned = self._plan(collection_id, request)
        return self._commit(collection_id, planned, author, reason), planned.effect

    def _commit(self, collection_id: CollectionId, planned: Planned, author: str, reason: str) -> TopicEdit:
        """Stores a planned edit, and what pages show after it."""
        info, seen, draft = planned.info, planned.log, planned.draft
        vectors_of = self.vectors_of(info)
        self._warm(edits.apply(seen.now(), draft), vectors_of)
        with self._database.write() as catalog:
            log = self._unchanged(catalog, collection_id, info, seen)
            ids = catalog.curation.reserve(info.id, planning.new_numbers(draft))
            draft = planning.numbered(draft, ids)
            stored = catalog.curation.add_edit(
                collection_id, info.id, kind=draft.kind, data=draft.data, author=author, reason=reason
            )
            self._show(catalog, info, log.now(), edits.apply(log.now(), draft), stored, vectors_of)
            failpoint("curation.edited")
        logger.info("collection %s: topics edited (%s)", collection_id, draft.kind)
        return stored

    def take_codebook(
        self, collection_id: CollectionId, book: Codebook, *, author: str = "", reason: str = ""
    ) -> tuple[TopicEdit, Effect, Taken]:
        """Makes one edit of what a codebook says, and tells what of it had no place. Invalid where nothing had."""
        info = self.take_in(collection_id)
        with self._database.read() as catalog:
            log = store.log(catalog, info.id)
            draft, taken = importing.draft(catalog, collection_id, log.now(), book)
            planned = self._weighed(catalog, info, log, draft, self.vectors_of(info))
        return self._commit(collection_id, planned, author, reason), planned.effect, taken

    def codebook(self, collection_id: CollectionId) -> Codebook:
        """The topics with all that people said of them. NoTopicsYet when there are none."""
        with self._database.read() as catalog:
            log = store.log(catalog, catalog.topics.active_model(collection_id).id)
            return importing.codebook(catalog, collection_id, log.now())

    def undo(self, collection_id: CollectionId) -> TopicEdit:
        """Takes the last edit in force back. Conflict where there is none."""
        return self._step(collection_id, UNDONE)

    def redo(self, collection_id: CollectionId) -> TopicEdit:
        """Makes the edit again that was taken back last. Conflict where there is none."""
        return self._step(collection_id, APPLIED)

    def _step(self, collection_id: CollectionId, state: str) -> TopicEdit:
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            log = store.log(catalog, info.id)
        stored, after = _next(log, state)
        vectors_of = self.vectors_of(info)
        self._warm(after, vectors_of)
        with self._database.write() as catalog:
            self._unchanged(catalog, collection_id, info, log)
            catalog.curation.set_edit(stored.id, state=state)
            self._show(catalog, info, log.now(), after, stored, vectors_of)
        return stored

    # ---------------------------------------------------------------- looking

    def history(self, collection_id: CollectionId, *, limit: int = 50, offset: int = 0) -> list[TopicEdit]:
        """Every edit and every change of the model, newest first."""
        with self._database.read() as catalog:
            return catalog.curation.history(collection_id, limit=limit, offset=offset)

    def log(self, collection_id: CollectionId) -> Log:
        """The edits of the topics that are shown. NoTopicsYet when there are none."""
        with self._database.read() as catalog:
            return store.log(catalog, catalog.topics.active_model(collection_id).id)

    def curated(self, collection_id: CollectionId) -> Curated:
        """The topics with their pins, seeds and wishes. NoTopicsYet when there are none."""
        return self.log(collection_id).now()

    # ---------------------------------------------------------------- parts

    def take_in(self, collection_id: CollectionId) -> TopicModelInfo:
        """The active model, made ready for edits where it was fitted before there were any."""
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            taken_in = bool(catalog.curation.parts(info.id))
        if not taken_in:
            with self._database.write() as catalog:
                store.ensure(catalog, info.id)
        return info

    def _plan(self, collection_id: CollectionId, request: Request) -> Planned:
        info = self.take_in(collection_id)
        vectors_of = self.vectors_of(info)
        with self._database.read() as catalog:
            log = store.log(catalog, info.id)
            draft = planning.plan(catalog, log.now(), request, vectors_of)
            return self._weighed(catalog, info, log, draft, vectors_of)

    def _weighed(
        self, catalog: Catalog, info: TopicModelInfo, log: Log, draft: Draft, vectors_of: VectorsOf
    ) -> Planned:
        """With words for topics that change, and what it all amounts to."""
        before, after = log.now(), edits.apply(log.now(), draft)
        steps = after.steps[len(before.steps) :]
        was = store.derived(catalog, info.id, before, store.affected(catalog, [draft]), vectors_of)
        mixed = derive(was, steps, vectors_of)
        topics = catalog.topics.of_model(info.id)
        changed, relabelled = _to_word(draft, was, {topic.id: topic.passages for topic in topics})
        worded = None
        if changed:
            found, sampled = self._read(catalog, info, before, after, mixed, changed, vectors_of)
            worded = wording.reword(found, sampled, before, after, changed, relabelled)
            draft = Draft(draft.kind, {**draft.data, "words": dict(worded.data)})
            after = edits.apply(before, draft)
        return Planned(info, log, draft, preview.effect(draft.kind, topics, before, after, was, mixed, worded))

    def _read(
        self,
        catalog: Catalog,
        info: TopicModelInfo,
        before: Curated,
        after: Curated,
        mixed: Mixtures,
        changed: frozenset[TopicId],
        vectors_of: VectorsOf,
    ) -> tuple[corpus.Corpus, Mixtures]:
        passages, main = mixed.main()
        members = {topic: passages[main == topic] for topic in changed}
        wanted, vectors = vectors_of(wording.sample(catalog.curation.inferred(info.id), members, changed))
        language, vocabulary = str(info.settings.get("language", "en")), self._vocabulary(info)
        found = self._counted.corpus(
            info.id, vocabulary, wanted, vectors,
            lambda ids, rows: corpus.read(
                catalog, info.collection_id, ids, rows, language, lambda texts: bow.count(texts, vocabulary)
            ),
        )  # fmt: skip
        was = store.derived(catalog, info.id, before, found.passages, vectors_of)
        return found, derive(was, after.steps[len(before.steps) :], vectors_of)

    def vectors_of(self, info: TopicModelInfo) -> VectorsOf:
        """Vectors of the model's encoder, read from the store when they are first asked for."""
        held: list[tuple[Ids, Matrix]] = []

        def of(wanted: Ids) -> tuple[Ids, Matrix]:
            if not held:
                with self._database.read() as catalog:
                    encoder = catalog.encoders.get(info.encoder_id)
                held.append(self._vectors.vectors(info.collection_id, encoder))
            ids, vectors = held[0]
            found = wanted[np.isin(wanted, ids)]
            return found, vectors[np.searchsorted(ids, found)]

        return of

    def _warm(self, curated: Curated, vectors_of: VectorsOf) -> None:
        """Reads the vectors before a transaction holds the database."""
        if store.needs_vectors(curated):
            vectors_of(np.zeros(0, np.int64))

    def _unchanged(self, catalog: Catalog, collection_id: CollectionId, info: TopicModelInfo, seen: Log) -> Log:
        store.ensure(catalog, info.id)
        log = store.log(catalog, info.id)
        if catalog.topics.active_model(collection_id).id != info.id or log.edits != seen.edits:
            raise Conflict("the topics were changed by someone else at the same time; look again and repeat it")
        return log

    def _show(
        self,
        catalog: Catalog,
        info: TopicModelInfo,
        before: Curated,
        after: Curated,
        changed: TopicEdit,
        vectors_of: VectorsOf,
    ) -> None:
        passages = store.affected(catalog, [changed])
        store.put_topics(catalog, info.id, after)
        if len(passages):
            store.change(catalog, info.id, before, after, passages, vectors_of)


def _next(log: Log, state: str) -> tuple[TopicEdit, Curated]:
    """The edit to take back or make again, and the topics after that."""
    if state == UNDONE:
        if not log.applied:
            raise Conflict("there is no edit to undo")
        return log.applied[-1], edits.fold(log.start, log.applied[:-1])
    if not log.undone:
        raise Conflict("there is no edit to redo")
    return log.undone[0], edits.fold(log.start, (*log.applied, log.undone[0]))


def _to_word(draft: Draft, was: Mixtures, sizes: dict[TopicId, int]) -> tuple[frozenset[TopicId], frozenset[TopicId]]:
    """(topics that need new words, those of them that need a new label)."""
    if draft.kind == "merge":
        return frozenset([TopicId(draft.data["into"])]), frozenset()
    if draft.kind == "split":
        children = [TopicId(child) for child in draft.data["children"]]
        return frozenset(children), frozenset(children[1:])
    if draft.kind == "import":
        return frozenset(TopicId(topic) for topic in edits.made(draft)), frozenset()
    if draft.kind != "move":
        return frozenset(), frozenset()
    to = TopicId(draft.data["to"])
    topics, counts = np.unique(was.main()[1], return_counts=True)
    left = {TopicId(topic): int(count) for topic, count in zip(topics.tolist(), counts.tolist(), strict=True)}
    changed = {topic for topic, count in left.items() if sizes[topic] > count >= FEW * sizes[topic]}
    if len(draft.data["passages"]) >= FEW * sizes.get(to, 0):
        changed.add(to)
    return frozenset(changed), frozenset()
