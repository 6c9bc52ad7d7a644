"""The vectors of every collection as a search sees them, held in memory and renewed when the collection changes."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.vectors import Delta, Generation
from riparian.errors import DamagedIndex, IndexMismatch, UnknownCollection
from riparian.types import CollectionId, EncoderId, Ids, Matrix
from riparian.vectors.base import VectorIndex
from riparian.vectors.flat import FlatIndex
from riparian.vectors.generations import open_generation, verify_generation
from riparian.vectors.view import View

logger = logging.getLogger(__name__)

Unsound = (DamagedIndex, IndexMismatch)
"""What makes a generation unusable: changed bytes, or rows of another encoder."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a collection's vectors: what was true at `revision`.

    `generation` is the number of the folder underneath, None before the first compaction; `upto` is the highest vector
    row and `tombstone` the last removal that the view accounts for.
    """

    view: View
    generation: int | None
    revision: int
    upto: int
    tombstone: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What one read of the catalog says of a collection's vectors."""

    revision: int
    generation: Generation | None
    delta: Delta
    removed: Ids
    tombstone: int


@dataclass(frozen=True, slots=True)
class _Held:
    rows: Rows
    base: VectorIndex | None
    snapshot: Snapshot


_Key = tuple[CollectionId, EncoderId]


def vectors_folder(collection_id: CollectionId, encoder_id: EncoderId) -> str:
    """Where the generations of a collection and encoder lie, below the data folder."""
    return f"vectors/{collection_id}/{encoder_id}"


class VectorStore:
    """Safe to share between threads. Generations are verified before they are loaded.

    A damaged generation is given up for the one before it; passages whose vectors are lost become pending, and where
    searches use the encoder an `index` job that makes them again is queued. DamagedIndex or IndexMismatch, once, when
    nothing sound is left.
    """

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database, self._data_dir = database, data_dir
        self._held: dict[_Key, _Held] = {}
        self._locks: dict[_Key, threading.Lock] = {}
        self._searched: dict[CollectionId, EncoderId] = {}  # whose vectors searches asked for last
        self._left: dict[CollectionId, tuple[EncoderId, int]] = {}  # … and before that, up to which revision
        self._lock = threading.Lock()

    def snapshot(self, collection_id: CollectionId, encoder: StoredEncoder, *, wait: bool = False) -> Snapshot:
        """The vectors as of the collection's latest revision; an empty view when there are none.

        Searches ask without `wait`: while another thread renews the vectors, the state before is served.
        """
        held = self._held.get((collection_id, encoder.id))
        revision = self._revision(collection_id)
        if held is None or held.snapshot.revision != revision:
            # what is held since searches used this encoder the last time may be of any age
            wait_here = wait or held is None or self._searched.get(collection_id) != encoder.id
            held = self._renewed(collection_id, encoder, held, wait=wait_here)
        if not wait:
            self._note_search(collection_id, encoder.id, held.snapshot.revision)
        return held.snapshot

    def _renewed(self, collection_id: CollectionId, encoder: StoredEncoder, held: _Held | None, *, wait: bool) -> _Held:
        lock = self._lock_of((collection_id, encoder.id))
        if not lock.acquire(blocking=wait):
            assert held is not None
            return held
        try:
            return self._renew(collection_id, encoder)
        finally:
            lock.release()

    def _note_search(self, collection_id: CollectionId, encoder_id: EncoderId, revision: int) -> None:
        """After a switch the vectors of the encoder before are held until the collection changes once more: searches
        that had begun may still ask for them."""
        with self._lock:
            last = self._searched.get(collection_id)
            self._searched[collection_id] = encoder_id
            if last is not None and last != encoder_id:
                self._left[collection_id] = last, revision
                return
            before, left_at = self._left.get(collection_id, (encoder_id, revision))
            if left_at != revision:
                del self._left[collection_id]
                self._held.pop((collection_id, before), None)

    def vectors(self, collection_id: CollectionId, encoder: StoredEncoder) -> tuple[Ids, Matrix]:
        """Every embedded passage, ids ascending, with its row."""
        view = self.snapshot(collection_id, encoder, wait=True).view
        return view.ids, view.vectors(view.ids)

    def forget(self, collection_id: CollectionId) -> None:
        """Drops what is held of a collection, e.g. since it was removed."""
        with self._lock:
            for key in [key for key in self._held if key[0] == collection_id]:
                del self._held[key]

    def _revision(self, collection_id: CollectionId) -> int:
        try:
            with self._database.read() as catalog:
                return catalog.collections.revision(collection_id)
        except UnknownCollection:
            self.forget(collection_id)
            raise

    def _lock_of(self, key: _Key) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    # ---------------------------------------------------------------- renewing

    def _renew(self, collection_id: CollectionId, encoder: StoredEncoder) -> _Held:
        key = (collection_id, encoder.id)
        while True:
            held = self._held.get(key)
            with self._database.read() as catalog:
                rows = read_rows(catalog, collection_id, encoder, held.rows if held else None)
            try:
                base = self._base(rows.generation, encoder, held)
            except Unsound as error:
                self._give_up(rows.generation, encoder, error)
                continue
            renewed = _Held(rows, base, assemble(rows, base))
            self._held[key] = renewed
            return renewed

    def _base(self, generation: Generation | None, encoder: StoredEncoder, held: _Held | None) -> VectorIndex | None:
        if generation is None:
            return None
        if held is not None and held.rows.generation is not None and held.rows.generation.id == generation.id:
            return held.base
        index = open_generation(self._data_dir / generation.folder, encoder.fingerprint)
        if len(index.ids) != generation.rows:
            raise DamagedIndex(self._data_dir / generation.folder, f"{generation.rows} rows", f"{len(index.ids)} rows")
        return index

    # ---------------------------------------------------------------- damage

    def _give_up(self, damaged: Generation | None, encoder: StoredEncoder, error: DamagedIndex | IndexMismatch) -> None:
        """Makes the generation before the active one, or none; raises `error` in the latter case.

        Returns without a change when the generation is no longer the active one: its folder may be gone rightly.
        """
        assert damaged is not None
        logger.error("generation %s is not sound: %s", damaged.folder, error)
        with self._database.read() as catalog:
            previous = catalog.vectors.previous(damaged.collection_id, encoder.id)
        sound = previous if previous is not None and self._is_sound(previous, encoder) else None
        with self._database.write() as catalog:
            active = catalog.vectors.active(damaged.collection_id, encoder.id)
            if active is None or active.id != damaged.id:
                return
            lost = catalog.vectors.fall_back(damaged, sound)
            catalog.collections.touch(damaged.collection_id)
            catalog.events.add(
                damaged.collection_id,
                "generation-damaged",
                {"folder": damaged.folder, "error": str(error), "fallback": sound and sound.folder, "lost": lost},
            )
            searched = catalog.collections.get(damaged.collection_id).encoder_id == encoder.id
            # an encoder that searches do not use gets its vectors when a switch or a repair asks for them
            if searched and jobs.unfinished(catalog, damaged.collection_id, "index") is None:
                jobs.enqueue(catalog, "index", {"roots": []}, damaged.collection_id)
        logger.warning("fell back to %s; %d passages are to be embedded again", sound and sound.folder, lost)
        if sound is None:
            raise error

    def _is_sound(self, generation: Generation, encoder: StoredEncoder) -> bool:
        try:
            manifest = verify_generation(self._data_dir / generation.folder)
        except DamagedIndex as error:
            logger.error("its fallback %s is not sound either: %s", generation.folder, error)
            return False
        return manifest.encoder == encoder.fingerprint and manifest.rows == generation.rows


# -------------------------------------------------------------------------------------------- reading the catalog


def read_rows(
    catalog: Catalog, collection_id: CollectionId, encoder: StoredEncoder, before: Rows | None = None
) -> Rows:
    """The rows as they are now; what `before` has of them already is not read again."""
    generation = catalog.vectors.active(collection_id, encoder.id)
    if before is not None and _number(before.generation) == _number(generation):
        rows = _read_changes(catalog, collection_id, encoder, before)
        # vectors that were taken back leave no trace that could be read as a change
        if len(rows.delta.ids) == catalog.vectors.delta_count(collection_id, encoder.id):
            return rows
    return Rows(
        revision=catalog.collections.revision(collection_id),
        generation=generation,
        delta=catalog.vectors.delta(collection_id, encoder.id, encoder.dimension),
        removed=catalog.vectors.removed_since(collection_id, generation.tombstone if generation else 0),
        tombstone=max(generation.tombstone if generation else 0, catalog.vectors.last_tombstone(collection_id)),
    )


def _read_changes(catalog: Catalog, collection_id: CollectionId, encoder: StoredEncoder, before: Rows) -> Rows:
    removed = catalog.vectors.removed_since(collection_id, before.tombstone)
    added = catalog.vectors.delta(collection_id, encoder.id, encoder.dimension, after=before.delta.upto)
    return Rows(
        revision=catalog.collections.revision(collection_id),
        generation=before.generation,
        delta=_merged(before.delta, added, removed),
        removed=np.union1d(before.removed, removed),
        tombstone=max(before.tombstone, catalog.vectors.last_tombstone(collection_id)),
    )


def _merged(before: Delta, added: Delta, removed: Ids) -> Delta:
    if not len(added.ids) and not len(removed):
        return before
    kept = ~np.isin(before.ids, np.concatenate((removed, added.ids)))
    ids = np.concatenate((before.ids[kept], added.ids))
    order = np.argsort(ids, kind="stable")
    return Delta(ids[order], np.concatenate((before.matrix[kept], added.matrix))[order], added.upto)


def _number(generation: Generation | None) -> int | None:
    return generation.number if generation is not None else None


def assemble(rows: Rows, base: VectorIndex | None) -> Snapshot:
    """The view of these rows over the opened generation."""
    view = View(base, FlatIndex(rows.delta.ids, rows.delta.matrix), rows.removed)
    return Snapshot(view, _number(rows.generation), rows.revision, rows.delta.upto, rows.tombstone)
