"""Folds the vectors that stand in SQL, and the removals, into the next generation."""

from __future__ import annotations

import logging
from pathlib import Path

from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.errors import Conflict
from riparian.failpoints import failpoint
from riparian.types import CollectionId
from riparian.vectors.generations import (
    blocks_of,
    folder_name,
    next_number,
    remove_strays,
    verify_generation,
    write_generation,
)
from riparian.vectors.store import Snapshot, VectorStore, vectors_folder

logger = logging.getLogger(__name__)

# Added rows are compared one by one in every search and read again when the collection changes.
MANY_ADDED = 2_000
MOST_ADDED = 50_000
ADDED_SHARE = 0.2
REMOVED_SHARE = 0.1


def is_due(snapshot: Snapshot) -> bool:
    """Whether enough was added (max(2,000 rows, a fifth of the base), at most 50,000) or removed (a tenth)."""
    added, hidden = snapshot.view.added, snapshot.view.hidden
    base = len(snapshot.view) - added + hidden
    most = min(max(MANY_ADDED, ADDED_SHARE * base), MOST_ADDED)
    return added > most or (hidden > 0 and hidden >= REMOVED_SHARE * base)


class Compaction:
    """Writes generations of the vectors of one data folder."""

    def __init__(self, database: Database, store: VectorStore, data_dir: Path) -> None:
        self._database, self._store, self._data_dir = database, store, data_dir

    def run(self, collection_id: CollectionId, encoder: StoredEncoder, *, force: bool = False) -> int | None:
        """Publishes a generation of every alive row and answers with its number; None when none is due.

        Conflict when another process published one meanwhile; nothing is changed then.
        """
        snapshot = self._store.snapshot(collection_id, encoder, wait=True)
        if not (is_due(snapshot) or (force and (snapshot.view.added or snapshot.view.hidden))):
            return None
        parent = self._data_dir / vectors_folder(collection_id, encoder.id)
        number = self._write(parent, collection_id, encoder, snapshot)
        self._publish(collection_id, encoder, snapshot, number)
        failpoint("compaction.published")
        self.clear_away(collection_id, encoder)
        return number

    def _write(self, parent: Path, collection_id: CollectionId, encoder: StoredEncoder, snapshot: Snapshot) -> int:
        with self._database.read() as catalog:
            number = next_number(parent, catalog.vectors.next_number(collection_id, encoder.id))
        folder = write_generation(
            parent,
            number,
            snapshot.view.ids,
            blocks_of(snapshot.view),
            encoder=encoder.fingerprint,
            encoder_name=encoder.name,
            dimension=encoder.dimension,
            covers=snapshot.upto,
        )
        verify_generation(folder)  # the vectors leave SQL next: what was written must be readable
        return number

    def _publish(self, collection_id: CollectionId, encoder: StoredEncoder, snapshot: Snapshot, number: int) -> None:
        with self._database.write() as catalog:
            active = catalog.vectors.active(collection_id, encoder.id)
            if (active.number if active else None) != snapshot.generation:
                raise Conflict(f"the vectors of collection {collection_id} were compacted by another process meanwhile")
            catalog.vectors.publish(
                collection_id,
                encoder.id,
                number=number,
                folder=f"{vectors_folder(collection_id, encoder.id)}/{folder_name(number)}",
                rows=len(snapshot.view),
                tombstone=snapshot.tombstone,
                delta_upto=snapshot.upto,
            )
            catalog.collections.touch(collection_id)
        logger.info("published generation %d of collection %s: %d rows", number, collection_id, len(snapshot.view))

    def clear_away(self, collection_id: CollectionId, encoder: StoredEncoder) -> list[str]:
        """Deletes the folders that no generation in use names; those who read them keep what they have mapped."""
        with self._database.read() as catalog:
            live = {Path(folder).name for folder in catalog.vectors.live_folders(collection_id, encoder.id)}
        return remove_strays(self._data_dir / vectors_folder(collection_id, encoder.id), live)
