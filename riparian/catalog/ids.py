"""Ids in and out of SQL as int64 arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from riparian.types import Ids

T = TypeVar("T")

CHUNK = 5_000  # SQLite allows 32,766 variables in a statement, PostgreSQL 65,535


def in_chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def as_ids(values: Iterable[int]) -> Ids:
    """Ascending int64."""
    return np.sort(np.fromiter(values, dtype=np.int64))


def as_ints(ids: Ids | Sequence[int]) -> list[int]:
    """Plain integers, which every database driver takes."""
    return [int(value) for value in ids]
