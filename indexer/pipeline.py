"""The index job: files → documents and passages → lexical index → near-duplicates → vectors → generation.

Every stage asks the catalog what is left to do, so a job that was killed goes on where it was, and two runs in a row do
nothing twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer import duplicates
from indexer.compaction import Compaction
from indexer.embedding import Embedding
from indexer.intake import Counts, FileIntake, Prepared, Splitting, prepare
from indexer.languages import LanguagesSeen, counted, look
from indexer.readers.base import ReadOptions
from indexer.sample import sample_documents
from indexer.sandbox import FileReader
from indexer.scan import SAMPLE, Changes, Found, ToRead, compare, real_path
from indexer.sources import SourceFile, digest_of, walk
from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.collections import Root
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.files import KnownFile
from riparian.catalog.ids import in_chunks
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.failpoints import failpoint
from riparian.jobs import Cancelled, Running
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, CollectionId, DocumentId, EncoderId, Extracted, JobState, ReadFailure
from riparian.vectors.state_store import StateStore
from riparian.vectors.store import VectorStore

logger = logging.getLogger(__name__)

_LEXICAL_SECONDS = 2.0  # lexical search lags behind reading by about this much
_FILES_AT_ONCE = 200

FollowUp = Callable[[Catalog, CollectionId], None]
"""Queues what comes after indexing (topics), in the transaction that ends it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What indexing works with."""

    database: Database
    encoders: EncoderPool
    vectors: VectorStore
    lexical: LexicalStore
    data_dir: Path
    open_readers: Callable[[], AbstractContextManager[FileReader]]
    follow_up: FollowUp | None = None
    states: StateStore | None = None


@dataclass(slots=True)
class Totals:
    """What the job did, over all its runs: kept in its checkpoint."""

    counts: Counts = field(default_factory=Counts)
    renamed: int = 0
    removed: int = 0
    encoded: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    languages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    advice: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> Totals:
        if not checkpoint:
            return cls()
        return cls(**{**checkpoint, "counts": Counts(**checkpoint["counts"])})

    @property
    def changed(self) -> bool:
        return bool(self.counts.documents or self.counts.files or self.removed)


class IndexRun:
    """One run of an index job. `payload["roots"]` are the ids of the roots to look at; `retry` reads files again that
    failed before this job, `reread` roots whose options changed."""

    def __init__(self, parts: Parts, running: Running) -> None:
        self._parts, self._running, self._database = parts, running, parts.database
        self._totals = Totals.of(running.job.checkpoint)
        assert running.job.collection_id is not None
        with self._database.read() as catalog:
            self._collection = catalog.collections.get(running.job.collection_id)
            assert self._collection.encoder_id is not None
            self._stored = catalog.encoders.get(self._collection.encoder_id)
        self._caught_up = time.monotonic()

    def run(self) -> Mapping[str, Any]:
        try:
            missing = self._files_to_documents()
            self._group_duplicates()
            self._embed()
            self._compact()
        except Cancelled:
            self._parts.lexical.catch_up(self._id)  # what was acknowledged is found
            raise
        return self._report(missing)

    @property
    def _id(self) -> CollectionId:
        return self._collection.id

    # ---------------------------------------------------------------- files

    def _files_to_documents(self) -> list[str]:
        """Answers with the roots that are not there any more; their documents are kept."""
        with self._stage("scan"):
            self._running.progress("scan", 0, 0, "files")
            found, missing = self._roots()
            changes = self._scan(found)
            self._take_over(changes)
        with self._stage("read"):
            self._read(changes.to_read)
        with self._stage("lexical"):
            self._parts.lexical.catch_up(self._id)
        return missing

    def _roots(self) -> tuple[list[Found], list[str]]:
        wanted = set(self._running.job.payload.get("roots", ()))
        with self._database.read() as catalog:
            roots = [root for root in catalog.collections.roots(self._id) if root.id in wanted]
            known = catalog.files.known(self._id) if roots else {}
        there = [root for root in roots if root.path == SAMPLE or real_path(root.path).exists()]
        # a file that was added by name and is gone was removed; a folder may be a disk that is not mounted
        removed = [root for root in roots if root not in there and root.path in known]
        missing = [root.path for root in roots if root not in there and root not in removed]
        found = [Found(root, _files_of(root)) for root in there] + [Found(root, ()) for root in removed]
        return found, missing

    def _scan(self, found: list[Found]) -> Changes:
        payload, created = self._running.job.payload, self._running.job.created
        reread = set(payload.get("reread", ()))

        def read_again(file: KnownFile, root: Root) -> bool:
            if file.seen >= created:  # by an earlier run of this very job
                return False
            return root.id in reread or (bool(payload.get("retry")) and file.state == "failed")

        with self._database.read() as catalog:
            known = catalog.files.known(self._id)
        return compare(found, known, read_again=read_again, digest=_digest)

    def _take_over(self, changes: Changes) -> None:
        """Writes renamed, removed and touched files."""
        for renamed in in_chunks(changes.renamed, _FILES_AT_ONCE):
            with self._batch() as catalog:
                for move in renamed:
                    catalog.files.move(
                        move.known.id,
                        path=move.path,
                        source=move.path,
                        mtime_ns=move.file.mtime_ns,
                        root_id=move.root.id,
                    )
                self._totals.renamed += len(renamed)
        for removed in in_chunks(changes.removed, _FILES_AT_ONCE):
            with self._batch() as catalog:
                for file in removed:
                    catalog.documents.remove(list(catalog.documents.of_file(file.id).values()))
                    catalog.files.remove(file.id)
                self._totals.removed += len(removed)
        for touched in in_chunks(changes.touched, _FILES_AT_ONCE):
            with self._batch() as catalog:
                for file, mtime_ns in touched:
                    catalog.files.touch(file.id, mtime_ns)

    def _read(self, entries: list[ToRead]) -> None:
        if not entries:
            return
        before = self._totals.counts.files
        splitting, encoder = self._splitting()

        def ready(extracted: Extracted) -> Prepared:
            return prepare(extracted, splitting, encoder)

        def write(work: Callable[[Catalog], None]) -> None:
            with self._batch(lambda: ("read", self._totals.counts.files - before, len(entries), "files")) as catalog:
                work(catalog)
            if time.monotonic() - self._caught_up > _LEXICAL_SECONDS:
                self._parts.lexical.catch_up(self._id)
                self._caught_up = time.monotonic()

        with self._parts.open_readers() as reader:
            intake = FileIntake(write, self._id, _WithSample(reader), ready, self._totals.counts, _digest)
            intake.take(entries, lambda entry: ReadOptions(**entry.root.options))

    def _splitting(self) -> tuple[Splitting, Encoder]:
        settings = self._collection.settings
        with self._database.read() as catalog:
            stored = catalog.encoders.get(EncoderId(settings["splitter"]))
        return Splitting(settings["max_tokens"], settings["overlap"]), self._parts.encoders.of(stored)

    # ---------------------------------------------------------------- after the documents

    def _group_duplicates(self) -> None:
        if not self._totals.changed and self._last_job_was_done():
            return
        with self._stage("duplicates"):
            self._running.progress("duplicates", 0, 0, "documents")
            with self._database.read() as catalog:
                signatures = catalog.documents.signatures(self._id)
                documents, groups = catalog.documents.duplicate_groups(self._id)
            before = dict(zip(documents.tolist(), groups.tolist(), strict=True))
            now = duplicates.group({int(document): value for document, value in signatures.items()})
            changed = {
                DocumentId(document): now.get(document)
                for document in signatures
                if before.get(document) != now.get(document)
            }
            if changed:
                with self._batch() as catalog:
                    catalog.documents.set_duplicate_groups(self._id, changed)

    def _last_job_was_done(self) -> bool:
        with self._database.read() as catalog:
            earlier = jobs.listed(catalog, collection_id=self._id, before=self._running.job.id)
        return next((job.state is JobState.DONE for job in earlier if job.kind == self._running.job.kind), False)

    def _embed(self) -> None:
        with self._database.read() as catalog:
            total = catalog.vectors.pending_count(self._id, self._stored.id)
        if not total:
            return
        with self._stage("embed"):
            self._running.progress("embed", 0, total, "passages")
            done = 0

            def commit(catalog: Catalog, passages: int) -> None:
                nonlocal done
                done += passages
                self._checkpoint(catalog, "embed", done, max(total, done), "passages")

            encoder = self._parts.encoders.of(self._stored)
            self._tell_languages(look(self._database, self._id, encoder))
            states = self._parts.states
            work = Embedding(self._database, self._parts.vectors, self._id, self._stored, encoder, states)
            self._totals.encoded += work.run(commit)

    def _tell_languages(self, seen: LanguagesSeen) -> None:
        """Before the long part begins, so that a person can choose another encoder."""
        self._totals.languages, self._totals.advice = seen.languages, seen.advice
        with self._database.write() as catalog:
            self._checkpoint(catalog)

    def _compact(self) -> None:
        with self._stage("compact"):
            self._running.progress("compact", 0, 0, "passages")
            compaction = Compaction(self._database, self._parts.vectors, self._parts.data_dir)
            if compaction.run(self._id, self._stored) is None:
                compaction.clear_away(self._id, self._stored)  # what a killed run may have left
            compact_states(self._parts, self._id, self._stored)
            self._parts.lexical.compact(self._id)

    def _report(self, missing: list[str]) -> Mapping[str, Any]:
        with self._database.write() as catalog:
            collection = catalog.collections.get(self._id)
            seen = counted(catalog, self._id, self._stored) if not self._totals.languages else None
            result = {
                "documents": collection.documents,
                "passages": collection.passages,
                "failures": collection.failures,
                "pending": catalog.vectors.pending_count(self._id, self._stored.id),
                "missing": missing,
                "encoder": self._stored.name,
                **{key: value for key, value in asdict(self._totals).items() if key != "counts"},
                "read": asdict(self._totals.counts),
                **(asdict(seen) if seen else {}),
            }
            catalog.events.add(self._id, "indexed", result)
            if self._parts.follow_up is not None:
                self._parts.follow_up(catalog, self._id)
        return result

    # ---------------------------------------------------------------- records

    @contextmanager
    def _batch(self, progress: Callable[[], tuple[str, int, int, str]] | None = None) -> Iterator[Catalog]:
        """A transaction that changes the collection, with the job's checkpoint in it."""
        with self._database.write() as catalog:
            yield catalog
            catalog.collections.touch(self._id)
            if progress is None:
                self._checkpoint(catalog)
            else:
                self._checkpoint(catalog, *progress())
            failpoint("batch.before-commit")
        failpoint("batch.committed")

    def _checkpoint(
        self,
        catalog: Catalog,
        stage: str | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
    ) -> None:
        self._running.checkpoint(catalog, state=asdict(self._totals), stage=stage, done=done, total=total, unit=unit)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Adds the time that the block takes to the stage's seconds."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - started
            self._totals.seconds[name] = round(self._totals.seconds.get(name, 0.0) + spent, 3)


class _WithSample:
    """Reads the sample archive here, everything else by another reader."""

    def __init__(self, reader: FileReader) -> None:
        self._reader = reader

    def read(self, path: Path, options: ReadOptions) -> Iterator[Extracted | ReadFailure]:
        return sample_documents() if path == Path(SAMPLE) else self._reader.read(path, options)


def compact_states(parts: Parts, collection_id: CollectionId, stored: StoredEncoder) -> None:
    """Makes few parts of the token states of the passages that there are."""
    if parts.states is None:
        return
    with parts.database.read() as catalog:
        alive = catalog.vectors.embedded_ids(collection_id, stored.id)
    parts.states.compact(collection_id, stored, alive)


def _files_of(root: Root) -> Iterable[SourceFile]:
    if root.path == SAMPLE:
        return [SourceFile(Path(SAMPLE), SAMPLE, 0, 0)]
    return walk([real_path(root.path)])


def _digest(path: Path) -> str:
    return "" if path == Path(SAMPLE) else digest_of(path)


def stored_encoder(database: Database, collection: Collection) -> StoredEncoder:
    """The collection's active encoder."""
    assert collection.encoder_id is not None
    with database.read() as catalog:
        return catalog.encoders.get(collection.encoder_id)
