"""How often words stand near each other (Pennington et al. 2014, section 4.2). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from riparian.encoders.static_training.corpus import Numbers


@dataclass(frozen=True, slots=True)
class Counts:
    """The pairs of words that occur together: `rows` and `columns` int32, `values` float64 > 0, sorted by row."""

    rows: Numbers
    columns: Numbers
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)


def count(stretches: Sequence[Numbers], words: int, reach: int) -> Counts:
    """Each pair of words at a distance of d <= `reach` words counts 1/d, once in either direction."""
    line = np.concatenate(stretches)
    stretch = np.repeat(np.arange(len(stretches)), [len(part) for part in stretches])
    found: Any = sparse.csr_array((words, words), dtype=np.float64)
    for distance in range(1, reach + 1):
        together = stretch[:-distance] == stretch[distance:]
        pairs = (line[:-distance][together], line[distance:][together])
        # whole numbers are summed, so that no order of adding can show
        times = sparse.coo_array((np.ones(len(pairs[0])), pairs), shape=(words, words)).tocsr()
        found = found + times / distance
    both = (found + found.T).tocoo()
    order = np.lexsort((both.col, both.row))
    rows, columns = (np.asarray(index[order], dtype=np.int32) for index in (both.row, both.col))
    return Counts(rows, columns, np.asarray(both.data[order], dtype=np.float64))
