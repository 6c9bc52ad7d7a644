"""The scalar mix of layers (Peters et al. 2018, equation 1): gamma * sum_j softmax(s)_j * h_j. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Mix:
    """`scalars` are the s_j, one for each layer from the characters (0) up."""

    scalars: tuple[float, ...]
    gamma: float = 1.0

    @classmethod
    def uniform(cls, layers: int) -> Mix:
        """All layers equally."""
        return cls((0.0,) * layers)

    @classmethod
    def only(cls, layer: int, layers: int) -> Mix:
        """One layer exactly. `ValueError` where there is none of that number."""
        if not 0 <= layer < layers:
            raise ValueError(f"layer {layer} of {layers}")
        return cls(tuple(0.0 if number == layer else _NEVER for number in range(layers)))

    def weights(self) -> tuple[float, ...]:
        """softmax(s), without gamma; sums to 1."""
        highest = max(self.scalars)
        powers = [math.exp(scalar - highest) for scalar in self.scalars]
        total = math.fsum(powers)
        return tuple(power / total for power in powers)
