"""The token states of every collection as a search sees them, and how they come to be, part by part.

States belong to a passage and an encoder. They are published in the transaction that gives the passage its vector, so
that a job that is killed leaves neither without the other; what a kill leaves on the disk is named by nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.relevance import StatePart
from riparian.errors import DamagedIndex
from riparian.failpoints import failpoint
from riparian.types import CollectionId, EncoderId, Ids, Matrix, PassageId
from riparian.vectors.token_states import (
    Part,
    Rows,
    TokenStates,
    Written,
    next_number,
    open_part,
    remove_strays,
    states_folder,
    write_part,
)

logger = logging.getLogger(__name__)

REMOVED_SHARE = 0.2
"""Of the passages of the parts: from so many removed ones on everything is written anew."""

_LARGER = 2  # a part is rewritten once the younger ones together have half of its rows


@dataclass(frozen=True, slots=True)
class Draft:
    """States on the disk that no catalog names yet."""

    collection_id: CollectionId
    encoder_id: EncoderId
    number: int
    folder: str
    written: Written

    def publish(self, catalog: Catalog, replaces: Sequence[StatePart] = ()) -> None:
        """In the caller's transaction."""
        catalog.state_parts.publish(
            self.collection_id,
            self.encoder_id,
            number=self.number,
            folder=self.folder,
            passages=self.written.passages,
            rows=self.written.rows,
            size=self.written.bytes,
            replaces=replaces,
        )


class StateStore:
    """Safe to share between threads. A part that is damaged is left out: its passages are ranked without states."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database, self._data_dir = database, data_dir
        self._opened: dict[str, Part] = {}
        self._lock = threading.Lock()

    def snapshot(self, collection_id: CollectionId, encoder: StoredEncoder) -> TokenStates:
        """The states as the catalog names them now."""
        while True:
            with self._database.read() as catalog:
                live = catalog.state_parts.live(collection_id, encoder.id)
            try:
                return TokenStates([part for one in live if (part := self._part(one, encoder)) is not None])
            except FileNotFoundError:  # replaced between the two looks
                continue

    def _part(self, one: StatePart, encoder: StoredEncoder) -> Part | None:
        with self._lock:
            found = self._opened.get(one.folder)
        if found is None:
            found = self._open(one, encoder)
        if found is not None:
            with self._lock:
                self._opened[one.folder] = found
        return found

    def _open(self, one: StatePart, encoder: StoredEncoder) -> Part | None:
        folder = self._data_dir / one.folder
        try:
            return open_part(folder, encoder.fingerprint)
        except DamagedIndex as error:
            if not folder.exists() and not self._is_live(one):
                raise FileNotFoundError(folder) from error
            logger.error("token states cannot be used: %s", error)
            return None

    def _is_live(self, one: StatePart) -> bool:
        with self._database.read() as catalog:
            return catalog.state_parts.is_live(one.id)

    def forget(self, collection_id: CollectionId) -> None:
        """Drops what is held of a collection."""
        with self._lock:
            prefix = f"{states_folder(collection_id, EncoderId(0)).rsplit('/', 1)[0]}/"
            for folder in [folder for folder in self._opened if folder.startswith(prefix)]:
                del self._opened[folder]

    # ---------------------------------------------------------------- writing

    def draft(
        self, collection_id: CollectionId, encoder: StoredEncoder, states: Mapping[PassageId, Rows], basis: Matrix
    ) -> Draft:
        """Writes the states of passages, for `Draft.publish`."""
        ordered = ((int(passage), states[passage]) for passage in sorted(states))
        return self._draft(collection_id, encoder, ordered, basis)

    def _draft(
        self, collection_id: CollectionId, encoder: StoredEncoder, states: Iterator[tuple[int, Rows]], basis: Matrix
    ) -> Draft:
        room = states_folder(collection_id, encoder.id)
        with self._database.read() as catalog:
            number = next_number(self._data_dir / room, catalog.state_parts.next_number(collection_id, encoder.id))
        written = write_part(self._data_dir / room, number, states, basis, encoder=encoder.fingerprint)
        return Draft(collection_id, encoder.id, number, f"{room}/{written.folder.name}", written)

    # ---------------------------------------------------------------- compaction

    def compact(self, collection_id: CollectionId, encoder: StoredEncoder, alive: Ids) -> bool:
        """Makes one part of the young ones, or of all where many of their passages are gone; answers with whether it
        did. `alive` = the passages that there are, ascending. Clears away what no part names."""
        with self._database.read() as catalog:
            live = catalog.state_parts.live(collection_id, encoder.id)
        chosen = _to_merge(live, self.snapshot(collection_id, encoder), alive)
        if chosen:
            self._merge(collection_id, encoder, chosen, alive)
        self.clear_away(collection_id, encoder.id)
        return bool(chosen)

    def _merge(
        self, collection_id: CollectionId, encoder: StoredEncoder, chosen: Sequence[StatePart], alive: Ids
    ) -> None:
        opened = [part for one in chosen if (part := self._part(one, encoder)) is not None]
        if len(opened) < len(chosen) or any(not np.array_equal(part.basis, opened[0].basis) for part in opened):
            return  # damage, or what was made after one: left for `riparian check`
        merged = _alike(opened, alive)
        draft = self._draft(collection_id, encoder, merged, opened[0].basis)
        failpoint("states.merged")
        with self._database.write() as catalog:
            draft.publish(catalog, replaces=chosen)
            catalog.collections.touch(collection_id)

    def clear_away(self, collection_id: CollectionId, encoder_id: EncoderId) -> None:
        """Deletes the folders that no part names; who reads them keeps what is mapped. Only for a job that holds the
        collection: another may be writing one."""
        with self._database.read() as catalog:
            live = catalog.state_parts.live(collection_id, encoder_id)
        keep = [Path(one.folder).name for one in live]
        remove_strays(self._data_dir / states_folder(collection_id, encoder_id), keep)
        with self._lock:
            room = f"{states_folder(collection_id, encoder_id)}/"
            for folder in [f for f in self._opened if f.startswith(room) and Path(f).name not in keep]:
                del self._opened[folder]


def _to_merge(live: Sequence[StatePart], states: TokenStates, alive: Ids) -> list[StatePart]:
    """The oldest part that is not much larger than the younger ones together, and these; all where much is gone. The
    last batch of an indexing may be tiny: that it is small says nothing of those before it."""
    if len(states.parts) < len(live):
        return []
    held = sum(part.passages for part in live)
    if held and (held - int(np.isin(states.ids, alive).sum())) > REMOVED_SHARE * held:
        return list(live)
    younger = sum(part.rows for part in live)
    for place, one in enumerate(live[:-1]):
        younger -= one.rows
        if one.rows <= _LARGER * younger:
            return list(live[place:])
    return []


def _alike(parts: Sequence[Part], alive: Ids) -> Iterator[tuple[int, Rows]]:
    """The rows of the passages that are alive, ids ascending, each from the last part that holds it."""
    states = TokenStates(parts)
    for passage in states.ids[np.isin(states.ids, alive)].tolist():
        for _, rows in states.of([passage]).values():
            yield passage, rows
