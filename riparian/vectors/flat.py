"""Exact search by NumPy: the reference that every other index is measured against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix
from riparian.vectors import exact
from riparian.vectors.base import Neighbours

_SCORES_AT_ONCE = 4_000_000  # floats of one product, 16 MB
_QUERIES_AT_ONCE = 64
_GATHER_BELOW = 0.25  # of the rows: copying fewer is cheaper than scoring all and masking


class FlatIndex:
    """Every row is compared. `ids` are ascending and unique; `matrix` is float32 (rows, dimension), memory-mapped or
    not, and is not copied. `ValueError` for ids that are not, for another shape, for NaN or infinity in a row.

    Scores are the same to the bit for a query alone and in any batch, with and without `allowed`.
    """

    def __init__(self, ids: Ids, matrix: Matrix) -> None:
        if matrix.ndim != 2 or matrix.dtype != np.float32:
            raise ValueError(f"the matrix must be float32 with two axes, got {matrix.dtype} {matrix.shape}")
        self._ids = exact.check_ids(ids, len(matrix))
        self._matrix = matrix
        self._longest_row = _longest_row(matrix)

    @property
    def dimension(self) -> int:
        return int(self._matrix.shape[1])

    @property
    def ids(self) -> Ids:
        return self._ids

    @property
    def matrix(self) -> Matrix:
        """The rows beside `ids`; not to be written to."""
        return self._matrix

    @property
    def longest_row(self) -> float:
        return self._longest_row

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, queries: Matrix, k: int, allowed: Ids | None = None) -> list[Neighbours]:
        checked = exact.check_queries(queries, self.dimension, k)
        rows = None if allowed is None else exact.rows_among(self._ids, allowed)
        return [
            found
            for start in range(0, len(checked), _QUERIES_AT_ONCE)
            for found in self._nearest(checked[start : start + _QUERIES_AT_ONCE], k, rows)
        ]

    def vectors(self, ids: Ids) -> Matrix:
        return np.ascontiguousarray(self._matrix[exact.rows_of(self._ids, ids)])

    def save(self, folder: Path) -> Sequence[str]:
        np.ascontiguousarray(self._matrix, dtype="<f4").tofile(folder / "vectors.f32")
        self._ids.astype("<i8").tofile(folder / "ids.i64")
        return ("vectors.f32", "ids.i64")

    def _nearest(self, queries: Matrix, k: int, rows: exact.Rows | None) -> list[Neighbours]:
        proposals = [_Proposals(k, self._margin(query)) for query in queries]
        for block, products in self._products(queries, rows):
            for proposal, scores in zip(proposals, products, strict=True):
                proposal.add(block, scores)
        return [self._decide(query, proposal.rows(), k) for query, proposal in zip(queries, proposals, strict=True)]

    def _margin(self, query: NDArray[np.float32]) -> float:
        return exact.rounding_margin(self.dimension, self._longest_row, query)

    def _products(self, queries: Matrix, rows: exact.Rows | None) -> Iterator[tuple[exact.Rows, Matrix]]:
        """Blocks of row numbers with the queries' products, (B, rows of the block)."""
        if rows is not None and len(rows) >= _GATHER_BELOW * len(self._ids):
            return self._masked(queries, rows)
        return self._gathered(queries, rows)

    def _gathered(self, queries: Matrix, rows: exact.Rows | None) -> Iterator[tuple[exact.Rows, Matrix]]:
        size = max(1, _SCORES_AT_ONCE // max(1, len(queries)))
        count = len(self._ids) if rows is None else len(rows)
        for start in range(0, count, size):
            if rows is None:
                numbers = np.arange(start, min(start + size, count))
                yield numbers, queries @ self._matrix[start : start + size].T
            else:
                numbers = rows[start : start + size]
                yield numbers, queries @ self._matrix[numbers].T

    def _masked(self, queries: Matrix, rows: exact.Rows) -> Iterator[tuple[exact.Rows, Matrix]]:
        mask = np.zeros(len(self._ids), dtype=np.bool_)
        mask[rows] = True
        for numbers, products in self._gathered(queries, None):
            kept = mask[numbers]
            yield numbers[kept], products[:, kept]

    def _decide(self, query: NDArray[np.float32], rows: exact.Rows, k: int) -> Neighbours:
        return exact.best(self._ids[rows], exact.exact_scores(self._matrix, rows, query), k)


class _Proposals:
    """Rows that may be among the k best of one query, gathered block by block."""

    def __init__(self, k: int, margin: float) -> None:
        self._k, self._margin = k, margin
        self._rows: list[exact.Rows] = []
        self._scores: list[exact.Scores] = []
        self._floor = -np.inf

    def add(self, rows: exact.Rows, scores: exact.Scores) -> None:
        self._floor = max(self._floor, exact.kth_largest(scores, self._k) - self._margin)
        kept = scores >= self._floor
        self._rows.append(rows[kept])
        self._scores.append(scores[kept])

    def rows(self) -> exact.Rows:
        if not self._rows:
            return np.empty(0, dtype=np.int64)
        rows, scores = np.concatenate(self._rows), np.concatenate(self._scores)
        return rows[scores >= exact.kth_largest(scores, self._k) - self._margin]


def _longest_row(matrix: Matrix) -> float:
    longest = 0.0
    for start in range(0, len(matrix), 65_536):
        block = matrix[start : start + 65_536]
        squares = np.einsum("ij,ij->i", block, block, dtype=np.float64)
        if not np.isfinite(squares).all():
            raise ValueError("the matrix holds NaN or infinity")
        longest = max(longest, float(squares.max(initial=0.0)))
    return math.sqrt(longest)
