"""Every dimension with mean 0 and spread 1, so that one learning rate fits encoders of every kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix

_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Scaling:
    """`mean` and `spread`, float32 (d,), of the vectors that are learnt from."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Matrix) -> Scaling:
        """A dimension that is always the same is left at 0."""
        spread = vectors.std(axis=0, dtype=np.float64)
        return cls(
            vectors.mean(axis=0, dtype=np.float64).astype(np.float32),
            np.where(spread > _LEAST, spread, np.inf).astype(np.float32),
        )

    def apply(self, vectors: Matrix) -> Matrix:
        """(N, d) as learnt from."""
        return np.asarray((vectors - self.mean) / self.spread, dtype=np.float32)

    def folded(
        self, weights: NDArray[np.float32], biases: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(..., L, d) weights and (..., L) biases for scaled vectors as those for vectors as they come."""
        plain = weights.astype(np.float64) / self.spread
        moved = biases - plain @ self.mean.astype(np.float64)
        return plain.astype(np.float32), moved.astype(np.float32)
