"""Documents by the nearness of their passages to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix
from riparian.vectors.base import VectorIndex
from search.fusion import DEPTH, Ranking
from search.layout import Layout

SHALLOWEST = 100
"""Of several vectors, each proposes at least so many documents."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is asked, as vectors: one of a query, or several that share the parts of a longer text.

    `queries` = (any, dimension); rows that are all zero say nothing and must have been left out.
    """

    view: VectorIndex
    layout: Layout
    queries: Matrix

    def nearest(self, allowed: Ids | None = None, *, depth: int = DEPTH) -> Ranking:
        """The documents nearest to what is asked, at most `depth`; `allowed` = ascending passage ids (None = all)."""
        if not len(self.queries):
            return Ranking.empty()
        if len(self.queries) == 1:
            return nearest_documents(self.view, self.layout, self.queries[0], depth=depth, allowed=allowed)
        return nearest_to_all(self.view, self.layout, self.queries, depth=depth, allowed=allowed)

    def nearness(self, passages: Ids) -> dict[int, float]:
        """The largest cosine of each passage that has a vector; empty where nothing is asked."""
        if not len(self.queries):
            return {}
        embedded, values = cosines(self.view, passages, self.queries)
        return dict(zip(embedded.tolist(), values.max(axis=1).tolist(), strict=True))


def nearest_documents(
    view: VectorIndex,
    layout: Layout,
    query: NDArray[np.float32],
    *,
    depth: int = DEPTH,
    allowed: Ids | None = None,
) -> Ranking:
    """The `depth` documents nearest to the query vector, scored by the largest cosine of their passages.

    The nearest passages hold the best passage of every document that is near, so as many are fetched as it takes to
    meet `depth` documents: the ranking is exact wherever the index is.
    """
    rows = len(view.ids) if allowed is None else len(allowed)
    if rows == 0:
        return Ranking.empty()
    fetched = min(rows, 2 * depth)
    while True:
        [found] = view.nearest(query[np.newaxis], fetched, allowed)
        ranking = _best_by_document(layout.documents_of(found.ids), found.scores)
        if len(ranking) >= depth or fetched >= rows or len(found.ids) < fetched:
            return ranking.first(depth)
        fetched = min(rows, 4 * fetched)


def nearest_to_all(
    view: VectorIndex, layout: Layout, queries: Matrix, *, depth: int = DEPTH, allowed: Ids | None = None
) -> Ranking:
    """Documents by the mean, over the query vectors, of the largest cosine of the document's passages with each.

    Ranked are those that are among the nearest of at least one vector; their scores are exact.
    """
    share = max(SHALLOWEST, depth // len(queries))
    proposed = [nearest_documents(view, layout, query, depth=share, allowed=allowed).ids for query in queries]
    passages = layout.passages_of(np.unique(np.concatenate(proposed)))
    if allowed is not None:
        passages = np.intersect1d(passages, allowed, assume_unique=True)
    embedded, values = cosines(view, passages, queries)
    if not len(embedded):
        return Ranking.empty()
    documents = layout.documents_of(embedded)
    order = np.argsort(documents, kind="stable")
    found, firsts = np.unique(documents[order], return_index=True)
    best: NDArray[np.float64] = np.maximum.reduceat(values[order], firsts, axis=0)
    return Ranking.of(found, best.mean(axis=1)).first(depth)


def cosines(view: VectorIndex, passages: Ids, queries: Matrix) -> tuple[Ids, NDArray[np.float64]]:
    """The passages that have a vector, ascending, and their cosines with each query: (passages, queries)."""
    embedded = passages[np.isin(passages, view.ids, assume_unique=True)]
    if not len(embedded):
        return embedded, np.zeros((0, len(queries)), dtype=np.float64)
    rows = view.vectors(embedded).astype(np.float64)
    # summed row by row: a matrix product's last digit depends on how many rows it is given
    return embedded, np.stack([(rows * query.astype(np.float64)).sum(axis=1) for query in queries], axis=1)


def spread(rows: Sequence[int], most: int) -> list[int]:
    """At most so many of the rows, evenly spaced, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[int(place)] for place in np.linspace(0, len(rows) - 1, most).round()]


def _best_by_document(documents: Ids, scores: NDArray[np.float32]) -> Ranking:
    """Each document with the largest of its scores; -1 stands for no document and is left out."""
    order = np.lexsort((-scores, documents))
    order = order[documents[order] >= 0]
    kept = order[np.flatnonzero(np.diff(documents[order], prepend=-1))]
    return Ranking.of(documents[kept], scores[kept])
