"""Spherical k-means: groups of unit vectors by cosine, and the words of a grouping (c-TF-IDF)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

Labels = NDArray[np.int64]


_RESTARTS = 4
_TRIALS = 4
_ROWS = 20_000  # rows that decide between restarts: the best start is then refined on all


def spherical_kmeans(vectors: Matrix, groups: int, seed: int, rounds: int = 25) -> tuple[Matrix, Labels]:
    """Unit centres (K, E) and the nearest centre of every row. Deterministic for a seed.

    Of four starts the one whose rows lie nearest their centres in the end is taken. `groups` is at most the number of
    rows.
    """
    some = vectors if len(vectors) <= _ROWS else vectors[np.linspace(0, len(vectors) - 1, _ROWS).astype(np.int64)]
    best, highest = some[:groups], -np.inf
    for restart in range(_RESTARTS):
        centres, _ = refine(some, starting_rows(some, groups, seed, restart), rounds)
        near = float((some @ centres.T).max(axis=1).mean(dtype=np.float64))
        if near > highest:
            best, highest = centres, near
    return refine(vectors, best, rounds)


def starting_rows(vectors: Matrix, groups: int, seed: int, restart: int = 0) -> Matrix:
    """Greedy k-means++: four rows are drawn with probability proportional to 1 - cosine to their nearest centre, which
    is half the squared distance, and the one that leaves the least of it is taken. The first k of K rows are what k
    would have drawn."""
    rng = np.random.default_rng([seed, restart])
    chosen = [int(rng.integers(len(vectors)))]
    distance = 1 - vectors @ vectors[chosen[0]]
    for _ in range(groups - 1):
        drawn = _draw(distance, rng)
        left = np.minimum(distance[:, None], 1 - vectors @ vectors[drawn].T)
        best = int(np.maximum(left, 0).sum(axis=0, dtype=np.float64).argmin())
        chosen.append(int(drawn[best]))
        distance = left[:, best]
    return np.array(vectors[chosen], dtype=np.float32)


def _draw(distance: NDArray[np.float32], rng: np.random.Generator) -> Labels:
    weights = np.maximum(distance, 0).astype(np.float64)
    total = weights.sum()
    # identical rows leave nothing to draw by: any row will do
    chances = weights / total if total > 1e-9 else None
    return rng.choice(len(distance), _TRIALS, p=chances)


def refine(vectors: Matrix, centres: Matrix, rounds: int = 25) -> tuple[Matrix, Labels]:
    """Repeats assignment by cosine and unit mean until no label changes. An emptied group keeps its centre."""
    labels = np.full(len(vectors), -1, np.int64)
    for _ in range(rounds):
        found = (vectors @ centres.T).argmax(axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        centres = _means(vectors, labels, centres)
    return centres, labels


def _means(vectors: Matrix, labels: Labels, before: Matrix) -> Matrix:
    sums = membership(labels, len(before)) @ vectors
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(norms > 1e-9, sums / np.maximum(norms, 1e-9), before).astype(np.float32)


def membership(labels: Labels, groups: int) -> csr_matrix:
    """(K, N) with a one where a row belongs to a group."""
    return csr_matrix((np.ones(len(labels), np.float32), (labels, np.arange(len(labels)))), shape=(groups, len(labels)))


def class_tf_idf(word_counts: Matrix, exponent: float = 1.0) -> Matrix:
    """How much a word marks a topic, from (K, V) counts of words in topics, which may be expected counts.

    c-TF-IDF (Grootendorst 2022): tf^p · log(1 + A / f), tf a word's share of the topic, f its count over all
    topics, A the mean count of a topic. `exponent` p below 1 favours rarer words.
    """
    per_topic = word_counts.sum(axis=1, keepdims=True)
    overall = word_counts.sum(axis=0)
    share = word_counts / np.maximum(per_topic, 1e-12)
    rarity = np.log1p(word_counts.sum() / len(word_counts) / np.maximum(overall, 1e-12))
    return np.asarray(share**exponent * rarity * (overall > 0), dtype=np.float32)
