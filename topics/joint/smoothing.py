"""Passages pulled towards their neighbours: what a single vector says by chance is averaged out.

y ← e; `rounds` times: y_i ← unit(e_i + w · Σ_j G_ij y_j), G_ij = max(0, cos_ij) ÷ its sum over the m nearest others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

_SCORES = 1 << 22  # scores held at a time, whatever the number of rows


def unit(rows: Matrix) -> Matrix:
    """Rows of length 1; a row without direction stays zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-9), dtype=np.float32)


def neighbour_weights(queries: Matrix, landmarks: Matrix, neighbours: int, *, own: bool) -> csr_matrix:
    """(N, L) CSR: the positive cosines of each query's nearest landmarks, divided by their sum.

    `own`: query i is landmark i while i < L, and is not its own neighbour. Exact, a block of rows at a time; memory is
    bounded by the block, cost is N · L.
    """
    count = min(neighbours, len(landmarks) - (1 if own else 0))
    if count < 1:
        return csr_matrix((len(queries), len(landmarks)), dtype=np.float32)
    nearest = np.empty((len(queries), count), np.int32)
    weights = np.empty((len(queries), count), np.float32)
    size = max(1, _SCORES // len(landmarks))
    for start in range(0, len(queries), size):
        rows = slice(start, min(start + size, len(queries)))
        nearest[rows], weights[rows] = _nearest(queries[rows], landmarks, count, start if own else len(landmarks))
    return _normalised(nearest, weights, len(landmarks))


def _nearest(queries: Matrix, landmarks: Matrix, count: int, first: int) -> tuple[NDArray[np.int64], Matrix]:
    scores = queries @ landmarks.T
    themselves = np.arange(min(len(queries), max(len(landmarks) - first, 0)))
    scores[themselves, first + themselves] = -np.inf
    found = np.sort(np.argpartition(scores, scores.shape[1] - count, axis=1)[:, -count:], axis=1)
    return found, np.maximum(np.take_along_axis(scores, found, axis=1), 0)


def _normalised(nearest: NDArray[np.int32], weights: Matrix, columns: int) -> csr_matrix:
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    starts = np.arange(0, nearest.size + 1, nearest.shape[1])
    return csr_matrix((weights.ravel(), nearest.ravel(), starts), shape=(len(nearest), columns))


def smooth(vectors: Matrix, landmarks: int, neighbours: int, pull: float, rounds: int) -> Matrix:
    """Smoothed rows of unit vectors (N, E): the first `landmarks` among each other, the rest from those."""
    inner = vectors[:landmarks]
    graph = neighbour_weights(inner, inner, neighbours, own=True)
    smoothed = inner
    for _ in range(rounds):
        smoothed = unit(inner + np.float32(pull) * (graph @ smoothed))
    if len(vectors) <= landmarks:
        return smoothed
    return np.concatenate([smoothed, fold_in(vectors[landmarks:], inner, smoothed, neighbours, pull)])


def fold_in(vectors: Matrix, landmarks: Matrix, smoothed: Matrix, neighbours: int, pull: float) -> Matrix:
    """Smoothed rows of new vectors, from landmarks (L, E) whose smoothed rows are known. A row depends on no other."""
    graph = neighbour_weights(vectors, landmarks, neighbours, own=False)
    return unit(vectors + np.float32(pull) * (graph @ smoothed))
