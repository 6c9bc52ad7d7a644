"""The words that stand around occurrences, as a table of rows by words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riparian.text import stop_words, words
from riparian.types import Span

LEAST = 2
"""Occurrences that a word must stand near to count."""


@dataclass(frozen=True, slots=True)
class Bags:
    """`table` is sparse, rows by `vocabulary`: 1 where the word stands in the sentence of the occurrence."""

    table: Any
    vocabulary: tuple[str, ...]

    def weighted(self) -> Any:
        """Each word weighted ln(n / df), so that one which stands everywhere counts for nothing."""
        from scipy.sparse import csr_array, diags_array

        rows = self.table.shape[0]
        frequency = np.maximum(np.asarray(self.table.sum(axis=0)).ravel(), 1)
        return csr_array(self.table @ diags_array(np.log(rows / frequency)))


def bags(sentences: Sequence[str], targets: Sequence[Span], language: str = "en") -> Bags:
    """Words of letters alone, two or more, folded; no stop words, nothing of the target, none that stands once only."""
    from scipy.sparse import csr_array

    stop = stop_words(language or "en")
    rows = [_words(sentence, target, stop) for sentence, target in zip(sentences, targets, strict=True)]
    frequency = Counter(word for row in rows for word in row)
    vocabulary = tuple(sorted(word for word, count in frequency.items() if count >= LEAST))
    number = {word: at for at, word in enumerate(vocabulary)}
    places = [(at, number[word]) for at, row in enumerate(rows) for word in sorted(row) if word in number]
    across = np.array([place[0] for place in places], dtype=np.int64)
    down = np.array([place[1] for place in places], dtype=np.int64)
    shape = (len(rows), len(vocabulary))
    return Bags(csr_array((np.ones(len(places), dtype=np.float32), (across, down)), shape=shape), vocabulary)


def _words(sentence: str, target: Span, stop: frozenset[str]) -> set[str]:
    said = {one.word for one in words(sentence[target.start : target.end])}
    return {
        one.word
        for one in words(sentence)
        if (one.end <= target.start or one.start >= target.end)
        and len(one.word) > 1
        and one.word.isalpha()
        and one.word not in stop
        and one.word not in said
    }
