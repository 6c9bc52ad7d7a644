"""Spherical k-means: groups of unit vectors by cosine, and the words of a grouping (c-TF-IDF)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

Labels = NDArray[np.int64]


def spherical_kmeans(vectors: Matrix, groups: int, seed: int, rounds: int = 25) -> tuple[Matrix, Labels]:
    """Unit centres (K, E) and the nearest centre of every row. Deterministic for a seed.

    `groups` is at most the number of rows.
    """
    return refine(vectors, starting_rows(vectors, groups, seed), rounds)


def starting_rows(vectors: Matrix, groups: int, seed: int) -> Matrix:
    """k-means++: a row is drawn with probability proportional to 1 - cosine to its nearest centre, which is half the
    squared distance. The first k of K rows are what k would have drawn."""
    rng = np.random.default_rng(seed)
    chosen = [int(rng.integers(len(vectors)))]
    distance = 1 - vectors @ vectors[chosen[0]]
    for _ in range(groups - 1):
        weights = np.maximum(distance, 0).astype(np.float64)
        total = weights.sum()
        # identical rows leave nothing to draw by: any row will do
        row = int(rng.choice(len(vectors), p=weights / total)) if total > 1e-9 else int(rng.integers(len(vectors)))
        chosen.append(row)
        distance = np.minimum(distance, 1 - vectors @ vectors[row])
    return np.array(vectors[chosen], dtype=np.float32)


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
