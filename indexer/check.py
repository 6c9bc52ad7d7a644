"""Proves that SQL, vectors, lexical indexes and topic models agree, and makes what is derived again where not."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from indexer import bindings
from indexer.compaction import Compaction
from indexer.inputs import key_of, text_digest
from indexer.token_states import StatesInspection, queue_states
from riparian import jobs, manifests
from riparian.catalog.documents import Written
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.vectors import Generation
from riparian.errors import DamagedIndex, IndexMismatch, NotIndexedYet, RiparianError
from riparian.inputs import encoder_input
from riparian.jobs import Handler
from riparian.lexical.index import LexicalIndex
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, CollectionId, EncoderId, FileId, Ids, JobState, Problem
from riparian.vectors.generations import open_generation, verify_generation
from riparian.vectors.store import Unsound, VectorStore, assemble, read_rows, vectors_folder
from riparian.vectors.token_states import ROOM as STATES

logger = logging.getLogger(__name__)

_DOCUMENTS_AT_ONCE = 200
_NAMED = 3  # examples in a message

Part = Literal["sql", "vectors", "lexical", "topics", "files"]
_ROOMS: Mapping[str, Part] = {"vectors": "vectors", STATES: "vectors", "lexical": "lexical", "topics": "topics"}
"""Folders of the data."""

MendTopics = Callable[[CollectionId], None]
"""Fits a collection's topics again whose files are damaged."""


@dataclass(frozen=True, slots=True)
class Check:
    """Looks at everything without changing anything, unless `repair` is asked for."""

    database: Database
    vectors: VectorStore
    lexical: LexicalStore
    data_dir: Path
    handlers: Callable[[], Mapping[str, Handler]]
    mend_topics: MendTopics | None = None

    def run(self, collections: Sequence[Collection], *, repair: bool = False, everything: bool = True) -> list[Problem]:
        """What does not agree, in the given collections and, with `everything`, around them.

        With `repair`, what was found is made again from what is sound and looked at once more: `repaired` says of each
        problem whether it is gone, and problems that came up on the way are added.
        """
        found = self._find(collections, everything)
        if not repair or not found:
            return found
        for collection in collections:
            if any(problem.collection == collection.name for problem in found):
                _Repair(self, collection).run()
        if everything:
            self._remove_orphans()
        left = self._find(collections, everything)
        return [replace(problem, repaired=problem not in left) for problem in found] + [
            problem for problem in left if problem not in found
        ]

    def _find(self, collections: Sequence[Collection], everything: bool) -> list[Problem]:
        found = [problem for collection in collections for problem in _Inspection(self, collection).problems()]
        if everything:
            found.extend(self._around())
        return found

    def _around(self) -> Iterator[Problem]:
        for fault in self.database.faults():
            yield Problem("", "sql", f"the database file is damaged: {fault}")
        for folder in self._orphans():
            yield Problem("", _ROOMS[folder.parent.name], f"{folder} belongs to no collection")

    def _orphans(self) -> list[Path]:
        with self.database.read() as catalog:
            known = {str(collection.id) for collection in catalog.collections.all()}
        rooms = [self.data_dir / room for room in _ROOMS]
        return [f for room in rooms if room.is_dir() for f in sorted(room.iterdir()) if f.name not in known]

    def _remove_orphans(self) -> None:
        for folder in self._orphans():
            _remove(folder)


class _Inspection:
    """Looks at one collection."""

    def __init__(self, check: Check, collection: Collection) -> None:
        self._check, self._database, self._collection = check, check.database, collection
        self.states = StatesInspection(check.database, check.data_dir, collection.id)

    def problems(self) -> Iterator[Problem]:
        yield from (self._problem("sql", detail) for detail, _ in self.documents())
        yield from self._files()
        for encoder in self.encoders():
            yield from (self._problem("vectors", detail) for detail in self._vectors(encoder))
        yield from (self._problem("vectors", f"{f} is used by nothing") for f in self.left_over())
        yield from (self._problem("vectors", detail) for detail in self.states.problems())
        yield from (self._problem("lexical", detail) for detail in self.lexical())
        yield from (self._problem("topics", detail) for detail in self.topics())

    def _problem(self, part: Part, detail: str) -> Problem:
        return Problem(self._collection.name, part, detail)

    # ---------------------------------------------------------------- SQL

    def documents(self) -> Iterator[tuple[str, FileId | None]]:
        """What is wrong with a document, and the file to be read again for it."""
        after = 0
        while True:
            with self._database.read() as catalog:
                ids = catalog.documents.ids_after(self._collection.id, after, _DOCUMENTS_AT_ONCE)
                written = catalog.documents.written(ids)
            if not ids:
                return
            after = ids[-1]
            for document in written:
                fault = _fault(document)
                if fault:
                    yield f"document {document.id} ({document.source}): {fault}", document.file_id

    def _files(self) -> Iterator[Problem]:
        with self._database.read() as catalog:
            partly = catalog.files.count(self._collection.id, "reading")
        if partly:
            yield self._problem("files", f"{partly} files were read in part only; a sync reads them again")

    # ---------------------------------------------------------------- vectors

    def encoders(self) -> list[StoredEncoder]:
        """The active encoder, and every other that there are vectors of."""
        with self._database.read() as catalog:
            ids = dict.fromkeys(catalog.vectors.encoders(self._collection.id))
            if self._collection.encoder_id is not None:
                ids[self._collection.encoder_id] = None
            return [catalog.encoders.get(found) for found in ids]

    def _vectors(self, encoder: StoredEncoder) -> Iterator[str]:
        with self._database.read() as catalog:
            pending = catalog.vectors.pending_count(self._collection.id, encoder.id)
            misshapen = catalog.vectors.misshapen(self._collection.id, encoder.id, encoder.dimension)
            active = catalog.vectors.active(self._collection.id, encoder.id)
            previous = catalog.vectors.previous(self._collection.id, encoder.id)
        if pending and encoder.id == self._collection.encoder_id:
            yield f"{pending} passages have no vector of {encoder.name} yet"
        if len(misshapen):
            yield f"{len(misshapen)} vectors of {encoder.name} are not {encoder.dimension} numbers"
        faults = [f for generation in (active, previous) if generation for f in self.generation(generation, encoder)]
        yield from faults
        if not faults and not len(misshapen):
            yield from self._ids(encoder)
        yield from self._strays(encoder)

    def generation(self, generation: Generation, encoder: StoredEncoder) -> Iterator[str]:
        try:
            manifest = verify_generation(self._check.data_dir / generation.folder)
        except DamagedIndex as error:
            yield str(error)
            return
        if manifest.encoder != encoder.fingerprint:
            yield str(IndexMismatch(generation.folder, encoder.name, manifest.encoder_name))
        if manifest.rows != generation.rows:
            yield f"{generation.folder} holds {manifest.rows} vectors, the catalog says {generation.rows}"

    def _ids(self, encoder: StoredEncoder) -> Iterator[str]:
        missing, unknown = self.differences(encoder)
        if len(missing):
            yield f"{len(missing)} passages are marked as embedded but have no vector: {_some(missing)}"
        if len(unknown):
            yield f"{len(unknown)} vectors belong to no embedded passage: {_some(unknown)}"

    def differences(self, encoder: StoredEncoder) -> tuple[Ids, Ids]:
        """Passages that are marked as embedded without a vector, and vectors without such a passage."""
        with self._database.read() as catalog:
            rows = read_rows(catalog, self._collection.id, encoder)
            embedded = catalog.vectors.embedded_ids(self._collection.id, encoder.id)
        folder = rows.generation and self._check.data_dir / rows.generation.folder
        held = assemble(rows, open_generation(folder, encoder.fingerprint) if folder else None).view.ids
        return np.setdiff1d(embedded, held), np.setdiff1d(held, embedded)

    def _strays(self, encoder: StoredEncoder) -> Iterator[str]:
        parent = self._check.data_dir / vectors_folder(self._collection.id, encoder.id)
        with self._database.read() as catalog:
            live = {Path(f).name for f in catalog.vectors.live_folders(self._collection.id, encoder.id)}
            working = jobs.is_running(catalog, self._collection.id)
        if parent.is_dir() and not working:  # a job may be writing one just now
            yield from (f"{f} is used by nothing" for f in sorted(parent.iterdir()) if f.name not in live)

    def left_over(self) -> list[Path]:
        """Folders of encoders that the collection has no vectors of (any more)."""
        parent = (self._check.data_dir / vectors_folder(self._collection.id, EncoderId(0))).parent
        known = {str(encoder.id) for encoder in self.encoders()}
        with self._database.read() as catalog:
            working = jobs.is_running(catalog, self._collection.id)
        if working or not parent.is_dir():
            return []
        return [folder for folder in sorted(parent.iterdir()) if folder.name not in known]

    # ---------------------------------------------------------------- lexical, topics

    def lexical(self) -> Iterator[str]:
        with self._database.read() as catalog:
            waiting = catalog.lexical.waiting(self._collection.id)
            documents = catalog.documents.ids(self._collection.id)
            passages = catalog.passages.ids(self._collection.id)
        if waiting:
            yield f"{waiting} changes are not in the lexical index yet"
        try:
            index = LexicalIndex.open(self._check.lexical.folder(self._collection.id), create=False)
        except NotIndexedYet:
            if len(documents):
                yield "the lexical index is missing"
        except DamagedIndex as error:
            yield str(error)
        else:
            if not waiting:
                yield from _differences("documents", documents, index.document_ids())
                yield from _differences("passages", passages, index.passage_ids())

    def topics(self) -> Iterator[str]:
        with self._database.read() as catalog:
            folders = [catalog.topics.folder(model.id) for model in catalog.topics.models(self._collection.id)]
        for folder in folders:
            try:
                manifests.verify(self._check.data_dir / folder)
            except DamagedIndex as error:
                yield f"topic model: {error}"


class _Repair:
    """Makes again what is derived of one collection."""

    def __init__(self, check: Check, collection: Collection) -> None:
        self._check, self._database, self._collection = check, check.database, collection
        self._inspection = _Inspection(check, collection)

    def run(self) -> None:
        self._read_damaged_documents_again()
        lost = [encoder for encoder in self._inspection.encoders() if self._mend_vectors(encoder)]
        if any(True for _ in self._inspection.lexical()):
            self._mend_lexical()
        self._index()
        for encoder in lost:
            self._embed_again(encoder)
        self._inspection.states.give_up_damage()
        self._mend_states()
        compaction = Compaction(self._database, self._check.vectors, self._check.data_dir)
        for encoder in self._inspection.encoders():
            compaction.run(self._collection.id, encoder)
            compaction.clear_away(self._collection.id, encoder)
        for folder in self._inspection.left_over():
            _remove(folder)
        if self._check.mend_topics is not None and any(True for _ in self._inspection.topics()):
            self._check.mend_topics(self._collection.id)

    def _read_damaged_documents_again(self) -> None:
        files = {file for _, file in self._inspection.documents() if file is not None}
        with self._database.write() as catalog:
            catalog.files.read_again(sorted(files))

    def _mend_vectors(self, encoder: StoredEncoder) -> bool:
        """Makes what is damaged pending; answers with whether an encoder that searches do not use lost vectors."""
        before = self._embedded(encoder)
        self._give_up_damage(encoder)
        return encoder.id != self._collection.encoder_id and self._embedded(encoder) < before

    def _embedded(self, encoder: StoredEncoder) -> int:
        with self._database.read() as catalog:
            return catalog.vectors.count(self._collection.id, encoder.id)

    def _give_up_damage(self, encoder: StoredEncoder) -> None:
        with self._database.write() as catalog:
            misshapen = catalog.vectors.misshapen(self._collection.id, encoder.id, encoder.dimension)
            catalog.vectors.forget(self._collection.id, encoder.id, misshapen)
            catalog.collections.touch(self._collection.id)
            previous = catalog.vectors.previous(self._collection.id, encoder.id)
        if previous is not None and any(True for _ in self._inspection.generation(previous, encoder)):
            with self._database.write() as catalog:
                catalog.vectors.give_up_fallback(previous)
        self._fall_back(encoder)
        missing, unknown = self._inspection.differences(encoder)
        with self._database.write() as catalog:
            catalog.vectors.forget(self._collection.id, encoder.id, missing)
            catalog.vectors.bury(self._collection.id, unknown)
            catalog.collections.touch(self._collection.id)
        self._check.vectors.forget(self._collection.id)

    def _fall_back(self, encoder: StoredEncoder) -> None:
        self._check.vectors.forget(self._collection.id)  # what is in memory was verified before the damage
        try:
            self._check.vectors.snapshot(self._collection.id, encoder, wait=True)
        except Unsound:  # nothing sound is left: all is pending now
            self._check.vectors.snapshot(self._collection.id, encoder, wait=True)

    def _mend_lexical(self) -> None:
        with suppress(DamagedIndex):  # it is found again below
            self._check.lexical.catch_up(self._collection.id)
        if any(True for _ in self._inspection.lexical()):
            self._check.lexical.rebuild(self._collection.id)

    def _index(self) -> None:
        """Reads and embeds what is left to do; does nothing while another job of the collection runs."""
        with self._database.write() as catalog:
            waiting = jobs.unfinished(catalog, self._collection.id, "index")
            roots = [root.id for root in catalog.collections.roots(self._collection.id)]
            partly = catalog.files.count(self._collection.id, "reading")
            payload = {"roots": roots if partly else []}
            job = waiting.id if waiting else jobs.enqueue(catalog, "index", payload, self._collection.id)
        done = jobs.run_one(self._database, self._check.handlers(), only=job)
        if done is not None and done.state is not JobState.DONE:
            raise RiparianError(f"collection {self._collection.name!r} could not be repaired: {done.message}")

    def _mend_states(self) -> None:
        """Makes the token states again that passages of the active encoder lack. What cannot be loaded is left."""
        if not self._inspection.states.lacking(self._collection.encoder_id):
            return
        with self._database.write() as catalog:
            job = queue_states(catalog, self._collection.id)
        done = jobs.run_one(self._database, self._check.handlers(), only=job)
        if done is not None and done.state is not JobState.DONE:
            logger.error("token states are not made again: %s", done.message)

    def _embed_again(self, encoder: StoredEncoder) -> None:
        """What an encoder lost that a switch may go back to. Where it cannot be loaded any more, this is left to the
        switch, and the failed job says why."""
        with self._database.write() as catalog:
            job = bindings.queue(catalog, self._collection, encoder, switch=False)
        done = jobs.run_one(self._database, self._check.handlers(), only=job)
        if done is not None and done.state is not JobState.DONE:
            logger.error("the vectors of %s are not made again: %s", encoder.name, done.message)


def _fault(document: Written) -> str:
    """ "" for a document that agrees with itself."""
    length = len(document.text)
    edges = [(passage.start, passage.end) for passage in document.passages]
    if document.length != length or document.digest != text_digest(document.text):
        return "its text is not the one that was written"
    if length and (not edges or edges[0][0] != 0 or edges[-1][1] != length):
        return "its passages do not reach from its beginning to its end"
    if any(after[0] > before[1] or after[1] < before[1] for before, after in pairwise(edges)):
        return "its passages leave something out"
    if any(p.key != key_of(encoder_input(document.title, document.text[p.start : p.end])) for p in document.passages):
        return "a passage's key is not that of its text"
    return ""


def _differences(what: str, expected: Ids, found: Ids) -> Iterator[str]:
    missing, unknown = np.setdiff1d(expected, found), np.setdiff1d(found, expected)
    if len(missing):
        yield f"{len(missing)} {what} are not in the lexical index: {_some(missing)}"
    if len(unknown):
        yield f"the lexical index holds {len(unknown)} {what} that are gone: {_some(unknown)}"
    if len(np.unique(found)) != len(found):
        yield f"the lexical index holds {what} twice"


def _remove(path: Path) -> None:
    """A folder with all that is in it, or a file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _some(ids: Iterable[int]) -> str:
    listed = [str(int(found)) for found in ids]
    return ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")
