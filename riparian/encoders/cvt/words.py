"""Sentences as the network reads them: rows of the word table, spellings, and the order in which each side reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from riparian.encoders.elmo import characters

UNKNOWN, BEGIN, END, MARKS = 0, 1, 2, 3
"""Rows of the word table: a word without a vector of its own, the sentence marks; then the words."""

VERSION = "lower-case-digits.v1"
"""Named in the fingerprint: grows when words are looked up in another form."""

_BEGIN_SPELT, _END_SPELT, _FIRST_SPELT = 0, 1, 2
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Batch:
    """B sentences between their marks, padded on the right to L.

    `rows` (B, L) of the word table; `places` (B, L) in `spelling` (W, characters), one row for each distinct word;
    `turned` (B, L) places that reverse each sentence and leave its padding; `mask` (B, L) is True at words, False at
    marks and padding.
    """

    rows: Tensor
    places: Tensor
    spelling: Tensor
    turned: Tensor
    mask: Tensor


class Words:
    """The words that have a vector of their own, most frequent first."""

    def __init__(self, words: Sequence[str], most_characters: int, lower: bool) -> None:
        self._rows = {word: MARKS + row for row, word in enumerate(words)}
        self._width, self._lower = most_characters + 2, lower

    def row(self, word: str) -> int:
        return self._rows.get(form(word), UNKNOWN)

    def batch(self, sentences: Sequence[Sequence[str]], device: str = "cpu") -> Batch:
        """A word's first `most_characters` bytes are spelt."""
        read = [[word.lower() for word in words] if self._lower else list(words) for words in sentences]
        distinct = {word: _FIRST_SPELT + row for row, word in enumerate(dict.fromkeys(w for ws in read for w in ws))}
        rows = _framed([[self.row(word) for word in words] for words in read], BEGIN, END)
        places = _framed([[distinct[word] for word in words] for words in read], _BEGIN_SPELT, _END_SPELT)
        spelt, _ = characters.ids(list(distinct), self._width)
        marks, _ = characters.boundaries(self._width)
        at = np.arange(rows.shape[1])[None, :]
        lengths = np.array([len(words) + 2 for words in read])[:, None]
        turned = np.where(at < lengths, lengths - 1 - at, at)
        mask = (at > 0) & (at < lengths - 1)
        found = (rows, places, np.concatenate([marks, spelt]), turned, mask)
        return Batch(*(torch.from_numpy(each).to(device) for each in found))


def form(word: str) -> str:
    """The form in which a word is looked up: in lower case, every digit a 0, as published."""
    return _DIGIT.sub("0", word.lower())


def _framed(rows: Sequence[Sequence[int]], begin: int, end: int) -> NDArray[np.int64]:
    found = np.full((len(rows), max(map(len, rows)) + 2), end, dtype=np.int64)
    for number, row in enumerate(rows):
        found[number, : len(row) + 1] = (begin, *row)
    return found
