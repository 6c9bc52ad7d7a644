"""The job that gives a collection's passages vectors of another encoder, beside those they have.

embed what is pending → compact → verify → switch, each step asking the catalog what is left to do: a job that was
killed or cancelled goes on where it was. Searches use the encoder before until the one transaction that switches.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from indexer.bindings import switch
from indexer.compaction import Compaction
from indexer.embedding import Embedding
from indexer.pipeline import Parts, compact_states
from riparian.catalog.catalog import Catalog
from riparian.failpoints import failpoint
from riparian.jobs import Running
from riparian.types import CollectionId, EncoderId, Ids
from riparian.vectors.store import Snapshot, Unsound

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Totals:
    """What the job did over all its runs: kept in its checkpoint."""

    embedded: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class ReindexRun:
    """One run of the job."""

    def __init__(self, parts: Parts, running: Running, collection_id: CollectionId) -> None:
        self._parts, self._running, self._id = parts, running, collection_id
        self._totals = _Totals(**running.job.checkpoint)
        with parts.database.read() as catalog:
            self._stored = catalog.encoders.get(EncoderId(running.job.payload["encoder"]))

    def run(self) -> Mapping[str, Any]:
        self._give_up_damage()
        while True:
            with self._stage("embed"):
                self._embed()
            with self._stage("compact"):
                self._compact()
            with self._stage("verify"):
                sound = self._is_whole()
            failpoint("reindex.before-switch")
            if sound and (result := self._publish()) is not None:
                failpoint("reindex.switched")
                return result

    def _give_up_damage(self) -> None:
        """Vectors that are damaged on the disk are pending from now on, and embedded again below."""
        try:
            self._snapshot()
        except Unsound as error:
            logger.warning("nothing sound is left of %s: %s", self._stored.name, error)

    def _embed(self) -> None:
        with self._parts.database.read() as catalog:
            total = catalog.vectors.pending_count(self._id, self._stored.id)
        if not total:
            return
        self._running.progress("embed", 0, total, "passages")
        done = 0

        def commit(catalog: Catalog, passages: int) -> None:
            nonlocal done
            done += passages
            self._totals.embedded += passages
            self._checkpoint(catalog, stage="embed", done=done, total=max(total, done), unit="passages")

        encoder = self._parts.encoders.of(self._stored)
        states = self._parts.states
        Embedding(self._parts.database, self._parts.vectors, self._id, self._stored, encoder, states).run(commit)

    def _compact(self) -> None:
        """A generation where there is none, or where one is due."""
        self._running.progress("compact", 0, 0, "passages")
        compaction = Compaction(self._parts.database, self._parts.vectors, self._parts.data_dir)
        first = self._snapshot().generation is None
        if compaction.run(self._id, self._stored, force=first) is None:
            compaction.clear_away(self._id, self._stored)  # what a killed run may have left
        compact_states(self._parts, self._id, self._stored)

    def _is_whole(self) -> bool:
        """Whether what a search would see is every passage; what only the catalog believes embedded is pending then."""
        self._running.progress("verify", 0, 0, "passages")
        held = self._snapshot().view.ids
        with self._parts.database.read() as catalog:
            embedded = catalog.vectors.embedded_ids(self._id, self._stored.id)
        missing = np.setdiff1d(embedded, held)
        if len(missing):
            self._make_pending(missing)
        return not len(missing)

    def _make_pending(self, passages: Ids) -> None:
        logger.error("%d passages had no vector of %s although they were marked so", len(passages), self._stored.name)
        with self._parts.database.write() as catalog:
            catalog.vectors.forget(self._id, self._stored.id, passages)
            catalog.collections.touch(self._id)
            self._checkpoint(catalog)

    def _publish(self) -> Mapping[str, Any] | None:
        """Ends the job; None, and nothing changed, where passages came meanwhile."""
        with self._parts.database.write() as catalog:
            self._checkpoint(catalog)  # the job is still held, in the transaction that may switch
            if catalog.vectors.pending_count(self._id, self._stored.id):
                return None
            wanted = bool(self._running.job.payload.get("switch", True))
            if wanted:
                switch(catalog, self._id, self._stored, self._parts.follow_up)
            generation = catalog.vectors.active(self._id, self._stored.id)
            return {
                "encoder": self._stored.name,
                "fingerprint": self._stored.fingerprint,
                "switched": wanted,
                "vectors": catalog.vectors.count(self._id, self._stored.id),
                "generation": generation.number if generation is not None else None,
                **asdict(self._totals),
            }

    def _snapshot(self) -> Snapshot:
        return self._parts.vectors.snapshot(self._id, self._stored, wait=True)

    def _checkpoint(self, catalog: Catalog, **progress: Any) -> None:
        self._running.checkpoint(catalog, state=asdict(self._totals), **progress)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - started
            self._totals.seconds[name] = round(self._totals.seconds.get(name, 0.0) + spent, 3)
