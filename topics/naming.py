"""Chooses the words that name each topic: of its most marking words those that also belong together.

The words that mark a topic most (c-TF-IDF) need not be a subject together. How well two words cohere is predicted by
cross-fitting (`topics.cohering`). Then all topics' words are chosen together (`topics.fuzzy`): coherent pairs inside a
topic, marking words, no word in many topics, and where a topic had words before, rather those than others that are
hardly better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.types import Matrix
from topics import fuzzy
from topics.base import BagOfWords
from topics.clusters import class_tf_idf
from topics.cohering import predicted_coherence
from topics.pairs import WINDOW, Ints, Reals

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class NamingSettings:
    """`exponent` of c-TF-IDF, `short_exponent` where texts are on average shorter than a window of ten words: they say
    little of rare ones. `pool` words considered a topic, up to `widest` where a topic holds enough words to tell about
    rarer ones (a hundredth of their mean number), `words` chosen, `repeat_cost` of a word for each other topic that
    holds it, `relevance` of marking a topic, `keep` the gain of a word that named it before, `temperature` at which
    choosing ends, `ridge` regularisation, `listed` words in all. Costs, gains and temperature are in units of mean
    coherence."""

    exponent: float = 0.7
    short_exponent: float = 1.0
    pool: int = 40
    widest: int = 60
    words: int = 10
    repeat_cost: float = 0.24
    relevance: float = 0.2
    keep: float = 0.1
    temperature: float = 0.03
    ridge: float = 1000.0
    listed: int = 25
    smoothing: float = 0.01


def choose(
    bag: BagOfWords,
    expected: Matrix,
    settings: NamingSettings = NamingSettings(),
    known: Mapping[int, Sequence[str]] | None = None,
    vectors: Matrix | None = None,
) -> list[list[int]]:
    """Vocabulary numbers of each topic's words, at most `listed`, the `words` that name it first.

    `expected` (K, V) holds the expected counts of words in topics, `known` the words that named a topic before; the
    texts' `vectors` (N, E) help to tell which words belong together. Among equals the earlier word of the vocabulary
    comes first. Deterministic; the order of the texts changes nothing but rounding.
    """
    is_short = len(bag.tokens) < WINDOW * len(bag)
    exponent = settings.short_exponent if is_short else settings.exponent
    scores = class_tf_idf(expected + np.float32(settings.smoothing), exponent)
    scores *= expected > 0
    before = _numbers(known or {}, bag.vocabulary, scores)
    size = int(np.clip(expected.sum() / len(expected) / 100, settings.pool, settings.widest))
    pools = [_pool(row, size, before[k]) for k, row in enumerate(scores)]
    union = np.unique(np.concatenate(pools))
    local = [np.searchsorted(union, pool) for pool in pools]
    within = expected[:, union].astype(np.float64)
    coherence = predicted_coherence(bag, union, local, within, settings.ridge, vectors)
    gains = _gains(scores, before, union, settings)
    cooling = fuzzy.Cooling(settings.words, settings.repeat_cost, settings.temperature)
    chosen = fuzzy.choose(local, coherence, gains, cooling)
    return [
        _listed(scores[k], [int(union[word]) for word in chosen[k]], pools[k], settings.listed)
        for k in range(len(pools))
    ]


def _numbers(known: Mapping[int, Sequence[str]], vocabulary: Sequence[str], scores: Matrix) -> list[Ints]:
    """Each topic's known words that still occur in it."""
    place = {word: number for number, word in enumerate(vocabulary)} if known else {}
    numbers = [
        np.array([place[word] for word in known.get(k, ()) if word in place], np.int64) for k in range(len(scores))
    ]
    return [words[scores[k, words] > 0] for k, words in enumerate(numbers)]


def _pool(scores: Matrix, size: int, before: Ints) -> Ints:
    order = np.argsort(-scores, kind="stable")[:size]
    best = order[scores[order] > 0].astype(np.int64)
    return np.concatenate([best, before[~np.isin(before, best)]])


def _gains(scores: Matrix, before: list[Ints], union: Ints, settings: NamingSettings) -> Reals:
    """(K, U) what a word is worth to a topic by itself."""
    gains = settings.relevance * _shares(scores[:, union])
    for k, words in enumerate(before):
        gains[k, np.searchsorted(union, words)] += settings.keep
    return gains


def _shares(scores: Matrix) -> Reals:
    """Scores as parts of each topic's best."""
    return np.asarray(scores / np.maximum(scores.max(axis=1, keepdims=True), _TINY), np.float64)


def _listed(scores: Matrix, chosen: list[int], pool: Ints, size: int) -> list[int]:
    """The chosen words, then the rest of the pool, both by score."""
    rest = [int(word) for word in pool if int(word) not in set(chosen)]
    return (sorted(chosen, key=lambda word: (-scores[word], word)) + rest)[:size]
