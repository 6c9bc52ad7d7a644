"""Text to train on: sentences of lower-cased words, held-out ones, the vocabulary with its counts. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.context2vec.vocabulary import FIRST_WORD, MARKS, Vocabulary, cut, folded
from riparian.encoders.held_out import key_of, share_of
from riparian.errors import Invalid

Sentence = tuple[str, ...]

_SHORTEST, _LONGEST = 2, 64


@dataclass(frozen=True, slots=True)
class Corpus:
    """`counts` has one number a word of the vocabulary, rare words under UNKNOWN, none for the sentence marks.

    `digest` is the SHA-256 over all sentences in order, held out or not.
    """

    train: tuple[Sentence, ...]
    held_out: tuple[Sentence, ...]
    vocabulary: Vocabulary
    counts: NDArray[np.int64]
    texts: int
    digest: str

    @property
    def words(self) -> int:
        """Words that are trained on, in one epoch."""
        return sum(map(len, self.train))


def gather(texts: Iterable[str], *, trim: int, held_out: float, seed: int) -> Corpus:
    """Sentences of at least two words; longer than 64 words are read in stretches. Words that stand fewer than `trim`
    times in what is trained on are not in the vocabulary. Equal sentences are held out together or not at all.

    Raises Invalid where the text is too little to train on, or to judge by where some is to be held out.
    """
    train: list[Sentence] = []
    judge: list[Sentence] = []
    total, number = hashlib.sha256(), 0
    for text in texts:
        number += 1
        for sentence in _sentences(text):
            key = key_of(sentence)
            total.update(key + b"\n")
            (judge if share_of(key, seed) < held_out else train).append(sentence)
    counted = Counter(word for sentence in train for word in sentence)
    vocabulary, counts = _vocabulary(counted, trim)
    if len(vocabulary) == FIRST_WORD or (held_out > 0 and not judge):
        count = len(train) + len(judge)
        raise Invalid(f"{count} sentences with {len(counted)} words are too few to train on; give more text")
    return Corpus(tuple(train), tuple(judge), vocabulary, counts, number, total.hexdigest())


def _sentences(text: str) -> Iterator[Sentence]:
    found = cut(text)
    for start, end in found.sentences:
        for first in range(start, end, _LONGEST):
            words = found.tokens.tokens[first : min(first + _LONGEST, end)]
            if len(words) >= _SHORTEST:
                yield tuple(map(folded, words))


def _vocabulary(counted: Counter[str], trim: int) -> tuple[Vocabulary, NDArray[np.int64]]:
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    kept = [(word, count) for word, count in ranked if count >= trim and word not in MARKS]
    rare = sum(counted.values()) - sum(count for _, count in kept)
    counts = np.array([rare, 0, 0, *(count for _, count in kept)], dtype=np.int64)
    return Vocabulary([*MARKS, *(word for word, _ in kept)]), counts
