"""Chooses the words that name each topic: of its most marking words those that also belong together.

The words that mark a topic most (c-TF-IDF) need not be a subject together. How well two words cohere is predicted by
cross-fitting (`topics.cohering`). Then all topics' words are chosen together: coherent pairs inside a topic, marking
words, no word in many topics, and where a topic had words before, rather those than others that are hardly better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.types import Matrix
from topics.base import BagOfWords
from topics.clusters import class_tf_idf
from topics.cohering import predicted_coherence
from topics.pairs import Ints, Reals

_TINY = 1e-12
_START = 0.4  # what marking a topic counts for when choosing begins


@dataclass(frozen=True, slots=True)
class NamingSettings:
    """`exponent` of c-TF-IDF, `pool` words considered a topic, up to `widest` where a topic holds enough words to tell
    about rarer ones (a hundredth of their mean number), `words` chosen, `repeat_cost` of a word for each
    other topic that holds it, `relevance` of marking a topic, `keep` the gain of a word that named it before, `ridge`
    regularisation, `listed` words in all. Costs and gains are in units of mean coherence."""

    exponent: float = 0.7
    pool: int = 40
    widest: int = 60
    words: int = 10
    repeat_cost: float = 0.25
    relevance: float = 0.2
    keep: float = 0.1
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
    scores = class_tf_idf(expected + np.float32(settings.smoothing), settings.exponent)
    scores *= expected > 0
    before = _numbers(known or {}, bag.vocabulary, scores)
    size = int(np.clip(expected.sum() / len(expected) / 100, settings.pool, settings.widest))
    pools = [_pool(row, size, before[k]) for k, row in enumerate(scores)]
    union = np.unique(np.concatenate(pools))
    local = [np.searchsorted(union, pool) for pool in pools]
    within = expected[:, union].astype(np.float64)
    coherence = predicted_coherence(bag, union, local, within, settings.ridge, vectors)
    gains = _gains(scores, before, union, settings)
    shares = _shares(scores[:, union])
    chosen = _choose_jointly(local, coherence, gains, shares, settings)
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


def _choose_jointly(
    pools: list[Ints], coherence: Reals, gains: Reals, shares: Reals, settings: NamingSettings
) -> list[list[int]]:
    """Greedy start topic by topic (which `shares`, how much words mark, takes part in), then the best single swaps
    while they help.

    Climbs Σ_topics (mean coherence of its pairs + mean gain of its words) − (repeat_cost / words) · Σ_words
    h(h − 1)/2, h = topics that hold it.
    """
    chosen = [
        _drop_down(pool, coherence, gains[k] + _START * shares[k], settings.words) for k, pool in enumerate(pools)
    ]
    held = np.bincount(np.concatenate([np.zeros(0, np.int64), *chosen]), minlength=len(coherence)).astype(np.float64)
    for _ in range(6):
        if not sum(_swap(chosen[k], pools[k], coherence, gains[k], held, settings) for k in range(len(pools))):
            break
    return [[int(word) for word in words] for words in chosen]


def _drop_down(pool: Ints, coherence: Reals, gains: Reals, words: int) -> Ints:
    """Drops the word that coheres least and is worth least until `words` are left."""
    kept = pool.copy()
    while len(kept) > words:
        inside = 2 * coherence[np.ix_(kept, kept)].sum(axis=1) / (len(kept) - 1)
        kept = np.delete(kept, int((inside + gains[kept]).argmin()))
    return kept


def _swap(chosen: Ints, pool: Ints, coherence: Reals, gains: Reals, held: Reals, settings: NamingSettings) -> int:
    """Up to 20 best swaps in one topic, in place; answers with how many were made."""
    pairs = max(len(chosen) * (len(chosen) - 1) / 2, 1)
    cost, size = settings.repeat_cost / settings.words, max(len(chosen), 1)
    for made in range(20):
        outside = np.setdiff1d(pool, chosen)
        if not len(outside):
            return made
        inside = coherence[np.ix_(chosen, chosen)].sum(axis=1)
        offered = coherence[np.ix_(outside, chosen)]
        gain = (offered.sum(axis=1)[:, None] - offered - inside[None, :]) / pairs
        gain += (gains[outside][:, None] - gains[chosen][None, :]) / size
        gain += cost * (held[chosen][None, :] - 1 - held[outside][:, None])
        best = int(gain.argmax())
        new, old = divmod(best, len(chosen))
        if gain[new, old] <= 1e-9:
            return made
        held[chosen[old]] -= 1
        held[outside[new]] += 1
        chosen[old] = outside[new]
    return 20
