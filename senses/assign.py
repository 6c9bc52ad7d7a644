"""Gives occurrences the groups of others whose groups are known: those beyond the ones that senses are found in, and
those in documents that came later."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from senses.graph import Labels, unit
from senses.views import Views

NEIGHBOURS = 10


def assigned(known: Views, groups: Labels, fresh: Views) -> tuple[Labels, NDArray[np.float32]]:
    """The group of each fresh row by a vote of its nearest known rows, weighted by likeness (token, context and window
    less the mean of the known rows); and its doubt, the share of that weight which went to other groups."""
    near = _alike(known, fresh)
    number = min(NEIGHBOURS, near.shape[1])
    nearest = np.argpartition(-near, number - 1, axis=1)[:, :number]
    weights = np.maximum(np.take_along_axis(near, nearest, axis=1), 1e-6)
    votes = np.zeros((len(fresh), int(groups.max()) + 1), dtype=np.float64)
    np.add.at(votes, (np.arange(len(fresh))[:, None], groups[nearest]), weights)
    chosen = votes.argmax(axis=1).astype(np.int64)
    won = votes[np.arange(len(fresh)), chosen] / np.maximum(votes.sum(axis=1), 1e-9)
    doubt: NDArray[np.float32] = (1 - won).astype(np.float32)
    return chosen, doubt


def _alike(known: Views, fresh: Views) -> Matrix:
    """(fresh, known): the mean cosine over the three views."""
    total: Matrix = np.zeros((len(fresh), len(known)), dtype=np.float32)
    for name in ("token", "context", "window"):
        middle = getattr(known, name).mean(axis=0)
        total += unit(getattr(fresh, name) - middle) @ unit(getattr(known, name) - middle).T
    total /= 3
    return total
