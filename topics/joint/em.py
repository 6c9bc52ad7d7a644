"""Words correct the groups: EM over sparse counts with a mixture from the embedding as prior.

MAP estimation of Σ_dw x_dw log Σ_k θ_dk β_kw + Σ_dk a_d θ⁰_dk log θ_dk + Σ_kw s_kw log β_kw (probabilistic latent
semantic analysis, Hofmann 1999, with Dirichlet priors): the embedding counts as `a` words of each passage. Cost an
iteration: stored counts · K, whatever the vocabulary; memory: a block of counts at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

_TINY = np.float32(1e-12)
_BLOCK = 32_768  # counts whose K values stay in cache


@dataclass(frozen=True, slots=True)
class Prior:
    """`theta` (N, K) rows sum to 1, `weight` (N,) in words, `words` (K, V) or a number: pseudo-counts of beta."""

    theta: Matrix
    weight: NDArray[np.float32]
    words: Matrix | np.float32


def fit(counts: csr_matrix, prior: Prior, first: Matrix, iterations: int) -> tuple[Matrix, Matrix]:
    """(theta (N, K), expected counts (K, V)) after so many iterations from `first` (K, V), words in groups."""
    blocks = list(_blocks(counts))
    theta, expected = prior.theta, first + prior.words
    for _ in range(iterations):
        beta = _rows(expected)
        words = np.zeros((counts.shape[1], len(beta)), np.float32)
        renewed = np.empty_like(theta)
        for rows, block in blocks:
            ratio = _ratio(block, theta[rows], beta)
            words += ratio.T @ theta[rows]
            renewed[rows] = _mixtures(ratio, theta[rows], beta, prior, rows)
        theta, expected = renewed, beta * words.T + prior.words
    return theta, expected


def infer(counts: csr_matrix, theta: Matrix, weight: float, beta: Matrix, iterations: int) -> Matrix:
    """Mixtures (N, K) with the words of topics (K, V) as they are. A row depends on no other."""
    prior = Prior(theta, np.full(len(theta), weight, np.float32), np.float32(0))
    found = theta.copy()
    for rows, block in _blocks(counts):
        for _ in range(iterations):
            found[rows] = _mixtures(_ratio(block, found[rows], beta), found[rows], beta, prior, rows)
    return found


def _mixtures(ratio: csr_matrix, theta: Matrix, beta: Matrix, prior: Prior, rows: slice) -> Matrix:
    evidence = theta * (ratio @ np.ascontiguousarray(beta.T))
    return _rows(evidence + prior.weight[rows, None] * prior.theta[rows], prior.theta[rows])


def _ratio(block: csr_matrix, theta: Matrix, beta: Matrix) -> csr_matrix:
    """The block's counts, each divided by Σ_k θ_dk β_kw."""
    rows = np.repeat(np.arange(len(theta)), np.diff(block.indptr))
    expected = np.einsum("ij,ij->i", theta[rows], beta.T[block.indices])
    return csr_matrix((block.data / (expected + _TINY), block.indices, block.indptr), shape=block.shape)


def _rows(values: Matrix, otherwise: Matrix | None = None) -> Matrix:
    """Rows that sum to 1; one without any mass is what `otherwise` has there, or even."""
    totals = values.sum(axis=1, keepdims=True, dtype=np.float64)
    spare = np.float32(1 / values.shape[1]) if otherwise is None else otherwise
    return np.where(totals > _TINY, values / np.maximum(totals, _TINY), spare).astype(np.float32)


def _blocks(counts: csr_matrix) -> Iterator[tuple[slice, csr_matrix]]:
    """Consecutive rows with a bounded number of counts each."""
    edges = np.searchsorted(counts.indptr, np.arange(0, counts.nnz + _BLOCK, _BLOCK), side="left")
    edges = np.unique(np.concatenate([[0], np.minimum(edges, counts.shape[0]), [counts.shape[0]]]))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield slice(start, end), counts[start:end]
