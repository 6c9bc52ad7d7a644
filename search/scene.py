"""What a search works on: a collection as of one revision, and what the filters let through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.filters import OF_PASSAGES
from riparian.types import Collection, Filters, Ids
from search.layout import Layout, Layouts


@dataclass(frozen=True, slots=True)
class Scene:
    """`documents` and `passages` are those that meet the filters, ascending; None = there are no filters.

    `encoder` is None while the collection has none; `waiting` = documents that the lexical index has yet to take in.
    """

    collection: Collection
    encoder: StoredEncoder | None
    layout: Layout
    documents: Ids | None
    passages: Ids | None
    waiting: int

    def passages_among(self, documents: Ids | None) -> Ids | None:
        """Passages that meet the filters and belong to these documents; None stands for all on both sides."""
        if documents is None:
            return self.passages
        inside = self.layout.passages_of(documents)
        return inside if self.passages is None else np.intersect1d(inside, self.passages, assume_unique=True)


def set_scene(catalog: Catalog, layouts: Layouts, collection: Collection, filters: Filters) -> Scene:
    """Reads in the catalog's transaction; the number of statements does not grow with what is found."""
    layout = layouts.of(catalog, collection)
    encoder = catalog.encoders.get(collection.encoder_id) if collection.encoder_id is not None else None
    documents = passages = None
    if filters:
        documents = catalog.documents.ids(collection.id, filters)
        documents = documents[layout.has(documents)]
        # topics and senses belong to passages: there the best passage must be one that has it
        by_passage = any(condition.field in OF_PASSAGES for condition in filters.conditions)
        passages = catalog.passages.ids(collection.id, filters) if by_passage else layout.passages_of(documents)
    return Scene(collection, encoder, layout, documents, passages, catalog.lexical.waiting(collection.id))
