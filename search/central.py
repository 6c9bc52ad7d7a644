"""Sentences that stand for many: central among them, and each saying something else. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix

DAMPING = 0.15
"""Erkan & Radev 2004, section 3.2: how often the walk over sentences jumps to any of them."""

FOCUS = 0.7
"""The same where the walk jumps to what is near to a query: Otterbacher, Erkan & Radev 2005, who weigh the query
so for summaries that answer questions."""

_ROUNDS = 100
_CLOSE = 1e-8

Weights = NDArray[np.float64]


def centrality(rows: Matrix, bias: Weights | None = None) -> Weights:
    """How central each sentence is, 0 to 1 with 1 for the most central: continuous LexRank (Erkan & Radev, JAIR 22,
    2004, equation 4) over the cosines of unit rows, those below 0 counting 0.

    `bias` = where the walk jumps to, by default anywhere alike; cosines with a query make it a summary for that
    (Otterbacher, Erkan & Radev 2005, equation 3). Sentences without a vector get 0.
    """
    known = rows.any(axis=1)
    if not known.any():
        return np.zeros(len(rows))
    likeness = np.maximum(rows.astype(np.float64) @ rows.astype(np.float64).T, 0.0)
    moves = likeness / np.maximum(likeness.sum(axis=1, keepdims=True), 1e-12)
    jumps = known.astype(np.float64) if bias is None else np.maximum(bias, 0.0) * known
    jumps = jumps / jumps.sum() if jumps.sum() > 0 else known / known.sum()
    jump = DAMPING if bias is None else FOCUS
    found = jumps
    for _ in range(_ROUNDS):
        fresh = jump * jumps + (1 - jump) * (moves.T @ found)
        fresh /= fresh.sum()
        if np.abs(fresh - found).max() < _CLOSE:
            break
        found = fresh
    return np.asarray(found * known / found.max(), dtype=np.float64)


def chosen(rows: Matrix, worth: Weights, count: int) -> list[int]:
    """The numbers of at most `count` unit rows, one by one: each has the most of its worth times the square of what of
    it lies outside of the rows chosen before.

    The greedy most likely set of a determinantal point process whose items have the quality sqrt(worth) (Kulesza &
    Taskar 2012, section 2.4; Chen, Zhang & Zhou 2018, algorithm 1): a repetition is worth nothing. Rows of no worth are
    never chosen; of equal ones the first.
    """
    outside = rows.astype(np.float64)
    left = worth > 0
    found: list[int] = []
    while len(found) < count and left.any():
        value = np.where(left, worth * np.square(outside).sum(axis=1), -np.inf)
        best = int(np.argmax(np.round(value, 9)))
        found.append(best)
        left[best] = False
        length = np.linalg.norm(outside[best])
        if length > _CLOSE:
            direction = outside[best] / length
            outside = outside - np.outer(outside @ direction, direction)
    return found
