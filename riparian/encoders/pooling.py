"""From token states to one vector, and unit rows. Pure NumPy; padding never enters."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix

Pooling = Literal["mean", "cls", "max"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def pool(states: NDArray[np.float32], mask: NDArray[Any], how: Pooling) -> Matrix:
    """(B, L, H) states and a (B, L) mask of positions that count → (B, H); rows without any such position are zero.

    mean = over the masked positions; max = per component over them; cls = the first position of the row.
    """
    if how == "cls":
        return np.array(states[:, 0], dtype=np.float32)
    if how == "max":
        return np.asarray(np.where(mask[:, :, None].astype(bool), states, -np.inf).max(axis=1), dtype=np.float32)
    weights = mask.astype(np.float32)
    counts = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    return np.asarray(np.matmul(weights[:, None, :], states)[:, 0] / counts, dtype=np.float32)


def shares(states: NDArray[np.float32], mask: NDArray[Any], how: Pooling) -> NDArray[np.float32]:
    """(B, L, 1) or (B, L, H) weights with which the states sum to what `pool` gives."""
    weights = mask.astype(np.float32)[:, :, None]
    if how == "mean":
        return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1.0)), dtype=np.float32)
    positions = np.arange(states.shape[1])[None, :, None]
    if how == "cls":
        return np.asarray(positions == 0, dtype=np.float32)
    largest = np.where(weights.astype(bool), states, -np.inf).argmax(axis=1)
    return np.asarray(positions == largest[:, None, :], dtype=np.float32)


def unit_rows(rows: Matrix) -> Matrix:
    """Each row divided by its length; rows that are all zero stay zero, never NaN."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(np.divide(rows, lengths, out=np.zeros(rows.shape), where=lengths > 0), dtype=np.float32)
