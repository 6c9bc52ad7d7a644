"""How well the views of held-out documents find each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riparian.types import Matrix


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of rows whose own partner is nearer than every other: of `second` for rows of `first`, and the other
    way round. `chance` is 1/N."""

    first_to_second: float
    second_to_first: float
    chance: float


def recall(first: Matrix, second: Matrix) -> Recall:
    """Recall@1 of (N, D) unit rows whose partners have the same number. A tie with another row counts as not found."""
    scores = first @ second.T
    own = np.diag(scores).copy()
    np.fill_diagonal(scores, -np.inf)
    there, back = (float((own > scores.max(axis=axis)).mean()) for axis in (1, 0))
    return Recall(there, back, 1 / len(first))
