"""Which passage belongs to which document, and which documents are near-duplicates: read once a revision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.types import Collection, CollectionId, Ids
from search.kept import Kept


@dataclass(frozen=True)
class Layout:
    """`passages` ascending with the document of each beside it; `grouped` ascending with its duplicate group."""

    passages: Ids
    documents: Ids
    grouped: Ids
    groups: Ids

    def documents_of(self, passages: Ids) -> Ids:
        """The document of each passage; -1 for a passage that is not there (any more)."""
        return _look_up(self.passages, self.documents, passages)

    def passages_of(self, documents: Ids) -> Ids:
        """Every passage of these documents, ascending."""
        firsts = np.searchsorted(self._by_document[0], documents, side="left")
        counts = np.searchsorted(self._by_document[0], documents, side="right") - firsts
        rows = np.repeat(firsts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
        return np.sort(self._by_document[1][rows])

    def has(self, documents: Ids) -> NDArray[np.bool_]:
        """Which of the documents have a passage."""
        return np.isin(documents, self._by_document[0])

    def groups_of(self, documents: Ids) -> Ids:
        """The near-duplicate group of each document; -1 for one that has no near-duplicate."""
        return _look_up(self.grouped, self.groups, documents)

    @cached_property
    def _by_document(self) -> tuple[Ids, Ids]:
        order = np.argsort(self.documents, kind="stable")
        return self.documents[order], self.passages[order]


class Layouts:
    """Layouts of the collections searched last. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: Kept[Layout] = Kept()

    def of(self, catalog: Catalog, collection: Collection) -> Layout:
        """The layout at the collection's revision, in the catalog's transaction."""
        return self._kept.of(collection, lambda: _read(catalog, collection.id))


def _read(catalog: Catalog, collection_id: CollectionId) -> Layout:
    passages, documents = catalog.passages.document_map(collection_id)
    grouped, groups = catalog.documents.duplicate_groups(collection_id)
    return Layout(passages, documents, grouped, groups)


def _look_up(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    there: NDArray[np.bool_] = keys[rows] == wanted
    return np.where(there, values[rows], -1)
