"""Whether a topic's share differs between sets of documents by more than chance: permutation tests.

Where there are very many documents, the limits of the permutation distributions are used (Hájek 1961).
Documents are what is exchanged, never passages: the passages of one document are not independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

ALPHA = 0.05
PERMUTATIONS = 1999
LARGE = 300_000
"""Weights (documents times topics) beyond which the limits of the permutation distributions stand in for shuffling."""


def benjamini_hochberg(p: Reals) -> Reals:
    """Adjusted p values (q): rejecting all q <= a keeps the expected part of false rejections at or below a.

    Benjamini and Hochberg (1995): q_(i) = min over j >= i of p_(j) · m / j. The shape of `p` is kept.
    """
    flat = p.ravel()
    order = np.argsort(flat, kind="stable")
    ranked = flat[order] * len(flat) / np.arange(1, len(flat) + 1)
    adjusted = np.empty_like(flat)
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return adjusted.reshape(p.shape)


def number_of_permutations(theta: Reals, wanted: int = PERMUTATIONS) -> int:
    """`wanted`; 0 where there are so many documents that the limits of their distributions are used instead."""
    return wanted if theta.size <= LARGE else 0


def shuffled(theta: Reals, times: int, seed: int = 0) -> Iterator[Reals]:
    """The rows of theta in `times` random orders, the same for a seed."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        yield theta[rng.permutation(len(theta))]


def p_value(observed: Reals, exceeded: Ints, times: int) -> Reals:
    """(1 + permutations at least as extreme) / (1 + permutations): never 0, and valid for any number of them."""
    return np.asarray((1 + exceeded) / (1 + times), dtype=np.float64).reshape(observed.shape)


@dataclass(frozen=True, slots=True)
class Between:
    """How topics' mean weights differ between P sets of documents.

    `shares` (P, K) are the means in the sets; `spread` (K,) = Σ_p n_p (share_pk - share_k)²; `z` (P, K) standardised by
    the variance that drawing n_p of the documents without replacement has; `p` (K,) of the spread; `cells` (P, K)
    of |z|, adjusted over the sets of a topic (largest |z| of a permutation: Westfall and Young 1993).
    """

    shares: Reals
    spread: Reals
    z: Reals
    p: Reals
    cells: Reals


def between(theta: Reals, sets: Ints, number: int, *, seed: int = 0, permutations: int = PERMUTATIONS) -> Between:
    """Compares the sets 0..number-1 that documents (D, K) lie in; each document lies in exactly one, none is empty."""
    indicator, sizes = _indicator(sets, number), np.bincount(sets, minlength=number).astype(np.float64)
    overall = theta.mean(axis=0)
    scale = _scale(theta, sizes)

    def look(rows: Reals) -> tuple[Reals, Reals]:
        difference = np.asarray(indicator @ rows) / sizes[:, None] - overall
        return (sizes[:, None] * difference**2).sum(axis=0), difference / scale

    spread, z = look(theta)
    shares = np.asarray(indicator @ theta) / sizes[:, None]
    times = number_of_permutations(theta, permutations)
    if not times:
        return Between(shares, spread, z, _chi_squared(spread, theta, number), np.minimum(1, number * two_sided(z)))
    above, extreme = np.zeros(theta.shape[1], np.int64), np.zeros(z.shape, np.int64)
    for rows in shuffled(theta, times, seed):
        other, scores = look(rows)
        above += other >= spread * (1 - 1e-9)
        extreme += np.abs(scores).max(axis=0) >= np.abs(z) * (1 - 1e-9)
    return Between(shares, spread, z, p_value(spread, above, times), p_value(z, extreme, times))


def two_sided(z: Reals) -> Reals:
    """p values of standardised differences by the normal limit."""
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))


def _chi_squared(spread: Reals, theta: Reals, number: int) -> Reals:
    """p values of the spread by its limit: over the variance of a weight, chi-squared with P - 1 degrees of freedom."""
    from scipy.special import chdtrc

    variance = np.maximum(theta.var(axis=0, ddof=1), 1e-300)
    return np.asarray(chdtrc(number - 1, spread / variance))


def _indicator(sets: Ints, number: int) -> csr_matrix:
    return csr_matrix((np.ones(len(sets)), (sets, np.arange(len(sets)))), shape=(number, len(sets)))


def _scale(theta: Reals, sizes: Reals) -> Reals:
    """(P, K) deviation of a mean of n_p documents drawn without replacement."""
    documents = len(theta)
    left = (documents - sizes) / max(documents - 1, 1)
    deviation = np.sqrt(theta.var(axis=0)[None, :] * (left / sizes)[:, None])
    return np.asarray(np.maximum(deviation, 1e-12))
