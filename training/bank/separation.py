"""Whether vectors of one sense lie closer together than vectors of different senses. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from riparian.encoders.pooling import unit_rows
from riparian.types import Matrix

_FEWEST = 2  # occurrences of a sense, and senses of a word


@dataclass(frozen=True, slots=True)
class Separation:
    """JSON-able: `within` and `across` are mean cosines of mean-centred vectors; `auc` is the chance that a pair of one
    sense is closer than a pair of different senses (a tie counts half, so one vector for all gives 0.5); `p_value` is
    how often shuffled senses separate as well."""

    senses: dict[str, int]
    within: float
    across: float
    auc: float
    p_value: float


def separation(rows: Matrix, senses: Sequence[str], seed: int, permutations: int = 1000) -> Separation | None:
    """Of one word's occurrences; a sense that stands once is left out, None where fewer than two senses remain.

    AUC by the ranks of the pairs (Mann and Whitney 1947); p = (1 + shuffles at least as good) / (1 + shuffles).
    """
    counts = Counter(senses)
    kept = [row for row, sense in enumerate(senses) if counts[sense] >= _FEWEST]
    labels = np.unique([senses[row] for row in kept], return_inverse=True)[1]
    if len(set(labels.tolist())) < _FEWEST:
        return None
    cosines, first, second = _pairs(rows[kept])
    ranks = rankdata(cosines)
    same = labels[first] == labels[second]
    reached = _auc(ranks, same)
    numbers = np.random.default_rng(seed)
    as_good = 0
    for _ in range(permutations):
        shuffled = numbers.permutation(labels)
        as_good += _auc(ranks, shuffled[first] == shuffled[second]) >= reached
    return Separation(
        senses={sense: count for sense, count in sorted(counts.items()) if count >= _FEWEST},
        within=float(cosines[same].mean()),
        across=float(cosines[~same].mean()),
        auc=reached,
        p_value=(1 + as_good) / (1 + permutations),
    )


def _pairs(rows: Matrix) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Centred cosines of all pairs. Vectors that are all equal are all zero once centred: their cosines are 0."""
    centre = rows.mean(axis=0, dtype=np.float64)
    away = rows - centre
    away[np.abs(away).max(axis=1) <= 1e-6 * max(1e-30, float(np.abs(rows).max()))] = 0.0
    unit = unit_rows(away.astype(np.float32)).astype(np.float64)
    first, second = np.triu_indices(len(rows), k=1)
    return np.einsum("ij,ij->i", unit[first], unit[second]), first, second


def _auc(ranks: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    inside = int(same.sum())
    outside = len(same) - inside
    return float((ranks[same].sum() - inside * (inside + 1) / 2) / (inside * outside))
