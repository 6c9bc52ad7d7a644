"""How well two words will cohere in texts that nobody has seen, learned from two halves of those there are.

A ridge regression learns, from the words' counts in one half of the texts, their normalised pointwise mutual
information in the *other* half, and the other way round. So a pair is not rewarded for the luck of its own sample.
"""

from __future__ import annotations

import zlib

import numpy as np
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics.base import BagOfWords
from topics.pairs import Ints, Meetings, Reals, meetings, npmi

_OUTSIDE = -0.3  # predicted coherence of two words that never shared a pool
_TINY = 1e-12


def predicted_coherence(
    bag: BagOfWords, union: Ints, pools: list[Ints], expected: Reals, ridge: float, vectors: Matrix | None = None
) -> Reals:
    """(U, U) predicted NPMI of the words `union` for pairs that share a pool, -0.3 for others, 0 on the diagonal.

    `pools` number words within `union`, `expected` (K, U) holds their expected counts in topics. The texts' `vectors`
    (N, E) help where they are given.
    """
    rows, columns = _pairs(pools, len(union))
    matrix = np.full((len(union), len(union)), _OUTSIDE)
    np.fill_diagonal(matrix, 0)
    if not len(rows):
        return matrix
    halves = _half_of(bag)
    first, second = (meetings(bag.rows(np.flatnonzero(halves == half)), union, rows, columns) for half in (0, 1))
    shared = [_topic_affinity(expected)[rows, columns]]
    if vectors is not None:
        meanings = word_meanings(bag.counts[:, union], vectors)
        shared.append(np.einsum("ij,ij->i", meanings[rows], meanings[columns]).astype(np.float64))
    inputs = [_features(counts, shared, rows, columns) for counts in (first, second, first + second)]
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


def _topic_affinity(expected: Reals) -> Reals:
    """(U, U): log(.05 + Σ_k π_k β_ki β_kj / (p_i p_j)), how often two words fall into one topic."""
    shares = expected.sum(axis=1) / max(expected.sum(), _TINY)
    beta = expected / np.maximum(expected.sum(axis=1, keepdims=True), _TINY)
    overall = np.maximum(shares @ beta, _TINY)
    joint = (beta * shares[:, None]).T @ beta
    return np.asarray(np.log(0.05 + joint / np.outer(overall, overall)))


def word_meanings(counts: csr_matrix, vectors: Matrix) -> Matrix:
    """(U, E) unit rows: the mean vector of the texts that hold a word, less the mean of all words."""
    present = counts.copy()
    present.data = np.ones_like(present.data)
    means = np.asarray(present.T.astype(np.float64) @ vectors) / np.maximum(np.asarray(present.sum(axis=0)).T, 1)
    means -= means.mean(axis=0)
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY), np.float32)


def _features(counts: Meetings, shared: list[Reals], rows: Ints, columns: Ints) -> Reals:
    """(pairs, 9 and the shared ones): smoothed log ratios of observed to expected meetings, and evidence."""
    one, alone, windows, texts = counts.alone, counts.texts, counts.together, counts.both
    expected_windows = one[rows] * one[columns] / max(counts.windows, 1)
    expected_texts = alone[rows] * alone[columns] / max(counts.number, 1)
    ratios = [np.log((windows + q) / (expected_windows + q)) for q in (3, 20, 100)]
    ratios += [np.log((texts + q) / (expected_texts + q)) for q in (0.3, 2, 10)]
    rest = [
        *shared,
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
