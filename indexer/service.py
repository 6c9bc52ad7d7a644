"""The indexer's front door: collections made, filled, brought up to date, checked and removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from indexer import bindings
from indexer.bindings import Binding, Switched
from indexer.check import Check, MendTopics
from indexer.compaction import Compaction
from indexer.passages import LONGEST
from indexer.pipeline import FollowUp, IndexRun, Parts, compact_states, stored_encoder
from indexer.readers.base import ReadOptions
from indexer.reindex import ReindexRun
from indexer.sandbox import FileReader, Readers
from indexer.scan import SAMPLE, path_key
from indexer.sources import SourceFile, walk
from indexer.token_states import STATES, StatesRun, queue_states
from riparian import jobs
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.encoders.library import Library
from riparian.encoders.pool import EncoderPool, register
from riparian.errors import (
    AlreadyExists,
    Conflict,
    IndexMismatch,
    Invalid,
    NothingToRead,
    UnknownCollection,
)
from riparian.jobs import Handler, Running
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, CollectionId, Job, JobId, Problem
from riparian.vectors.state_store import StateStore
from riparian.vectors.store import VectorStore, vectors_folder
from riparian.vectors.token_states import ROOM, states_folder

OVERLAP = 0.15
"""Share of a passage that the next one repeats, so that what stands at a cut is found as a whole in one of the two."""

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How far a collection is: `pending` passages have no vector yet, `waiting` documents are not in the lexical index;
    `job` is the one under way or next."""

    collection: Collection
    encoder: str
    pending: int
    waiting: int
    job: Job | None


class IndexService:
    """Answers at once; the work is done by jobs, whose handlers are `handlers`. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        encoders: EncoderPool,
        vectors: VectorStore,
        lexical: LexicalStore,
        settings: Settings,
        *,
        open_readers: Callable[[], AbstractContextManager[FileReader]] | None = None,
        follow_up: FollowUp | None = None,
        mend_topics: MendTopics | None = None,
    ) -> None:
        self._database, self._encoders, self._vectors, self._lexical = database, encoders, vectors, lexical
        self._settings, self._mend_topics = settings, mend_topics
        self._library = Library(settings.data_dir / "encoders")
        self._parts = Parts(
            database,
            encoders,
            vectors,
            lexical,
            settings.data_dir,
            open_readers or (lambda: Readers(settings.reader_memory_mb, settings.reader_seconds)),
            follow_up,
            StateStore(database, settings.data_dir) if settings.token_states else None,
        )

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of this room, by their kind."""
        return {
            "index": self._run_index,
            "compact": self._run_compact,
            bindings.REINDEX: self._run_reindex,
            STATES: self._run_states,
        }

    # ---------------------------------------------------------------- collections

    def ensure_collection(self, name: str, encoder: str | None = None) -> Collection:
        """The collection of this name, made where there is none with `encoder`, else the one of the settings.

        Nothing is written before the encoder was found: UnknownEncoder, ModelNotInstalled, BadWeights. IndexMismatch,
        naming both, where the collection was made with another encoder than the one asked for.
        """
        try:
            with self._database.read() as catalog:
                collection = catalog.collections.named(name)
        except UnknownCollection:
            return self._create(checked_name(name), encoder or self._settings.encoder)
        if encoder is not None:
            self._refuse_other_encoder(collection, encoder)
        return collection

    def _create(self, name: str, spec: str) -> Collection:
        encoder = self._encoders.load(spec)
        limit = encoder.info.max_tokens
        try:
            with self._database.write() as catalog:
                stored = register(catalog, encoder)
                settings = {"max_tokens": limit and min(limit, LONGEST), "overlap": OVERLAP, "splitter": stored.id}
                made = catalog.collections.create(name, stored.id, settings)
        except (AlreadyExists, IntegrityError):  # another process made it in the meantime
            return self.ensure_collection(name, spec)
        self._lexical.remove(made.id)  # what a catalog that was lost left under this number
        return made

    def _refuse_other_encoder(self, collection: Collection, spec: str) -> None:
        stored = stored_encoder(self._database, collection)
        if spec == stored.spec:
            return
        asked = self._encoders.load(spec)
        if asked.fingerprint() != stored.fingerprint:
            raise IndexMismatch(f"collection {collection.name!r}", stored.name, asked.info.name)

    def status(self, name: str) -> IndexStatus:
        """UnknownCollection where there is none of this name."""
        with self._database.read() as catalog:
            collection = catalog.collections.named(name)
            assert collection.encoder_id is not None
            return IndexStatus(
                collection=collection,
                encoder=catalog.encoders.get(collection.encoder_id).name,
                pending=catalog.vectors.pending_count(collection.id, collection.encoder_id),
                waiting=catalog.lexical.waiting(collection.id),
                job=jobs.unfinished(catalog, collection.id, "index"),
            )

    def remove(self, name: str) -> None:
        """The collection with all that was derived from it; the files it was made from stay."""
        with self._database.write() as catalog:
            collection = catalog.collections.named(name)
            catalog.collections.remove(collection.id)
        self._clear_away(collection.id)

    def _clear_away(self, collection_id: CollectionId) -> None:
        """Deletes what was derived of a collection that is gone."""
        self._vectors.forget(collection_id)
        self._lexical.remove(collection_id)
        for room in ("vectors", ROOM, "topics"):
            shutil.rmtree(self._settings.data_dir / room / str(collection_id), ignore_errors=True)

    @contextmanager
    def _cleared_when_removed(self, running: Running) -> Iterator[CollectionId]:
        """The job's collection. Where it is removed meanwhile, what the job still wrote of it is deleted at the end."""
        collection_id = running.job.collection_id
        assert collection_id is not None
        try:
            yield collection_id
        finally:
            with self._database.read() as catalog:
                removed = all(collection.id != collection_id for collection in catalog.collections.all())
            if removed:
                self._clear_away(collection_id)

    # ---------------------------------------------------------------- filling

    def add(
        self,
        name: str,
        paths: Iterable[str | Path],
        options: ReadOptions | None = None,
        encoder: str | None = None,
    ) -> JobId:
        """Queues a job that makes the collection say what the files at and below `paths` say now.

        MissingPath for a path that is not there, NothingToRead where no file is found, and what `ensure_collection`
        refuses: all before anything is written. A path that was added before is brought up to date, and its failed
        files are tried again.
        """
        named = [Path(path).expanduser() for path in paths]
        first = next(iter(walk(named)), None)
        if first is None:
            raise NothingToRead(named)
        roots = [path_key(SourceFile(path.resolve(), "", 0, 0)) for path in named]
        return self._enqueue_roots(self.ensure_collection(name, encoder), roots, options or ReadOptions())

    def add_sample(self, name: str, encoder: str | None = None) -> JobId:
        """Queues a job that fills the collection with the sample archive."""
        return self._enqueue_roots(self.ensure_collection(name, encoder), [SAMPLE], ReadOptions())

    def sync(self, name: str) -> JobId:
        """Queues a job that looks at every path again that was added: added, changed, renamed and removed files.

        A file of the same size and time is not read again. A folder that is not there keeps its documents and is named
        in the job's result.
        """
        with self._database.write() as catalog:
            collection = catalog.collections.named(name)
            roots = [root.id for root in catalog.collections.roots(collection.id)]
            return jobs.enqueue(catalog, "index", {"roots": roots}, collection.id)

    def compact(self, name: str) -> JobId:
        """Queues a job that folds all added and removed vectors into a new generation, and takes removed texts out of
        the statistics of BM25."""
        with self._database.write() as catalog:
            return jobs.enqueue(catalog, "compact", {}, catalog.collections.named(name).id)

    def make_states(self, name: str) -> JobId:
        """Queues a job that gives every embedded passage the token states that re-ranking compares."""
        with self._database.write() as catalog:
            return queue_states(catalog, catalog.collections.named(name).id)

    def _enqueue_roots(self, collection: Collection, paths: Sequence[str], options: ReadOptions) -> JobId:
        chosen = _chosen(options)
        with self._database.write() as catalog:
            before = {root.path: root.options for root in catalog.collections.roots(collection.id)}
            roots = [catalog.collections.add_root(collection.id, path, chosen) for path in dict.fromkeys(paths)]
            reread = [root.id for root in roots if before.get(root.path, chosen) != chosen]
            payload = {"roots": [root.id for root in roots], "retry": True, "reread": reread}
            return jobs.enqueue(catalog, "index", payload, collection.id)

    # ---------------------------------------------------------------- encoders

    def encoders(self, name: str) -> list[Binding]:
        """The encoders that the collection has vectors of, the active one first. UnknownCollection."""
        with self._database.read() as catalog:
            return bindings.bindings(catalog, catalog.collections.named(name))

    def reindex(self, name: str, spec: str, *, switch: bool = True) -> JobId:
        """Queues a job that embeds every passage with another encoder and then, unless `switch` is off, makes searches
        use it. One that was stopped goes on where it was when it is asked for again.

        Nothing is written before the encoder was found: UnknownEncoder, ModelNotInstalled, BadWeights. AlreadyExists
        where the collection is searched with it already; UnknownCollection.
        """
        with self._database.read() as catalog:
            catalog.collections.named(name)
        encoder = self._encoders.load(spec)
        with self._database.write() as catalog:
            jobs.hold_claims(catalog)
            collection = catalog.collections.named(name)
            stored = register(catalog, encoder)
            if stored.id == collection.encoder_id:
                raise AlreadyExists(f"collection {collection.name!r} is indexed with {stored.name!r} already")
            return bindings.queue(catalog, collection, stored, switch=switch)

    def switch(self, name: str, encoder: str) -> Switched:
        """Makes searches use another encoder that the collection has vectors of, named by its name, its spec or the
        beginning of its fingerprint: at once, or by a job where passages came since that have no vector of it.

        NoVectorsOf, naming those there are; Invalid for a name that several have; UnknownCollection.
        """
        with self._database.write() as catalog:
            jobs.hold_claims(catalog)  # first of all: what is read from here on stays true
            collection = catalog.collections.named(name)
            chosen = bindings.chosen(catalog, collection, self._names(encoder))
            return bindings.switch_or_queue(catalog, collection, chosen.encoder, self._parts.follow_up)

    def rollback(self, name: str) -> Switched:
        """Switches to the encoder that was active before the last switch; the same twice changes nothing.

        Conflict where there was no switch; NoVectorsOf where the vectors of the encoder before were dropped.
        """
        with self._database.write() as catalog:
            jobs.hold_claims(catalog)
            collection = catalog.collections.named(name)
            before = bindings.previous_encoder(catalog, collection)
            if before is None:
                raise Conflict(f"collection {collection.name!r} was never switched to another encoder")
            return bindings.switch_or_queue(catalog, collection, catalog.encoders.get(before), self._parts.follow_up)

    def forget_encoder(self, name: str, encoder: str) -> int:
        """Drops the vectors of an encoder that searches do not use, and answers with how many those were.

        Conflict for the active encoder or while a job of the collection runs; NoVectorsOf; UnknownCollection.
        """
        with self._database.write() as catalog:
            jobs.hold_claims(catalog)
            collection = catalog.collections.named(name)
            stored = bindings.chosen(catalog, collection, self._names(encoder)).encoder
            dropped = bindings.forget(catalog, collection, stored)
        self._vectors.forget(collection.id)
        for folder in (vectors_folder(collection.id, stored.id), states_folder(collection.id, stored.id)):
            shutil.rmtree(self._settings.data_dir / folder, ignore_errors=True)
        return dropped

    def _names(self, encoder: str) -> list[str]:
        """What may stand for the encoder: the words given, and what the library knows under that name."""
        spec = self._library.spec_of(encoder)
        return [encoder] if spec == encoder else [encoder, spec, self._library.get(encoder).card.fingerprint]

    # ---------------------------------------------------------------- checking

    def check(self, names: Sequence[str] | None = None, *, repair: bool = False) -> list[Problem]:
        """Where SQL, vectors, lexical indexes and topic models disagree, in the named collections or in all.

        [] when all is well. With `repair`, what is derived is made again; see `Problem.repaired`. UnknownCollection
        for a name that is not there.
        """
        with self._database.read() as catalog:
            if names is None:
                collections = catalog.collections.all()
            else:
                collections = [catalog.collections.named(name) for name in names]
        check = Check(
            self._database, self._vectors, self._lexical, self._settings.data_dir, lambda: self.handlers,
            self._mend_topics,
        )  # fmt: skip
        return check.run(collections, repair=repair, everything=names is None)

    # ---------------------------------------------------------------- jobs

    def _run_index(self, running: Running) -> Mapping[str, Any]:
        with self._cleared_when_removed(running):
            return IndexRun(self._parts, running).run()

    def _run_reindex(self, running: Running) -> Mapping[str, Any]:
        with self._cleared_when_removed(running) as collection_id:
            return ReindexRun(self._parts, running, collection_id).run()

    def _run_states(self, running: Running) -> Mapping[str, Any]:
        with self._cleared_when_removed(running) as collection_id:
            with self._database.read() as catalog:
                collection = catalog.collections.get(collection_id)
            stored = stored_encoder(self._database, collection)
            store = StateStore(self._database, self._settings.data_dir)
            return StatesRun(self._database, self._encoders, store, stored, collection_id).run(running)

    def _run_compact(self, running: Running) -> Mapping[str, Any]:
        running.progress("compact", 0, 0, "passages")
        with self._cleared_when_removed(running) as collection_id:
            with self._database.read() as catalog:
                collection = catalog.collections.get(collection_id)
            compaction = Compaction(self._database, self._vectors, self._settings.data_dir)
            stored = stored_encoder(self._database, collection)
            compact_states(self._parts, collection.id, stored)
            self._parts.lexical.compact(collection.id, force=True)
            return {"generation": compaction.run(collection.id, stored, force=True)}


def checked_name(name: str) -> str:
    """The name without blanks around it. Invalid for what cannot name a collection in a URL and a command."""
    stripped = name.strip()
    if not stripped or len(stripped) > _LONGEST_NAME or "/" in stripped or not stripped.isprintable():
        raise Invalid(
            f"{name!r} cannot name a collection: give 1 to {_LONGEST_NAME} printable characters without a slash"
        )
    return stripped


def _chosen(options: ReadOptions) -> dict[str, Any]:
    """The options that differ from the defaults: what is stored stays true when a default changes."""
    default = asdict(ReadOptions())
    return {key: value for key, value in asdict(options).items() if value != default[key]}
