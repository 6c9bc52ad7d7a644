"""Chooses the words that name each topic: of its most marking words those that also belong together.

The words that mark a topic most (c-TF-IDF) need not be a subject together. How well two words cohere is predicted
by cross-fitting: a ridge regression learns, from their counts in one half of the texts, their normalised pointwise
mutual information in the *other* half, and the other way round. So a pair is not rewarded for the luck of its own
sample. Then all topics' words are chosen together: coherent pairs inside a topic, no word in many topics.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics.base import BagOfWords
from topics.clusters import class_tf_idf

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW = 10
_OUTSIDE = -0.3  # predicted coherence of two words that never shared a pool
_TINY = 1e-12
_TOKENS_A_PASS = 2_000_000


@dataclass(frozen=True, slots=True)
class NamingSettings:
    """`exponent` of c-TF-IDF, `pool` words considered and `words` chosen a topic, `repeat_cost` of a word for each
    other topic that holds it, `ridge` regularisation, `listed` words in all."""

    exponent: float = 0.7
    pool: int = 40
    words: int = 10
    repeat_cost: float = 0.2
    ridge: float = 10.0
    listed: int = 25
    smoothing: float = 0.01


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Where words of a pool meet: `together` and `texts` are symmetric (U, U); their diagonals count single words.

    `together` counts sliding windows of ten words (repeats add up), `texts` whole texts.
    """

    together: Reals
    windows: float
    texts: Reals
    number: int


def choose(bag: BagOfWords, expected: Matrix, settings: NamingSettings = NamingSettings()) -> list[list[int]]:
    """Vocabulary numbers of each topic's words, at most `listed`, the `words` that name it first.

    `expected` (K, V) holds the expected counts of words in topics. Among equals the earlier word of the vocabulary
    comes first. Deterministic; the order of the texts changes nothing but rounding.
    """
    scores = class_tf_idf(expected + np.float32(settings.smoothing), settings.exponent)
    scores *= expected > 0
    pools = [_best(row, settings.pool) for row in scores]
    union = np.unique(np.concatenate(pools))
    local = [np.searchsorted(union, pool) for pool in pools]
    coherence = predicted_coherence(bag, union, local, expected[:, union].astype(np.float64), settings.ridge)
    chosen = _choose_jointly(local, coherence, scores[:, union].astype(np.float64), settings)
    return [
        _listed(scores[k], [int(union[word]) for word in chosen[k]], pools[k], settings.listed)
        for k in range(len(pools))
    ]


def _best(scores: Matrix, size: int) -> Ints:
    order = np.argsort(-scores, kind="stable")[:size]
    return order[scores[order] > 0].astype(np.int64)


def _listed(scores: Matrix, chosen: list[int], pool: Ints, size: int) -> list[int]:
    """The chosen words, then the rest of the pool, both by score."""
    rest = [int(word) for word in pool if int(word) not in set(chosen)]
    return (sorted(chosen, key=lambda word: (-scores[word], word)) + rest)[:size]


# ------------------------------------------------------------------------------ counting


def predicted_coherence(bag: BagOfWords, union: Ints, pools: list[Ints], expected: Reals, ridge: float) -> Reals:
    """(U, U) predicted NPMI of the words `union` for pairs that share a pool, -0.3 for others, 0 on the diagonal."""
    rows, columns = _pairs(pools, len(union))
    matrix = np.full((len(union), len(union)), _OUTSIDE)
    np.fill_diagonal(matrix, 0)
    if not len(rows):
        return matrix
    halves = _half_of(bag)
    first, second = (pair_counts(bag.rows(np.flatnonzero(halves == half)), union) for half in (0, 1))
    whole = PairCounts(
        first.together + second.together, first.windows + second.windows,
        first.texts + second.texts, first.number + second.number,
    )  # fmt: skip
    affinity = _topic_affinity(expected)
    inputs = [_features(counts, affinity, rows, columns) for counts in (first, second, whole)]
    targets = np.concatenate([npmi(counts, rows, columns) for counts in (second, first)])
    values = _ridge(np.concatenate(inputs[:2]), targets, inputs[2], ridge)
    matrix[rows, columns] = matrix[columns, rows] = values
    return matrix


def _half_of(bag: BagOfWords) -> Ints:
    """A half (0 or 1) for every text, decided by its words, whatever the order of the texts."""
    pieces = (bag.tokens[start:end] for start, end in zip(bag.starts[:-1], bag.starts[1:], strict=True))
    return np.array([zlib.crc32(piece.tobytes()) % 2 for piece in pieces], np.int64)


def _pairs(pools: list[Ints], size: int) -> tuple[Ints, Ints]:
    """Every pair (i < j) of words that share a pool, once."""
    keys = [np.zeros(0, np.int64)]
    for pool in pools:
        ordered = np.sort(pool)
        i, j = np.triu_indices(len(ordered), 1)
        keys.append(ordered[i] * size + ordered[j])
    unique = np.unique(np.concatenate(keys))
    return unique // max(size, 1), unique % max(size, 1)


def pair_counts(bag: BagOfWords, union: Ints) -> PairCounts:
    """Window and text counts of the words `union` (ascending vocabulary numbers). Cost: linear in the tokens."""
    size = len(union)
    present = bag.counts[:, union]
    present.data = np.ones_like(present.data)
    texts = np.asarray((present.T @ present).todense(), np.float64)
    lengths = np.diff(bag.starts)
    place = np.full(len(bag.vocabulary), -1, np.int64)
    place[union] = np.arange(size)
    together = np.zeros(size * size)
    for start, end in _passes(bag.starts):
        tokens = place[bag.tokens[bag.starts[start] : bag.starts[end]]]
        together += _window_counts(tokens, lengths[start:end], size)
    square = together.reshape(size, size)
    square = square + square.T - np.diag(np.diag(square))
    windows = float(np.maximum(lengths - WINDOW + 1, 1).sum()) if len(lengths) else 0.0
    return PairCounts(square, windows, texts, len(bag))


def _passes(starts: Ints) -> list[tuple[int, int]]:
    """Ranges of texts with a bounded number of tokens each."""
    cuts = np.searchsorted(starts, np.arange(0, starts[-1] + _TOKENS_A_PASS, _TOKENS_A_PASS), side="left")
    edges = np.unique(np.concatenate([[0], np.minimum(cuts, len(starts) - 1), [len(starts) - 1]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _window_counts(tokens: Ints, lengths: Ints, size: int) -> Reals:
    """Flat (U·U): for words at positions i and i + t of one text, the windows that hold both:
    max(0, min(i, last) - max(0, i + t - 9) + 1), last = max(length - 10, 0)."""
    total = np.zeros(size * size)
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
        held = np.maximum(0, np.minimum(position[left], last[left]) - first + 1)
        total += np.bincount(a * size + b, weights=held, minlength=size * size)
    return total


# ------------------------------------------------------------------------------ predicting


def npmi(counts: PairCounts, rows: Ints, columns: Ints) -> Reals:
    """log(p_ij / (p_i p_j)) / -log p_ij over windows, with 1e-12 added to p_ij."""
    one = np.diag(counts.together) / max(counts.windows, 1)
    both = counts.together[rows, columns] / max(counts.windows, 1) + _TINY
    return np.asarray(np.log(both / np.maximum(one[rows] * one[columns], 1e-14)) / -np.log(both))


def _topic_affinity(expected: Reals) -> Reals:
    """(U, U): log(.05 + Σ_k π_k β_ki β_kj / (p_i p_j)), how often two words fall into one topic."""
    shares = expected.sum(axis=1) / max(expected.sum(), _TINY)
    beta = expected / np.maximum(expected.sum(axis=1, keepdims=True), _TINY)
    overall = np.maximum(shares @ beta, _TINY)
    joint = (beta * shares[:, None]).T @ beta
    return np.asarray(np.log(0.05 + joint / np.outer(overall, overall)))


def _features(counts: PairCounts, affinity: Reals, rows: Ints, columns: Ints) -> Reals:
    """(pairs, 10): smoothed log ratios of observed to expected meetings, evidence and topic affinity."""
    one, alone = np.diag(counts.together), np.diag(counts.texts)
    windows, texts = counts.together[rows, columns], counts.texts[rows, columns]
    expected_windows = one[rows] * one[columns] / max(counts.windows, 1)
    expected_texts = alone[rows] * alone[columns] / max(counts.number, 1)
    ratios = [np.log((windows + q) / (expected_windows + q)) for q in (3, 20, 100)]
    ratios += [np.log((texts + q) / (expected_texts + q)) for q in (0.3, 2, 10)]
    rest = [
        affinity[rows, columns],
        np.log(expected_texts + 0.01),
        np.log1p(np.minimum(alone[rows], alone[columns])),
        (windows > 0).astype(np.float64),
    ]
    return np.stack(ratios + rest, axis=1)


def _ridge(inputs: Reals, targets: Reals, asked: Reals, strength: float) -> Reals:
    """Predictions for `asked` of a ridge regression on 1, the standardised features and all their products."""
    mean, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
    known = _products((inputs - mean) / spread)
    weights = np.linalg.solve(known.T @ known + strength * np.eye(known.shape[1]), known.T @ targets)
    return np.asarray(_products(np.clip((asked - mean) / spread, -4, 4)) @ weights)


def _products(features: Reals) -> Reals:
    i, j = np.triu_indices(features.shape[1])
    return np.concatenate([np.ones((len(features), 1)), features, features[:, i] * features[:, j]], axis=1)


# ------------------------------------------------------------------------------ choosing


def _choose_jointly(pools: list[Ints], coherence: Reals, scores: Reals, settings: NamingSettings) -> list[list[int]]:
    """Greedy start topic by topic, then the best single swaps while they help.

    Climbs Σ_topics mean coherence of its pairs − (repeat_cost / words) · Σ_words h(h − 1)/2, h = topics that hold it.
    """
    chosen = [_drop_down(pool, coherence, scores[k], settings.words) for k, pool in enumerate(pools)]
    held = np.bincount(np.concatenate([np.zeros(0, np.int64), *chosen]), minlength=len(coherence)).astype(np.float64)
    for _ in range(6):
        if not sum(_swap(chosen[k], pools[k], coherence, held, settings) for k in range(len(pools))):
            break
    return [[int(word) for word in words] for words in chosen]


def _drop_down(pool: Ints, coherence: Reals, scores: Reals, words: int) -> Ints:
    """Drops the word that coheres least (and marks least) until `words` are left."""
    kept = pool.copy()
    top = max(float(scores[pool].max(initial=0.0)), _TINY)
    while len(kept) > words:
        inside = coherence[np.ix_(kept, kept)].sum(axis=1) / (len(kept) - 1)
        kept = np.delete(kept, int((inside + 0.2 * scores[kept] / top).argmin()))
    return kept


def _swap(chosen: Ints, pool: Ints, coherence: Reals, held: Reals, settings: NamingSettings) -> int:
    """Up to 20 best swaps in one topic, in place; answers with how many were made."""
    pairs = max(len(chosen) * (len(chosen) - 1) / 2, 1)
    cost = settings.repeat_cost / settings.words
    for made in range(20):
        outside = np.setdiff1d(pool, chosen)
        if not len(outside):
            return made
        inside = coherence[np.ix_(chosen, chosen)].sum(axis=1)
        offered = coherence[np.ix_(outside, chosen)]
        gain = (offered.sum(axis=1)[:, None] - offered - inside[None, :]) / pairs
        gain += cost * (held[chosen][None, :] - 1 - held[outside][:, None])
        best = int(gain.argmax())
        new, old = divmod(best, len(chosen))
        if gain[new, old] <= 1e-9:
            return made
        held[chosen[old]] -= 1
        held[outside[new]] += 1
        chosen[old] = outside[new]
    return 20
