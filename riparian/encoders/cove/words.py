"""A text as sentences of words, each with its row in the table of word vectors. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import word_tokens
from riparian.encoders.base import Tokens
from riparian.text import sentences
from riparian.types import Matrix

VERSION = f"sentences.v1 of {word_tokens.VERSION}"
"""Named in the fingerprint: grows when the cutting changes."""

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Cut:
    """The words of a text, the row of each in the table (UNKNOWN for none), and the half-open ranges of words that
    are its sentences."""

    tokens: Tokens
    rows: NDArray[np.int64]
    sentences: tuple[tuple[int, int], ...]


class Lookup:
    """Words of a table. With `lower`, words are looked up in lower case, as the published model was trained."""

    def __init__(self, rows: Mapping[str, int], lower: bool) -> None:
        self._rows, self._lower = rows, lower

    def __contains__(self, form: object) -> bool:
        return isinstance(form, str) and self._form(form) in self._rows

    def row(self, token: str) -> int:
        """UNKNOWN where the table has no such word."""
        name = word_tokens.entry(token, self)
        return UNKNOWN if name is None else self._rows[self._form(name)]

    def cut(self, text: str) -> Cut:
        """Every character that is not white space lies in exactly one word."""
        words: list[str] = []
        spans: list[NDArray[np.int64]] = [np.zeros((0, 2), dtype=np.int64)]
        ranges: list[tuple[int, int]] = []
        for sentence in sentences(text):
            found = word_tokens.split(text[sentence.start : sentence.end], self)
            if found.tokens:
                ranges.append((len(words), len(words) + len(found.tokens)))
                words.extend(found.tokens)
                spans.append(found.offsets + sentence.start)
        rows = np.array([self.row(word) for word in words], dtype=np.int64)
        return Cut(Tokens(tuple(words), np.concatenate(spans)), rows, tuple(ranges))

    def _form(self, token: str) -> str:
        return token.lower() if self._lower else token


def padded(matrix: Matrix, rows: Sequence[NDArray[np.int64]]) -> Matrix:
    """(B, T, width) word vectors of sentences given as rows of the table; zero for UNKNOWN and behind the end."""
    found = np.zeros((len(rows), max(map(len, rows)), matrix.shape[1]), dtype=np.float32)
    for at, row in enumerate(rows):
        known = np.flatnonzero(row != UNKNOWN)
        found[at, known] = matrix[row[known]]
    return found
