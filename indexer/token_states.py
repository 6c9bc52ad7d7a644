"""Token states of passages that were embedded without, or lost theirs: found, and made again by a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.embedding import BATCH, BATCH_CHARACTERS, encoded_with_states
from riparian import jobs, manifests
from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.ids import in_chunks
from riparian.catalog.relevance import StatePart
from riparian.encoders.base import GivesStates
from riparian.encoders.pool import EncoderPool
from riparian.errors import DamagedIndex, TokensUnavailable
from riparian.failpoints import failpoint
from riparian.inputs import encoder_input
from riparian.jobs import Running
from riparian.types import CollectionId, EncoderId, Ids, JobId, PassageId
from riparian.vectors.state_store import StateStore
from riparian.vectors.token_states import open_part, states_folder, strays

STATES = "token-states"
"""The kind of job that gives every embedded passage of the active encoder its token states."""

_SOME = 4_096  # passages whose texts are read together


def queue_states(catalog: Catalog, collection_id: CollectionId) -> JobId:
    """The job, or the one that waits or runs."""
    waiting = jobs.unfinished(catalog, collection_id, STATES)
    return waiting.id if waiting is not None else jobs.enqueue(catalog, STATES, {}, collection_id)


@dataclass(frozen=True, slots=True)
class StatesRun:
    """One run of the job: asks what lacks states, so that it goes on where one was killed."""

    database: Database
    encoders: EncoderPool
    store: StateStore
    stored: StoredEncoder
    collection_id: CollectionId

    def run(self, running: Running) -> Mapping[str, Any]:
        """TokensUnavailable where the encoder does not give token states with its vectors."""
        encoder = self.encoders.of(self.stored)
        if not isinstance(encoder, GivesStates):
            raise TokensUnavailable(f"{self.stored.name} gives no token states with its vectors; {_WITHOUT}")
        lacking = self._lacking()
        done = 0
        for some in in_chunks(lacking.tolist(), _SOME):
            for batch in self._batches(some):
                self._make(encoder, batch)
                done += len(batch)
                running.progress("states", done, len(lacking), "passages")
        self.store.compact(self.collection_id, self.stored, self._embedded())
        with self.database.read() as catalog:
            live = catalog.state_parts.live(self.collection_id, self.stored.id)
        return {"passages": done, "encoder": self.stored.name, "bytes": sum(part.bytes for part in live)}

    def _embedded(self) -> Ids:
        with self.database.read() as catalog:
            return catalog.vectors.embedded_ids(self.collection_id, self.stored.id)

    def _lacking(self) -> Ids:
        return np.setdiff1d(self._embedded(), self.store.snapshot(self.collection_id, self.stored).ids)

    def _batches(self, passages: Sequence[int]) -> Iterator[list[tuple[int, str]]]:
        """(id, what the encoder is given), the longest first, as many as are encoded together."""
        with self.database.read() as catalog:
            found = catalog.passages.many([PassageId(one) for one in passages])
            titles = catalog.documents.many({one.document_id for one in found.values()})
        texts = [(int(p.id), encoder_input(titles[p.document_id].title, p.text)) for p in found.values()]
        texts.sort(key=lambda pair: (-len(pair[1]), pair[0]))
        batch: list[tuple[int, str]] = []
        size = 0
        for passage, text in texts:
            if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARACTERS):
                yield batch
                batch, size = [], 0
            batch.append((passage, text))
            size += len(text)
        if batch:
            yield batch

    def _make(self, encoder: GivesStates, batch: Sequence[tuple[int, str]]) -> None:
        parts = self.store.snapshot(self.collection_id, self.stored).parts
        basis = parts[-1].basis if parts else None
        _, directions, rows = encoded_with_states(encoder, [text for _, text in batch], basis)
        states = {PassageId(passage): own for (passage, _), own in zip(batch, rows, strict=True)}
        draft = self.store.draft(self.collection_id, self.stored, states, directions)
        failpoint("states.encoded")
        with self.database.write() as catalog:
            draft.publish(catalog)
            catalog.collections.touch(self.collection_id)


_WITHOUT = "searches rank without re-ranking, or with `--rerank cross-encoder`"


@dataclass(frozen=True, slots=True)
class StatesInspection:
    """Whether the token states of a collection are those that were written."""

    database: Database
    data_dir: Path
    collection_id: CollectionId

    def problems(self) -> Iterator[str]:
        for encoder in self._encoders():
            for _, fault in self._damaged(encoder):
                yield f"token states: {fault}"
        yield from (f"{path} is used by nothing" for path in self._strays())
        with self.database.read() as catalog:
            active = catalog.collections.get(self.collection_id).encoder_id
        if lacking := self.lacking(active):
            yield f"{lacking} passages have no token states although others have"

    def lacking(self, encoder_id: EncoderId | None) -> int:
        """How many embedded passages lack states, in a collection that keeps them."""
        if encoder_id is None:
            return 0
        with self.database.read() as catalog:
            stored = catalog.encoders.get(encoder_id)
            kept = catalog.state_parts.ever(self.collection_id, encoder_id)
            embedded = catalog.vectors.embedded_ids(self.collection_id, encoder_id)
        if not kept:
            return 0
        held = StateStore(self.database, self.data_dir).snapshot(self.collection_id, stored).ids
        return len(np.setdiff1d(embedded, held))

    def give_up_damage(self) -> None:
        """Damaged parts count no more; what lay beside the parts is deleted."""
        store = StateStore(self.database, self.data_dir)
        for encoder in self._encoders():
            damaged = [part for part, _ in self._damaged(encoder)]
            if damaged:
                with self.database.write() as catalog:
                    catalog.state_parts.retire(damaged)
                    catalog.collections.touch(self.collection_id)
        for encoder_id in self._ever():
            store.clear_away(self.collection_id, encoder_id)

    def _encoders(self) -> list[StoredEncoder]:
        with self.database.read() as catalog:
            return [catalog.encoders.get(found) for found in catalog.state_parts.encoders(self.collection_id)]

    def _ever(self) -> list[EncoderId]:
        parent = (self.data_dir / states_folder(self.collection_id, EncoderId(0))).parent
        return [EncoderId(int(f.name)) for f in parent.iterdir() if f.name.isdecimal()] if parent.is_dir() else []

    def _damaged(self, encoder: StoredEncoder) -> Iterator[tuple[StatePart, str]]:
        with self.database.read() as catalog:
            live = catalog.state_parts.live(self.collection_id, encoder.id)
        for part in live:
            try:
                manifests.verify(self.data_dir / part.folder)
                open_part(self.data_dir / part.folder, encoder.fingerprint)
            except DamagedIndex as error:
                yield part, str(error)

    def _strays(self) -> Iterator[Path]:
        with self.database.read() as catalog:
            working = jobs.is_running(catalog, self.collection_id)
            folders = {e: catalog.state_parts.live(self.collection_id, e) for e in self._ever()}
        if working:  # a job may be writing one just now
            return
        for encoder, live in folders.items():
            keep = [Path(part.folder).name for part in live]
            yield from strays(self.data_dir / states_folder(self.collection_id, encoder), keep)
