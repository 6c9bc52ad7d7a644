"""Pairs to train on: numbered words, held-out pairs, the target vocabulary, batches. Pure."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import batches
from riparian.encoders.cove.settings import Settings
from riparian.encoders.cove.words import UNKNOWN, Lookup
from riparian.encoders.elmo.words import cut
from riparian.encoders.held_out import share_of
from riparian.errors import Invalid

RARE, BEGIN, END, FIRST_WORD = 0, 1, 2, 3
"""Numbers of the target vocabulary: a rare word, the marks of a sentence, then words by falling frequency."""

_LONGEST_WORD = 200


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The target words that are predicted, and how often each number is predicted in the pairs that are trained on."""

    words: tuple[str, ...]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    def unigram_loss(self, targets: NDArray[np.int64]) -> float:
        """Sum of -log of the numbers' frequencies in training, each counted once more (also RARE)."""
        shares = (self.counts + 1) / (self.counts + 1).sum()
        return float(-np.log(shares[targets]).sum())


@dataclass(frozen=True, slots=True)
class Example:
    """A source as rows of the word vectors (UNKNOWN for none), and a target as numbers, END last."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`digest` is the SHA-256 over all pairs in order, held out or not; `words` counts source words of one epoch and
    `known` the share of them that the word vectors know."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    vocabulary: Vocabulary
    words: int
    known: float
    digest: str


def gather(pairs: Iterable[tuple[str, str]], lookup: Lookup, settings: Settings, seed: int) -> Corpus:
    """Pairs given twice count once. Pairs with equal sources are held out together or not at all.

    Raises Invalid where they are too few to train on and to judge by.
    """
    train: list[tuple[NDArray[np.int64], tuple[str, ...]]] = []
    judge: list[tuple[NDArray[np.int64], tuple[str, ...]]] = []
    total = hashlib.sha256()
    for source, target in dict.fromkeys((source, target) for source, target in pairs if source != target):
        rows, words = lookup.cut(source).rows, _target(target)
        if _fits(rows, words, settings):
            total.update(f"{source}\t{target}\n".encode("utf-8", "surrogatepass"))
            (judge if share_of(source.encode("utf-8", "surrogatepass"), seed) < settings.held_out else train).append(
                (rows, words)
            )
    if not train or len(judge) < 2:
        count = len(train) + len(judge)
        raise Invalid(f"{count} pairs are too few to train a translation model on; give more parallel text")
    vocabulary = _vocabulary([words for _, words in train], settings.vocabulary)
    numbers = {word: FIRST_WORD + at for at, word in enumerate(vocabulary.words)}
    sources = np.concatenate([rows for rows, _ in train])
    return Corpus(
        train=tuple(_example(rows, words, numbers) for rows, words in train),
        held_out=tuple(_example(rows, words, numbers) for rows, words in judge),
        vocabulary=vocabulary,
        words=len(sources),
        known=float((sources != UNKNOWN).mean()),
        digest=total.hexdigest(),
    )


def plan(examples: Sequence[Example], budget: int, seed: int, epoch: int) -> list[batches.Batch]:
    """Every pair once, in batches of sources of like length, the longest first; the same batches in every epoch, in
    another order."""
    planned = batches.by_length([len(example.source) for example in examples], budget)
    order = np.random.default_rng([seed, epoch]).permutation(len(planned))
    return [planned[at] for at in order]


def mismatched(examples: Sequence[Example], seed: int) -> list[Example]:
    """Each target with the source of another pair."""
    order = np.random.default_rng([seed, 2]).permutation(len(examples))
    found = list(examples)
    for at, other in zip(order, np.roll(order, 1), strict=True):
        found[at] = replace(examples[at], source=examples[other].source)
    return found


def _target(text: str) -> tuple[str, ...]:
    return cut(text.lower(), _LONGEST_WORD).tokens.tokens


def _fits(rows: NDArray[np.int64], words: Sequence[str], settings: Settings) -> bool:
    sound = settings.least_words <= len(rows) <= settings.most_words and 1 <= len(words) <= settings.most_words
    return sound and bool((rows != UNKNOWN).any())


def _vocabulary(targets: Sequence[Sequence[str]], size: int) -> Vocabulary:
    counted = Counter(word for words in targets for word in words)
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    kept, rare = ranked[:size], ranked[size:]
    marks = [sum(count for _, count in rare), 0, len(targets)]
    counts = np.array([*marks, *(count for _, count in kept)], dtype=np.int64)
    return Vocabulary(tuple(word for word, _ in kept), counts)


def _example(rows: NDArray[np.int64], words: Sequence[str], numbers: dict[str, int]) -> Example:
    target = np.array([*(numbers.get(word, RARE) for word in words), END], dtype=np.int64)
    return Example(rows, target)


def perplexity(loss: float, words: int) -> float:
    """exp of the mean loss, at most exp(100)."""
    return round(math.exp(min(loss / words, 100.0)), 2)
