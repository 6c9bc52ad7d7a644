"""Where words of a vocabulary meet: in windows of ten words and in whole texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from topics.base import BagOfWords

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW = 10
_TINY = 1e-12
_TOKENS_A_PASS = 1_000_000
_DENSE = 4_096  # words whose pairs all fit a table
_WORDS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Where words of a pool meet: `together` and `texts` are symmetric (U, U); their diagonals count single words.

    `together` counts sliding windows of ten words (repeats add up), `texts` whole texts.
    """

    together: Reals
    windows: float
    texts: Reals
    number: int


@dataclass(frozen=True, slots=True)
class Meetings:
    """The same for chosen pairs: `alone` and `texts` (U,) count single words, `together` and `both` (P,) the pairs, in
    windows and in whole texts."""

    alone: Reals
    together: Reals
    windows: float
    texts: Reals
    both: Reals
    number: int

    def __add__(self, other: Meetings) -> Meetings:
        return Meetings(
            self.alone + other.alone, self.together + other.together, self.windows + other.windows,
            self.texts + other.texts, self.both + other.both, self.number + other.number,
        )  # fmt: skip


def pair_counts(bag: BagOfWords, union: Ints) -> PairCounts:
    """Window and text counts of the words `union` (ascending vocabulary numbers). Cost: linear in the tokens."""
    size = len(union)
    present = bag.counts[:, union]
    present.data = np.ones_like(present.data)
    texts = np.asarray((present.T @ present).todense(), np.float64)
    place = np.full(len(bag.vocabulary), -1, np.int64)
    place[union] = np.arange(size)
    together = np.zeros(size * size)
    for a, b, windows_of_both in _meetings(bag, place):
        together += np.bincount(a * size + b, weights=windows_of_both, minlength=size * size)
    square = together.reshape(size, size)
    square = square + square.T - np.diag(np.diag(square))
    return PairCounts(square, _windows(bag), texts, len(bag))


def meetings(bag: BagOfWords, union: Ints, rows: Ints, columns: Ints) -> Meetings:
    """Counts of the words `union` (ascending vocabulary numbers) and of the pairs (rows < columns, places in `union`,
    ascending). Memory grows with the words and the pairs asked for, not with all pairs there could be."""
    size = len(union)
    place = np.full(len(bag.vocabulary), -1, np.int64)
    place[union] = np.arange(size)
    find = _finder(rows * size + columns, size)
    alone, together = np.zeros(size), np.zeros(len(rows))
    for a, b, windows in _meetings(bag, place):
        same = a == b
        alone += np.bincount(a[same], weights=windows[same], minlength=size)
        pair = find(np.minimum(a, b)[~same] * size + np.maximum(a, b)[~same])
        asked = pair >= 0
        together += np.bincount(pair[asked], weights=windows[~same][asked], minlength=len(rows))
    present = bag.counts[:, union]
    present.data = np.ones_like(present.data)
    texts = np.asarray(present.sum(axis=0), np.float64).ravel()
    return Meetings(alone, together, _windows(bag), texts, _texts_of_both(present, rows, columns), len(bag))


def _finder(keys: Ints, size: int) -> Callable[[Ints], Ints]:
    """For keys asked for, their places among the ascending `keys`, -1 for others."""
    if size <= _DENSE:
        table = np.full(size * size, -1, np.int32)
        table[keys] = np.arange(len(keys), dtype=np.int32)
        return lambda asked: table[asked].astype(np.int64)

    def search(asked: Ints) -> Ints:
        found = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
        return np.where(keys[found] == asked, found, -1) if len(keys) else np.full(len(asked), -1, np.int64)

    return search


def _texts_of_both(present: csr_matrix, rows: Ints, columns: Ints) -> Reals:
    found = np.zeros(len(rows))
    others = present.tocsc()
    for start in range(0, present.shape[1], _WORDS_AT_ONCE):
        first, last = np.searchsorted(rows, [start, start + _WORDS_AT_ONCE])
        both = (others[:, start : start + _WORDS_AT_ONCE].T @ present).toarray()
        found[first:last] = both[rows[first:last] - start, columns[first:last]]
    return found


def _windows(bag: BagOfWords) -> float:
    return float(np.maximum(np.diff(bag.starts) - WINDOW + 1, 1).sum()) if len(bag) else 0.0


def _meetings(bag: BagOfWords, place: Ints) -> Iterator[tuple[Ints, Ints, Reals]]:
    """Words (by `place`, -1 left out) at positions i and i + t of one text, and how many windows hold both:
    max(0, min(i, last) - max(0, i + t - 9) + 1), last = max(length - 10, 0). Equal words only as themselves (t = 0)."""
    lengths = np.diff(bag.starts)
    for start, end in _passes(bag.starts):
        tokens = place[bag.tokens[bag.starts[start] : bag.starts[end]]]
        yield from _meetings_of(tokens, lengths[start:end])


def _passes(starts: Ints) -> list[tuple[int, int]]:
    """Ranges of texts with a bounded number of tokens each."""
    cuts = np.searchsorted(starts, np.arange(0, starts[-1] + _TOKENS_A_PASS, _TOKENS_A_PASS), side="left")
    edges = np.unique(np.concatenate([[0], np.minimum(cuts, len(starts) - 1), [len(starts) - 1]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _meetings_of(tokens: Ints, lengths: Ints) -> Iterator[tuple[Ints, Ints, Reals]]:
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
        yield a, b, np.maximum(0, np.minimum(position[left], last[left]) - first + 1).astype(np.float64)


def npmi(counts: Meetings, rows: Ints, columns: Ints) -> Reals:
    """Of the pairs: log(p_ij / (p_i p_j)) / -log p_ij over windows, with 1e-12 added to p_ij."""
    one = counts.alone / max(counts.windows, 1)
    both = counts.together / max(counts.windows, 1) + _TINY
    return np.asarray(np.log(both / np.maximum(one[rows] * one[columns], 1e-14)) / -np.log(both))
