"""Exact scores and their order: every index answers through these, so that their values are the same to the bit.

A matrix product gives a slightly different last digit for a query alone and for the same query in a batch. So the fast
product only proposes: every row that could be among the k best, given the product's largest rounding error, is scored
again in float64, row by row, and that score decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix
from riparian.vectors.base import Neighbours

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]

_ROWS_AT_ONCE = 16_384
_UNIT_ROUNDOFF = 2.0**-24  # of float32


def check_queries(queries: Matrix, dimension: int, k: int) -> Matrix:
    """The queries as contiguous float32 (B, dimension). `ValueError` for another shape, NaN or infinity, or k < 1."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    checked = np.ascontiguousarray(queries, dtype=np.float32)
    if checked.ndim != 2 or checked.shape[1] != dimension:
        raise ValueError(f"queries must have shape (any, {dimension}), got {checked.shape}")
    if not np.isfinite(checked).all():
        raise ValueError("queries hold NaN or infinity")
    return checked


def check_ids(ids: Ids, rows: int) -> Ids:
    """The ids as int64. `ValueError` unless they are ascending, unique and as many as the rows."""
    checked = np.ascontiguousarray(ids, dtype=np.int64)
    if checked.shape != (rows,):
        raise ValueError(f"{rows} rows need {rows} ids, got shape {checked.shape}")
    if rows > 1 and not (checked[1:] > checked[:-1]).all():
        raise ValueError("ids must be ascending and unique")
    return checked


def rounding_margin(dimension: int, longest_row: float, query: NDArray[np.float32]) -> float:
    """How far two float32 products of the same row and query may lie apart, summed in any order (twice gamma_d)."""
    return 4.0 * (dimension + 1) * _UNIT_ROUNDOFF * longest_row * float(np.linalg.norm(query.astype(np.float64)))


def exact_scores(matrix: Matrix, rows: Rows, query: NDArray[np.float32]) -> Scores:
    """Inner products of the query with these rows of the matrix; a row's score does not depend on its company."""
    wide = query.astype(np.float64)
    scores = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        scores[start : start + len(part)] = (matrix[part].astype(np.float64) * wide).sum(axis=1)
    return scores


def best(ids: Ids, scores: Scores, k: int) -> Neighbours:
    """The k best, by falling score, equal scores by rising id."""
    order = np.lexsort((ids, -scores))[:k]
    return Neighbours(ids[order], scores[order])


def kth_largest(scores: Scores, k: int) -> float:
    """The k-th largest value, or -inf where there are fewer."""
    if len(scores) < k:
        return -np.inf
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def find(ids: Ids, wanted: Ids) -> tuple[Rows, NDArray[np.bool_]]:
    """For each wanted id its row in the ascending `ids`, and whether it is there (its row says nothing if not)."""
    if not len(ids):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    rows = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return rows, ids[rows] == wanted


def rows_among(ids: Ids, allowed: Ids) -> Rows:
    """The rows whose id is allowed, ascending, each once."""
    rows, there = find(ids, allowed)
    mask = np.zeros(len(ids), dtype=np.bool_)
    mask[rows[there]] = True
    return np.flatnonzero(mask)


def rows_of(ids: Ids, wanted: Ids) -> Rows:
    """The row of each wanted id, in the order given. `KeyError` names the first id that is not there."""
    rows, there = find(ids, np.asarray(wanted, dtype=np.int64))
    if not there.all():
        raise KeyError(int(np.asarray(wanted)[~there][0]))
    return rows
