"""What a search sees: a generation's rows, the vectors added since, without the rows removed since."""

from __future__ import annotations

import numpy as np

from riparian.types import Ids, Matrix
from riparian.vectors import exact
from riparian.vectors.base import Neighbours, VectorIndex
from riparian.vectors.flat import FlatIndex

_ASK_FOR_MORE = 64  # hidden rows up to which asking for that many more is cheaper than a filter


class View:
    """The rows of `base` that are neither in `removed` nor replaced by `delta`, and the rows of `delta`.

    An id in both `removed` and `delta` is alive: it was added again. Where `base` is exact, so is the view: its answers
    equal those of one FlatIndex over the alive rows, to the bit. `ValueError` where base and delta differ in dimension.
    """

    def __init__(self, base: VectorIndex | None, delta: FlatIndex, removed: Ids) -> None:
        if base is not None and base.dimension != delta.dimension:
            raise ValueError(f"base has dimension {base.dimension}, delta {delta.dimension}")
        self._base, self._delta = base, delta
        base_ids = np.empty(0, dtype=np.int64) if base is None else base.ids
        gone = np.union1d(np.asarray(removed, dtype=np.int64), delta.ids)
        self._hidden = base_ids[exact.rows_among(base_ids, gone)]
        self._kept = np.setdiff1d(base_ids, self._hidden, assume_unique=True) if len(self._hidden) else base_ids
        self._ids = np.union1d(self._kept, delta.ids)

    @property
    def dimension(self) -> int:
        return self._delta.dimension

    @property
    def ids(self) -> Ids:
        return self._ids

    @property
    def hidden(self) -> int:
        """Rows of the base that are removed or replaced."""
        return len(self._hidden)

    @property
    def added(self) -> int:
        """Rows that no generation holds yet."""
        return len(self._delta)

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, queries: Matrix, k: int, allowed: Ids | None = None) -> list[Neighbours]:
        checked = exact.check_queries(queries, self.dimension, k)
        from_delta = self._delta.nearest(checked, k, allowed)
        if self._base is None or not len(self._kept):
            return from_delta
        from_base = self._nearest_in_base(self._base, checked, k, allowed)
        return [_merge(one, other, k) for one, other in zip(from_base, from_delta, strict=True)]

    def vectors(self, ids: Ids) -> Matrix:
        wanted = np.asarray(ids, dtype=np.int64)
        exact.rows_of(self._ids, wanted)
        fresh = np.isin(wanted, self._delta.ids)
        matrix = np.empty((len(wanted), self.dimension), dtype=np.float32)
        matrix[fresh] = self._delta.vectors(wanted[fresh])
        if self._base is not None and not fresh.all():
            matrix[~fresh] = self._base.vectors(wanted[~fresh])
        return matrix

    def _nearest_in_base(self, base: VectorIndex, queries: Matrix, k: int, allowed: Ids | None) -> list[Neighbours]:
        if allowed is not None:
            kept = np.setdiff1d(allowed, self._hidden, assume_unique=True) if len(self._hidden) else allowed
            return base.nearest(queries, k, kept)
        if len(self._hidden) > _ASK_FOR_MORE:
            return base.nearest(queries, k, self._kept)
        found = base.nearest(queries, k + len(self._hidden))
        return [_without(neighbours, self._hidden, k) for neighbours in found] if len(self._hidden) else found


def _without(neighbours: Neighbours, hidden: Ids, k: int) -> Neighbours:
    kept = np.flatnonzero(~np.isin(neighbours.ids, hidden))[:k]
    return Neighbours(neighbours.ids[kept], neighbours.scores[kept])


def _merge(one: Neighbours, other: Neighbours, k: int) -> Neighbours:
    return exact.best(np.concatenate((one.ids, other.ids)), np.concatenate((one.scores, other.scores)), k)
