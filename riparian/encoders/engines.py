"""What computes token states: the seam between a transformer encoder and its run time."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs one batch. Safe to call from several threads.

    `budget` is the number of padded tokens that a batch should hold, `workers` how many batches should run at once.
    An engine with `pads` False takes only batches whose rows have one length.
    """

    @property
    def name(self) -> str: ...

    @property
    def budget(self) -> int: ...

    @property
    def workers(self) -> int: ...

    @property
    def pads(self) -> bool: ...

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, L) ids and mask (1 = a token, 0 = padding) → the last layer's states, float32 (B, L, H).

        Raises MemoryError when the batch does not fit.
        """
        ...
