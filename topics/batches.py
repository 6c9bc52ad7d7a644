"""Texts in the form that the networks read: rows of vectors and of sparse counts, gathered a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B texts: `vectors` (B, E); the words of text i and their `counts` at `starts[i]:starts[i + 1]`, no word twice
    in a text; `labels` (B,) its class, -1 where none is known. Costs B·E and what is stored, never B × V."""

    vectors: Matrix
    starts: Rows
    words: Rows
    counts: NDArray[np.float32]
    labels: Rows

    def __len__(self) -> int:
        return len(self.vectors)


class TextRows:
    """All texts, of which batches are taken."""

    def __init__(self, vectors: Matrix, counts: csr_matrix, labels: Rows | None = None) -> None:
        self._vectors = vectors
        self._starts, self._words = counts.indptr.astype(np.int64), counts.indices.astype(np.int64)
        self._counts = counts.data.astype(np.float32, copy=False)
        self._labels = np.full(len(vectors), -1, np.int64) if labels is None else labels

    def __len__(self) -> int:
        return len(self._vectors)

    def take(self, rows: Rows) -> Batch:
        """Those texts, in the order given."""
        first = self._starts[rows]
        lengths = self._starts[rows + 1] - first
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(first - starts[:-1], lengths)
        vectors = np.asarray(self._vectors[rows], np.float32)
        return Batch(vectors, starts, self._words[places], self._counts[places], self._labels[rows])

    def runs(self, size: int) -> Iterator[tuple[slice, Batch]]:
        """All texts in order, `size` at a time, with their places."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield slice(start, start + len(rows)), self.take(rows)
