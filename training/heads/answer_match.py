"""What the words of a question and of a passage have to do with each other, as numbers. Pure.

After Chen, Fisch, Weston and Bordes 2017, "Reading Wikipedia to Answer Open-Domain Questions", section 3.2, who give
their reader an exact match beside vectors; here it is also spread over the neighbourhood and the sentence, for lack of
layers that would do so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.words import Span
from riparian.text import fold, sentences
from riparian.types import Matrix

FEATURES, PASSAGE_FEATURES = 13, 5
SHARE = 6
"""Which feature of a word is the weight of the question's words in its sentence."""

BUCKETS = 1 << 14

_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_STEM = 5  # letters: enough to meet inflected forms in most languages of Europe


@dataclass(frozen=True, slots=True)
class Read:
    """A text cut into words: `spans` are code points, `stems` say which words count as the same."""

    text: str
    spans: tuple[Span, ...]
    stems: tuple[int, ...]

    def sentences(self) -> list[NDArray[np.int64]]:
        """The numbers of the words of each sentence; every word is in one at most."""
        starts = np.array([start for start, _ in self.spans], dtype=np.int64)
        found = [np.flatnonzero((starts >= span.start) & (starts < span.end)) for span in sentences(self.text)]
        return [words for words in found if len(words)]


@dataclass(frozen=True)
class Rarity:
    """`counts` (BUCKETS,): in how many of `passages` passages a stem stands; stems that share a bucket are not told
    apart, and no word can be read from it."""

    counts: NDArray[np.int64]
    passages: int

    @classmethod
    def of(cls, found: Iterable[Read]) -> Rarity:
        counts, passages = np.zeros(BUCKETS, dtype=np.int64), 0
        for passage in found:
            counts[list(set(passage.stems))] += 1
            passages += 1
        return cls(counts, passages)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """log((1 + passages) / (1 + count)) of each stem, scaled to end at 1 for one that is new."""
        scale = np.log(1.0 + max(self.passages, 1))
        return np.asarray(np.log((1.0 + self.passages) / (1.0 + self.counts)) / scale, dtype=np.float64)


def read(text: str) -> Read:
    """Words are runs of letters and digits, and each character of Chinese and Japanese."""
    spans = tuple(found.span() for found in _UNIT.finditer(text))
    return Read(text, spans, tuple(_stem(text[start:end]) for start, end in spans))


def matched(
    question: Read, passage: Read, rarity: Rarity, asked: Matrix, words: Matrix
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(T, FEATURES) for the passage's words and (PASSAGE_FEATURES,) for the passage, from the words and their vectors
    (`asked` (Q, d), `words` (T, d)). The passage must have a word; the question may have none."""
    weights, wanted = rarity.weights, sorted(set(question.stems))
    total = float(weights[wanted].sum()) + 1e-6
    stems = np.array(passage.stems, dtype=np.int64)
    named = np.isin(stems, wanted)
    exact = np.where(named, weights[stems], 0.0)
    near = _cosines(asked, words)
    cosine = near.max(axis=0) if len(near) else np.zeros(len(stems))
    share = _sentence_shares(passage, stems, wanted, weights) / total
    first = [passage.text[start] for start, _ in passage.spans]
    large, digit = [one.isupper() for one in first], [one.isdigit() for one in first]
    rows = [
        named, exact, cosine, _spread(exact, 2), _spread(exact, 6) / 2, _spread(exact, 15) / 4, share,
        share >= share.max(), _spread(cosine, 3) / 6, large, digit, _moved(exact, 1), _moved(exact, -1),
    ]  # fmt: skip
    there = float(weights[sorted(set(wanted) & set(passage.stems))].sum()) / total
    whole = [there, share.max(), near.max(axis=1).mean() if len(near) else 0.0, cosine.max(), np.log(len(stems)) / 5]
    return np.stack(rows, axis=1).astype(np.float32), np.array(whole, dtype=np.float32)


def _sentence_shares(
    passage: Read, stems: NDArray[np.int64], wanted: Sequence[int], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """For each word the weight of the question's words that stand in its sentence."""
    found = np.zeros(len(stems))
    for words in passage.sentences():
        found[words] = weights[sorted(set(stems[words].tolist()) & set(wanted))].sum()
    return found


def _cosines(asked: Matrix, words: Matrix) -> NDArray[np.float64]:
    """(Q, T); 0 for a word without a vector."""

    def unit(rows: Matrix) -> NDArray[np.float64]:
        lengths = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float64)
        return np.asarray(rows / np.maximum(lengths, 1e-6), dtype=np.float64)

    return np.asarray(unit(asked) @ unit(words).T, dtype=np.float64)


def _spread(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The sum of the values around each word, falling by e every `reach` words."""
    kernel = np.exp(-np.abs(np.arange(-3 * reach, 3 * reach + 1)) / reach)
    spread: NDArray[np.float64] = np.convolve(values, kernel)
    return spread[3 * reach : 3 * reach + len(values)]


def _moved(values: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    """The value of the word before (1) or behind (-1)."""
    return np.concatenate([[0.0], values[:-1]]) if by > 0 else np.concatenate([values[1:], [0.0]])


def _stem(word: str) -> int:
    return zlib.crc32(fold(word)[:_STEM].encode("utf-8", "surrogatepass")) % BUCKETS
