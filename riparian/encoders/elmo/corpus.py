"""Text to train on: sentences, held-out sentences, the vocabulary that is predicted, batches. Pure."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import batches
from riparian.encoders.elmo.words import cut
from riparian.encoders.held_out import key_of, share_of
from riparian.errors import Invalid

Sentence = tuple[str, ...]

UNKNOWN, BEGIN, END, FIRST_WORD = 0, 1, 2, 3
"""Numbers in the predicted vocabulary: a rare word, the sentence marks, then words by falling frequency."""

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that are predicted and how often each number of the vocabulary is a target of one direction."""

    words: tuple[str, ...]
    counts: NDArray[np.int64]
    numbers: dict[str, int]

    def __len__(self) -> int:
        return len(self.counts)

    def targets(self, words: Iterable[str]) -> list[int]:
        return [self.numbers.get(word, UNKNOWN) for word in words]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`digest` is the SHA-256 over all sentences in order, held out or not."""

    train: tuple[Sentence, ...]
    held_out: tuple[Sentence, ...]
    vocabulary: Vocabulary
    texts: int
    digest: str

    @property
    def words(self) -> int:
        """Words that are trained on, in one epoch."""
        return sum(map(len, self.train))


def gather(texts: Iterable[str], *, most_bytes: int, vocabulary: int, held_out: float, seed: int) -> Corpus:
    """Sentences of more than 64 words are read in stretches. Equal sentences are held out together or not at all.

    Raises Invalid where the text is too little to train on and to judge by.
    """
    train: list[Sentence] = []
    judge: list[Sentence] = []
    total, number = hashlib.sha256(), 0
    for text in texts:
        number += 1
        for sentence in _sentences(text, most_bytes):
            key = key_of(sentence)
            total.update(key + b"\n")
            (judge if share_of(key, seed) < held_out else train).append(sentence)
    if not train or not judge:
        count = len(train) + len(judge)
        raise Invalid(f"{count} sentences are too few to train a language model on; give more text")
    return Corpus(tuple(train), tuple(judge), _vocabulary(train, vocabulary), number, total.hexdigest())


def plan(sentences: Sequence[Sentence], budget: int, seed: int, epoch: int) -> list[batches.Batch]:
    """Every sentence once, in batches of like length; the same batches in every epoch, in another order."""
    planned = batches.by_length([len(sentence) + 2 for sentence in sentences], budget)
    order = np.random.default_rng([seed, epoch]).permutation(len(planned))
    return [planned[at] for at in order]


def _sentences(text: str, most_bytes: int) -> Iterable[Sentence]:
    found = cut(text, most_bytes)
    for start, end in found.sentences:
        for first in range(start, end, _LONGEST):
            yield tuple(map(sys.intern, found.tokens.tokens[first : min(first + _LONGEST, end)]))


def _vocabulary(sentences: Sequence[Sentence], size: int) -> Vocabulary:
    counted = Counter(word for sentence in sentences for word in sentence)
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    kept, rare = ranked[:size], ranked[size:]
    marks = [sum(count for _, count in rare), len(sentences), len(sentences)]
    counts = np.array([*marks, *(count for _, count in kept)], dtype=np.int64)
    words = tuple(word for word, _ in kept)
    return Vocabulary(words, counts, {word: FIRST_WORD + row for row, word in enumerate(words)})
