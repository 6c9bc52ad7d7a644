"""What a linear layer says of vectors. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix


def logits(weights: NDArray[np.float32], biases: NDArray[np.float32], rows: Matrix) -> NDArray[np.float64]:
    """(N, L) in double precision, so that a row's answer does not depend on what it is computed with."""
    return np.asarray(rows.astype(np.float64) @ weights.T.astype(np.float64) + biases, dtype=np.float64)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that sum to 1."""
    if not len(scores):
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
