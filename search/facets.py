"""Facet counts over any set of documents, from columns that are read once a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.types import Collection, FacetValue, Ids
from search.kept import Kept

LIMIT = 20
OF_PASSAGES = ("topic", "sense")
"""Come and go without a change of the documents: they are asked for each time."""


@dataclass(frozen=True, slots=True)
class Column:
    """Which document carries which value: `codes` number the `values`, beside `documents`."""

    documents: Ids
    codes: Ids
    values: tuple[str, ...]

    def count(self, documents: Ids, limit: int = LIMIT) -> tuple[FacetValue, ...]:
        """The values with how many of these documents carry them: most frequent first, then by value."""
        inside = self.codes[np.isin(self.documents, documents)]
        counts = np.bincount(inside, minlength=len(self.values)).tolist()
        found = [FacetValue(value, count) for value, count in zip(self.values, counts, strict=True) if count]
        return tuple(sorted(found, key=lambda one: (-one.count, one.value))[:limit])


class FacetColumns:
    """Answers as `catalog.facets.count` does. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: Kept[dict[str, Column]] = Kept()

    def count(
        self, catalog: Catalog, collection: Collection, documents: Ids, fields: Sequence[str]
    ) -> Mapping[str, tuple[FacetValue, ...]]:
        columns = self._kept.of(collection, dict)
        for field in fields:
            if field not in OF_PASSAGES and field not in columns:
                columns[field] = _column(catalog.facets.values(collection.id, field))
        asked = [field for field in fields if field in OF_PASSAGES]
        fresh = catalog.facets.count(collection.id, documents, asked) if asked else {}
        return {field: fresh[field] if field in fresh else columns[field].count(documents) for field in fields}


def _column(pairs: Sequence[tuple[int, str]]) -> Column:
    values = tuple(dict.fromkeys(value for _, value in pairs))
    code = {value: number for number, value in enumerate(values)}
    return Column(
        np.array([document for document, _ in pairs], dtype=np.int64),
        np.array([code[value] for _, value in pairs], dtype=np.int64),
        values,
    )
