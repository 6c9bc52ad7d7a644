"""Vectors of one occurrence from the token vectors of its sentence: all from one forward pass.

- `token`: the mean over the target's own pieces;
- `context`: the mean over every other piece;
- `window`: the mean over the pieces of words at most `NEAR` words away from the target, which is left out;
- `sentence`: the mean over all pieces.

Each has length 1. Where there is no other piece the context is the sentence, and where no near one the window is the
context. A target without any piece (a static encoder that does not know it) gives zero rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoding
from riparian.text import words
from riparian.types import Matrix, Span

NAMES = ("token", "context", "window", "sentence")
NEAR = 5
LONGEST, KEPT = 150, 120  # words of a sentence; a longer one is cut to so many around the target


@dataclass(frozen=True, slots=True)
class Views:
    """Row i of each matrix is occurrence i; float32, unit length or zero."""

    token: Matrix
    context: Matrix
    window: Matrix
    sentence: Matrix

    def __len__(self) -> int:
        return len(self.token)

    def take(self, rows: NDArray[np.int64]) -> Views:
        return Views(self.token[rows], self.context[rows], self.window[rows], self.sentence[rows])


def stacked(views: Sequence[Views]) -> Views:
    return Views(*(np.concatenate([getattr(one, name) for one in views]) for name in NAMES))


def cut_around(text: str, target: Span) -> Span:
    """The stretch of a sentence that is encoded: all of it, or `KEPT` words around the target where it is longer than
    `LONGEST` words."""
    found = words(text)
    if len(found) <= LONGEST:
        return Span(0, len(text))
    at = next((number for number, word in enumerate(found) if word.end > target.start), len(found) - 1)
    first = max(0, min(at - KEPT // 2, len(found) - KEPT))
    last = min(len(found), first + KEPT) - 1
    return Span(min(found[first].start, target.start), max(found[last].end, target.end))


def views_of(encoding: Encoding, text: str, target: Span) -> NDArray[np.float32]:
    """(4, token_dim): the vectors of an occurrence in the order of `NAMES`. `encoding` is that of `text`."""
    vectors, offsets = encoding.vectors, encoding.offsets
    width = vectors.shape[1]
    known = encoding.known
    mine = known & _covers(offsets, target.start, target.end)
    if not mine.any():
        return np.zeros((len(NAMES), width), dtype=np.float32)
    near_start, near_end = _near(text, target)
    others = known & ~mine
    near = others & _covers(offsets, near_start, near_end)
    sentence = _mean(vectors, known)
    context = _mean(vectors, others) if others.any() else sentence
    window = _mean(vectors, near) if near.any() else context
    return np.stack([_mean(vectors, mine), context, window, sentence])


def _covers(offsets: NDArray[np.int64], start: int, end: int) -> NDArray[np.bool_]:
    """Tokens that share a code point with [start, end)."""
    found: NDArray[np.bool_] = (offsets[:, 0] < end) & (offsets[:, 1] > start)
    return found


def _near(text: str, target: Span) -> tuple[int, int]:
    found = words(text)
    before = [word for word in found if word.end <= target.start][-NEAR:]
    after = [word for word in found if word.start >= target.end][:NEAR]
    return (before[0].start if before else target.start), (after[-1].end if after else target.end)


def _mean(vectors: Matrix, rows: NDArray[np.bool_]) -> NDArray[np.float32]:
    mean = vectors[rows].mean(axis=0)
    length = float(np.linalg.norm(mean))
    found: NDArray[np.float32] = (mean / length if length else mean).astype(np.float32)
    return found
