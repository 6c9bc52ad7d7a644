"""How a sense is told to a person: the words in its company, and occurrences that show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.senses import Company
from senses.company import Bags
from senses.graph import Labels
from senses.views import Views

KEPT = 10
"""Words of company that are kept of a sense."""

LABEL_WORDS = 3
EXAMPLES = 3
LEAST_G2 = 3.84
"""chi-squared with one degree of freedom at 5 %: company below it may be chance."""


def company_of(bags: Bags, labels: Labels, senses: int) -> list[tuple[Company, ...]]:
    """For each sense the words that stand near it more often than near the others, by Dunning's log-likelihood ratio
    G² (Dunning 1993); where there is one sense only, the most frequent ones, by how often."""
    table = bags.table
    inside = np.asarray(table.T @ np.eye(senses, dtype=np.float32)[labels], dtype=np.float64)  # words by senses
    sizes = np.bincount(labels, minlength=senses).astype(np.float64)
    if senses == 1:
        return [_most_frequent(bags.vocabulary, inside[:, 0])]
    return [_telling(bags.vocabulary, inside, sizes, sense) for sense in range(senses)]


def _most_frequent(vocabulary: Sequence[str], counts: NDArray[np.float64]) -> tuple[Company, ...]:
    order = sorted(range(len(vocabulary)), key=lambda at: (-counts[at], vocabulary[at]))[:KEPT]
    return tuple(Company(vocabulary[at], float(counts[at]), int(counts[at])) for at in order)


def _telling(
    vocabulary: Sequence[str], inside: NDArray[np.float64], sizes: NDArray[np.float64], sense: int
) -> tuple[Company, ...]:
    own, total = inside[:, sense], inside.sum(axis=1)
    size, rest = sizes[sense], sizes.sum() - sizes[sense]
    weight = log_likelihood(own, total - own, size, rest)
    more = own * max(rest, 1.0) > (total - own) * size
    kept = [int(at) for at in np.flatnonzero(more & (weight >= LEAST_G2)) if own[at] >= 2]
    order = sorted(kept, key=lambda at: (-weight[at], vocabulary[at]))[:KEPT]
    return tuple(Company(vocabulary[at], round(float(weight[at]), 3), int(own[at])) for at in order)


def log_likelihood(
    inside: NDArray[np.float64], outside: NDArray[np.float64], size: float, rest: float
) -> NDArray[np.float64]:
    """G² = 2 sum O ln(O / E) over the four cells: stands near or not, in this sense or in the others."""
    near, total = inside + outside, size + rest
    found = np.zeros(len(inside))
    for seen, share in ((inside, size), (outside, rest)):
        for observed, column in ((seen, near), (share - seen, total - near)):
            expected = column * share / total
            with np.errstate(divide="ignore", invalid="ignore"):
                found += np.where(observed > 0, observed * np.log(observed / np.maximum(expected, 1e-12)), 0.0)
    return 2 * found


def label_of(company: Sequence[Company], fallback: str) -> str:
    """The first words of the company, or the fallback where nothing tells."""
    return ", ".join(one.word for one in company[:LABEL_WORDS]) or fallback


def typical(views: Views, labels: Labels, doubt: NDArray[np.float32], sense: int, number: int = EXAMPLES) -> list[int]:
    """Rows that show a sense best: near its middle in the context and the token, sure, and no two the same."""
    rows = np.flatnonzero(labels == sense)
    score = sum(_to_middle(view, rows) for view in (views.token, views.context)) - doubt[rows]
    found: list[int] = []
    for at in np.argsort(-np.asarray(score), kind="stable"):
        row = int(rows[at])
        if all(float(views.sentence[row] @ views.sentence[other]) < 0.98 for other in found):
            found.append(row)
        if len(found) == number:
            break
    return found


def _to_middle(view: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    middle = view[rows].mean(axis=0)
    found: NDArray[np.float32] = view[rows] @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
    return found
