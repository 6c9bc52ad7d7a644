"""The nearest rows of each row, exactly, by cosine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix

_ENTRIES_AT_ONCE = 16_000_000


def nearest(queries: Matrix, rows: Matrix, count: int) -> tuple[NDArray[np.int64], Matrix]:
    """(numbers (Q, count), cosines (Q, count)) of the unit rows nearest each unit query, nearest first; of equally near
    ones the earlier row. `count` is at most the number of rows."""
    numbers = np.empty((len(queries), count), np.int64)
    cosines = np.empty((len(queries), count), np.float32)
    step = max(1, _ENTRIES_AT_ONCE // max(len(rows), 1))
    for start in range(0, len(queries), step):
        products = queries[start : start + step] @ rows.T
        found = np.argpartition(-products, count - 1, axis=1)[:, :count] if count < len(rows) else _all(products)
        found.sort(axis=1)
        near = np.take_along_axis(products, found, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        numbers[start : start + step] = np.take_along_axis(found, order, axis=1)
        cosines[start : start + step] = np.take_along_axis(near, order, axis=1)
    return numbers, cosines


def _all(products: Matrix) -> NDArray[np.int64]:
    return np.tile(np.arange(products.shape[1]), (len(products), 1))
