"""Where words of a vocabulary meet: in windows of ten words and in whole texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topics.base import BagOfWords

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW = 10
_TINY = 1e-12
_TOKENS_A_PASS = 2_000_000


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Where words of a pool meet: `together` and `texts` are symmetric (U, U); their diagonals count single words.

    `together` counts sliding windows of ten words (repeats add up), `texts` whole texts.
    """

    together: Reals
    windows: float
    texts: Reals
    number: int


def pair_counts(bag: BagOfWords, union: Ints) -> PairCounts:
    """Window and text counts of the words `union` (ascending vocabulary numbers). Cost: linear in the tokens."""
    size = len(union)
    present = bag.counts[:, union]
    present.data = np.ones_like(present.data)
    texts = np.asarray((present.T @ present).todense(), np.float64)
    lengths = np.diff(bag.starts)
    place = np.full(len(bag.vocabulary), -1, np.int64)
    place[union] = np.arange(size)
    together = np.zeros(size * size)
    for start, end in _passes(bag.starts):
        tokens = place[bag.tokens[bag.starts[start] : bag.starts[end]]]
        together += _window_counts(tokens, lengths[start:end], size)
    square = together.reshape(size, size)
    square = square + square.T - np.diag(np.diag(square))
    windows = float(np.maximum(lengths - WINDOW + 1, 1).sum()) if len(lengths) else 0.0
    return PairCounts(square, windows, texts, len(bag))


def _passes(starts: Ints) -> list[tuple[int, int]]:
    """Ranges of texts with a bounded number of tokens each."""
    cuts = np.searchsorted(starts, np.arange(0, starts[-1] + _TOKENS_A_PASS, _TOKENS_A_PASS), side="left")
    edges = np.unique(np.concatenate([[0], np.minimum(cuts, len(starts) - 1), [len(starts) - 1]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _window_counts(tokens: Ints, lengths: Ints, size: int) -> Reals:
    """Flat (U·U): for words at positions i and i + t of one text, the windows that hold both:
    max(0, min(i, last) - max(0, i + t - 9) + 1), last = max(length - 10, 0)."""
    total = np.zeros(size * size)
    position = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    length = np.repeat(lengths, lengths)
    last = np.maximum(length - WINDOW, 0)
    for lag in range(WINDOW):
        left = np.flatnonzero((tokens >= 0) & (position + lag < length))
        left = left[tokens[left + lag] >= 0]
        a, b = tokens[left], tokens[left + lag]
        if lag:
            left, a, b = left[a != b], a[a != b], b[a != b]
        first = np.maximum(0, position[left] + lag - (WINDOW - 1))
        held = np.maximum(0, np.minimum(position[left], last[left]) - first + 1)
        total += np.bincount(a * size + b, weights=held, minlength=size * size)
    return total


def npmi(counts: PairCounts, rows: Ints, columns: Ints) -> Reals:
    """log(p_ij / (p_i p_j)) / -log p_ij over windows, with 1e-12 added to p_ij."""
    one = np.diag(counts.together) / max(counts.windows, 1)
    both = counts.together[rows, columns] / max(counts.windows, 1) + _TINY
    return np.asarray(np.log(both / np.maximum(one[rows] * one[columns], 1e-14)) / -np.log(both))
