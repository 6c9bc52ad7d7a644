"""From logits to the best span: the first word not after the last, not longer than an answer is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.words import Span

LONGEST = 30
"""Words of an answer at most."""

ALWAYS = -1e30
"""A threshold that every margin is above."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The best span as code points of the passage, None where it has no word; `margin` is by how much its two logits
    are above those of "no answer"."""

    span: Span | None
    margin: float


def best(logits: NDArray[np.float64], words: Sequence[Span]) -> Scored:
    """Of (1 + T, 2) logits, row 0 for "no answer": the span of at most LONGEST words with the highest sum, of equals
    the one that begins, then ends, first."""
    none, first, last = logits[0].sum(), logits[1:, 0], logits[1:, 1]
    if not len(words):
        return Scored(None, ALWAYS)
    ends = np.full((len(words), LONGEST), -np.inf)
    for more in range(min(LONGEST, len(words))):
        ends[: len(words) - more, more] = last[more:]
    sums = first[:, None] + ends
    start, more = divmod(int(sums.argmax()), LONGEST)
    return Scored((words[start][0], words[start + more][1]), float(sums[start, more] - none))
