"""Which tokens a masked language model must guess, and what stands in their place. Pure NumPy.

Devlin et al. 2019, section 3.1: of the chosen tokens 80 % become the mask, 10 % another token, 10 % stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MASK, _OTHER = 0.8, 0.1


@dataclass(frozen=True, slots=True)
class Masked:
    """`ids` as the model reads them, and where (`chosen`) it must say what stood there. Both (B, L)."""

    ids: NDArray[np.int64]
    chosen: NDArray[np.bool_]


def hide(
    ids: NDArray[np.int64],
    eligible: NDArray[np.bool_],
    share: float,
    mask: int,
    tokens: tuple[int, int],
    numbers: np.random.Generator,
) -> Masked:
    """Chooses each eligible token with chance `share`; other tokens are drawn from the ids [tokens[0], tokens[1]).

    At least one eligible token is chosen where there is any.
    """
    drawn = np.where(eligible, numbers.random(ids.shape), 2.0)
    chosen = drawn < share
    if not chosen.any() and eligible.any():
        chosen = drawn == drawn.min()
    how = numbers.random(ids.shape)
    found = np.where(chosen & (how < _MASK), mask, ids)
    others = numbers.integers(*tokens, size=ids.shape)
    found = np.where(chosen & (how >= _MASK) & (how < _MASK + _OTHER), others, found)
    return Masked(found.astype(np.int64), chosen)
