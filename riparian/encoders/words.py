"""From an encoder's own units to words, by offsets, so that encoders of every kind can be set side by side. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoding
from riparian.types import Matrix

WordPooling = Literal["mean", "first"]

Span = tuple[int, int]

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Words:
    """Vectors of words: `vectors` float32 (W, d) in the order of the spans; `known` is False (and the row zero)
    where no known token lies in the word."""

    spans: tuple[Span, ...]
    vectors: Matrix
    known: NDArray[np.bool_]


def spans(text: str) -> tuple[Span, ...]:
    """Runs of letters and digits, as half-open code point ranges."""
    return tuple(found.span() for found in _WORD.finditer(text))


def align(encoding: Encoding, words: Sequence[Span], pooling: WordPooling = "mean") -> Words:
    """One vector a word: of its first known token, or the mean of all known tokens that overlap it."""
    vectors = np.zeros((len(words), encoding.vectors.shape[1]), dtype=np.float32)
    known = np.zeros(len(words), dtype=np.bool_)
    starts, ends = encoding.offsets[:, 0], encoding.offsets[:, 1]
    for number, (start, end) in enumerate(words):
        inside = np.flatnonzero((starts < end) & (ends > start) & (ends > starts) & encoding.known)
        if len(inside):
            chosen = inside[:1] if pooling == "first" else inside
            vectors[number] = encoding.vectors[chosen].mean(axis=0, dtype=np.float64)
            known[number] = True
    return Words(tuple(words), vectors, known)
