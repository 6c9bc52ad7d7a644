"""A collection's vectors with the encoder they were made with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riparian.catalog.encoders import StoredEncoder
from riparian.types import Collection, Ids, Matrix
from riparian.vectors.store import Snapshot, VectorStore
from search.dense import Meaning, spread
from search.layout import Layout
from search.scene import Scene
from search.windows import MOST


@dataclass(frozen=True, slots=True)
class Semantics:
    """At least one passage is embedded; `passages` = how many there are."""

    snapshot: Snapshot
    stored: StoredEncoder
    layout: Layout
    passages: int

    def meaning(self, rows: Matrix) -> Meaning:
        """What these vectors ask for; those that are all zero say nothing and are left out."""
        return Meaning(self.snapshot.view, self.layout, rows[rows.any(axis=1)])

    def of_passages(self, passages: Ids) -> Meaning | None:
        """The stored vectors of passages, evenly spaced ones of many; None while none of them is embedded."""
        view = self.snapshot.view
        embedded = passages[np.isin(passages, view.ids)]
        if not len(embedded):
            return None
        return self.meaning(view.vectors(np.array(spread(embedded.tolist(), MOST), dtype=np.int64)))

    @property
    def notes(self) -> list[str]:
        """How far embedding is, while it runs."""
        done = len(self.snapshot.view.ids)
        if done >= self.passages:
            return []
        return [f"embedding still runs: {done} of {self.passages} passages can be found by meaning"]


def semantics_of(scene: Scene, vectors: VectorStore) -> Semantics | None:
    """None while nothing is embedded."""
    if scene.encoder is None:
        return None
    snapshot = vectors.snapshot(scene.collection.id, scene.encoder)
    if not len(snapshot.view.ids):
        return None
    return Semantics(snapshot, scene.encoder, scene.layout, scene.collection.passages)


def nothing_embedded(collection: Collection) -> str:
    """Why there are no semantics."""
    if not collection.passages:
        return f"collection {collection.name!r} holds no passages yet"
    return f"embedding still runs: 0 of {collection.passages} passages of {collection.name!r} are embedded"
