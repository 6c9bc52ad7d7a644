"""One ranking out of several: a weighted sum of scaled scores, or of reciprocal ranks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids

DEPTH = 1000
"""How many of each ranking share in the scale; those below it keep their order but score nothing."""

DAMPING = 60
"""Cormack, Clarke and Büttcher, SIGIR 2009, section 3: fixed at 60 in a pilot study, and not sensitive there."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Unique ids best first with what they scored; equal scores: the smaller id first.

    `floor` is what everything outside the ranking scores, where that is known: BM25 gives 0 to a document without any
    word of the query.
    """

    ids: Ids
    scores: Scores
    floor: float | None = None

    @classmethod
    def of(cls, ids: Ids, scores: NDArray[np.float32] | Scores, floor: float | None = None) -> Ranking:
        """Puts ids and scores, given in any order, into the order of a ranking."""
        wide = np.asarray(scores, dtype=np.float64)
        order = np.lexsort((ids, -wide))
        return cls(np.asarray(ids, dtype=np.int64)[order], wide[order], floor)

    def where(self, kept: NDArray[np.bool_]) -> Ranking:
        return Ranking(self.ids[kept], self.scores[kept], self.floor)

    @classmethod
    def empty(cls) -> Ranking:
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))

    def first(self, count: int) -> Ranking:
        return Ranking(self.ids[:count], self.scores[:count], self.floor)

    def __len__(self) -> int:
        return len(self.ids)


def min_max(rankings: Sequence[Ranking], weights: Sequence[float], *, depth: int = DEPTH) -> Ranking:
    """The weighted sum of the rankings' scores, each scaled by `scaled`; absent counts 0.

    Equal sums: the better best rank first (so that what lies below `depth` keeps its order), then the smaller id.
    The convex combination of Bruch, Gai and Ingber (arXiv 2210.11934, equation 1) with their min-max scaling.
    """
    return _weighted_sum(rankings, [scaled(ranking, depth=depth) for ranking in rankings], weights)


def reciprocal_rank(
    rankings: Sequence[Ranking], weights: Sequence[float], *, damping: int = DAMPING, depth: int = DEPTH
) -> Ranking:
    """The weighted sum of 1 / (damping + rank), ranks from 1, over the first `depth` of each ranking.

    Equal sums as in `min_max`. Cormack, Clarke and Büttcher, SIGIR 2009, equation 1.
    """
    return _weighted_sum(rankings, [_reciprocals(ranking, damping, depth) for ranking in rankings], weights)


def scaled(ranking: Ranking, *, depth: int = DEPTH) -> Scores:
    """The scores moved to 0..1 by `scale_of`; 0 below `depth`.

    Where the scores are all equal (a single id, say) there is nothing to tell them apart and each gets 1.
    """
    values = np.zeros(len(ranking), dtype=np.float64)
    if len(ranking):
        low, high = scale_of(ranking, depth=depth)
        values[:depth] = (ranking.scores[:depth] - low) / (high - low) if high > low else 1.0
    return values


def scale_of(ranking: Ranking, *, depth: int = DEPTH) -> tuple[float, float]:
    """The scores that `scaled` moves to 0 and to 1: the smallest and largest of the first `depth`.

    A shorter ranking goes on with what lies outside it: its smallest is the `floor`, where that is known. Otherwise
    the last of three documents that hold a rare word would get no more than one that does not hold it.
    """
    if not len(ranking):
        return 0.0, 0.0
    if len(ranking) < depth and ranking.floor is not None:
        return ranking.floor, float(ranking.scores[0])
    return float(ranking.scores[min(depth, len(ranking)) - 1]), float(ranking.scores[0])


def _reciprocals(ranking: Ranking, damping: int, depth: int) -> Scores:
    values = 1.0 / (damping + np.arange(1, len(ranking) + 1, dtype=np.float64))
    values[depth:] = 0.0
    return values


def _weighted_sum(rankings: Sequence[Ranking], values: Sequence[Scores], weights: Sequence[float]) -> Ranking:
    if len(weights) != len(rankings):
        raise ValueError(f"{len(rankings)} rankings need as many weights, got {len(weights)}")
    if not rankings:
        return Ranking.empty()
    ids = np.unique(np.concatenate([ranking.ids for ranking in rankings]))
    sums = np.zeros(len(ids), dtype=np.float64)
    best_rank = np.full(len(ids), np.iinfo(np.int64).max, dtype=np.int64)
    for ranking, value, weight in zip(rankings, values, weights, strict=True):
        rows = np.searchsorted(ids, ranking.ids)
        sums[rows] += weight * value
        best_rank[rows] = np.minimum(best_rank[rows], np.arange(len(ranking), dtype=np.int64))
    order = np.lexsort((ids, best_rank, -sums))
    return Ranking(ids[order], sums[order])
