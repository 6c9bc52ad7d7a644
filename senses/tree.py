"""How the finest groups of a word join into senses: the tree, and the division that people make of it.

A join (a, b, score) says that the groups numbered a and b become one; the new one is numbered after all before it, as
in `scipy.cluster.hierarchy`. Scores are log-odds of being one sense, in general falling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid

Join = tuple[int, int, float]
Groups = tuple[int, ...]


def joined(scores: NDArray[np.float64], sizes: NDArray[np.int64]) -> list[Join]:
    """Average linkage to the end: the pair of the highest mean score first, of equal ones the first."""
    table, weights = scores.astype(np.float64).copy(), sizes.astype(np.float64).copy()
    number = np.arange(len(table))
    np.fill_diagonal(table, -np.inf)
    found: list[Join] = []
    for fresh in range(len(table), 2 * len(table) - 1):
        a, b = sorted(int(i) for i in np.unravel_index(int(np.argmax(table)), table.shape))
        found.append((int(number[a]), int(number[b]), float(table[a, b])))
        mean = (weights[a] * table[a] + weights[b] * table[b]) / (weights[a] + weights[b])
        table[a], table[:, a] = mean, mean
        table[a, a] = -np.inf
        table[b], table[:, b] = -np.inf, -np.inf
        weights[a] += weights[b]
        number[a] = fresh
    return found


def leaves(tree: Sequence[Join], total: int) -> dict[int, Groups]:
    """The finest groups below every node."""
    below: dict[int, Groups] = {leaf: (leaf,) for leaf in range(total)}
    for at, (a, b, _) in enumerate(tree):
        below[total + at] = tuple(sorted((*below[a], *below[b])))
    return below


def cut(tree: Sequence[Join], total: int, joins: int) -> list[Groups]:
    """The division after the first `joins` joins, in the order of their first group."""
    below, alive = leaves(tree, total), set(range(total))
    for at, (a, b, _) in enumerate(tree[:joins]):
        alive -= {a, b}
        alive.add(total + at)
    return sorted(below[node] for node in alive)


def cut_into(tree: Sequence[Join], total: int, senses: int) -> list[Groups]:
    """The division into so many senses. Invalid where there are fewer finest groups."""
    if not 1 <= senses <= total:
        raise Invalid(f"these occurrences fall into 1 to {total} senses, not {senses}")
    return cut(tree, total, total - senses)


def joins_above(tree: Sequence[Join], threshold: float) -> int:
    """How many of the first joins score `threshold` or more."""
    return next((at for at, (_, _, score) in enumerate(tree) if score < threshold), len(tree))


def split(tree: Sequence[Join], total: int, sense: Iterable[int]) -> list[Groups]:
    """A sense in two, where its last join was. Invalid for a sense of one finest group."""
    wanted = set(sense)
    below = leaves(tree, total)
    for a, b, _ in reversed(tree):
        left, right = wanted & set(below[a]), wanted & set(below[b])
        if left and right and left | right == wanted:
            return [tuple(sorted(left)), tuple(sorted(right))]
    raise Invalid("this sense cannot be split further: nothing tells its occurrences apart")
