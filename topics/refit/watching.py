"""Drift of a stored collection: reads what `topics.refit.drift` measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.types import CollectionId, Ids, TopicModelInfo
from topics import bow, corpus
from topics.curation import store
from topics.curation.mixtures import VectorsOf
from topics.curation.service import CurationService
from topics.refit import drift
from topics.refit.drift import Drift, Measured, Scene

OTHERS = 2_000
"""Passages of no theme, read beside those of themes so that words can mark these off."""


class DriftService:
    """Safe to share between threads; keeps the last answer of each collection until something comes or changes."""

    def __init__(self, database: Database, curation: CurationService) -> None:
        self._database, self._curation = database, curation
        self._known: dict[CollectionId, tuple[tuple[int, ...], Drift]] = {}

    def drift(self, collection_id: CollectionId) -> Drift:
        """NoTopicsYet where there are none."""
        info = self._curation.take_in(collection_id)
        vectors_of = self._curation.vectors_of(info)
        with self._database.read() as catalog:
            inferred = catalog.curation.inferred(info.id)
            key = (int(info.id), store.log(catalog, info.id).head, len(inferred), int(inferred.max(initial=0)))
            known = self._known.get(collection_id)
            if known is not None and known[0] == key:
                return known[1]
            found = _drift(catalog, info, inferred, vectors_of)
        self._known[collection_id] = (key, found)
        return found


def _drift(catalog: Catalog, info: TopicModelInfo, inferred: Ids, vectors_of: VectorsOf) -> Drift:
    scene = _scene(catalog, info, inferred, vectors_of)
    measured = drift.measure(scene)
    if (measured.grouped < 0).all():
        return measured.drift
    return replace(measured.drift, themes=_themes(catalog, info, scene, measured))


def _scene(catalog: Catalog, info: TopicModelInfo, inferred: Ids, vectors_of: VectorsOf) -> Scene:
    passages, vectors = vectors_of(inferred)
    documents = catalog.passages.documents_of(passages.tolist())
    mixed = store.stored_mixtures(catalog, info.id, passages)
    last = int(info.settings.get("last_passage", np.iinfo(np.int64).max))
    return Scene(
        passages, np.array([documents[p] for p in passages.tolist()], np.int64), vectors, mixed,
        np.unique(mixed.topics).tolist(), passages > last,
    )  # fmt: skip


def _themes(catalog: Catalog, info: TopicModelInfo, scene: Scene, measured: Measured) -> tuple[drift.Theme, ...]:
    """With words of their own: the model's vocabulary would lack the new ones."""
    inside, rest = np.flatnonzero(measured.grouped >= 0), np.flatnonzero(measured.grouped < 0)
    others = rest[np.linspace(0, len(rest) - 1, min(len(rest), OTHERS)).astype(np.int64)]
    rows = np.union1d(inside, others)
    language = str(info.settings.get("language", "en"))
    found = corpus.read(catalog, info.collection_id, scene.passages[rows], scene.vectors[rows], language, bow.build)
    at = np.searchsorted(scene.passages, found.passages)
    return drift.themes(found.passages, found.vectors, measured.grouped[at], found.bag)
