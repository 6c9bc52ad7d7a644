"""What every vector index is: nearest rows by inner product, over ids that are not row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest ids of one query, best first: `ids` int64 (k,), `scores` float32 (k,). Equal scores: smaller id
    first.

    Shorter than k when fewer rows are allowed; never padded.
    """

    ids: Ids
    scores: NDArray[np.float32]


class VectorIndex(Protocol):
    """Read-only nearest-neighbour search over a fixed set of rows. Safe to call from several threads."""

    @property
    def dimension(self) -> int: ...

    @property
    def ids(self) -> Ids:
        """Ascending, unique."""
        ...

    def nearest(self, queries: Matrix, k: int, allowed: Ids | None = None) -> list[Neighbours]:
        """The k nearest rows of each query, among `allowed` (ascending ids) when given.

        `ValueError` for a wrong dimension, NaN, or k < 1.
        """
        ...

    def vectors(self, ids: Ids) -> Matrix:
        """The stored rows of these ids, in the order given. `KeyError` for an unknown id."""
        ...


class WritableIndex(VectorIndex, Protocol):
    def save(self, folder: Path) -> Sequence[str]:
        """Writes its files into an existing folder and returns their names."""
        ...
