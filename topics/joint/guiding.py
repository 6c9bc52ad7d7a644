"""What people settled, as the joint model can use it: groups that rows are bound to, priors, anchors of centres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.errors import Invalid
from riparian.types import Matrix
from topics.base import BagOfWords, Guidance
from topics.joint.smoothing import unit

_SEED_WEIGHT = 0.1  # of a topic's words: what its seed words weigh before any is counted
_SURE = np.float32(0.98)
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Bounds:
    """Guidance over N rows and K topics: `bound` (N,) the topic of fixed rows, -1 else; `seeds` (K, V) 0/1."""

    bound: NDArray[np.int64]
    seeds: csr_matrix
    guidance: Guidance

    @property
    def any_seed(self) -> bool:
        return bool(self.seeds.nnz)


def topics_asked(asked: int, guidance: Guidance, rows: int) -> int:
    """As many topics as asked for, cut to the rows, but never fewer than there are centres to start from."""
    known = 0 if guidance.start_centres is None else len(guidance.start_centres)
    return max(1, min(asked, rows), known)


def bounds(guidance: Guidance, bag: BagOfWords, topics: int) -> Bounds:
    """Checked. Raises Invalid for a topic or a row that is not there."""
    rows = len(bag)
    for topic in [*guidance.seed_words, *guidance.fixed.values(), *guidance.known_words]:
        if not 0 <= topic < topics:
            raise Invalid(f"topic number {topic} was given; the fit has topics 0 to {topics - 1}")
    for row in [*guidance.fixed, *(row for pair in (*guidance.together, *guidance.apart) for row in pair)]:
        if not 0 <= row < rows:
            raise Invalid(f"passage row {row} was given; the fit has rows 0 to {rows - 1}")
    bound = np.full(rows, -1, np.int64)
    for row, topic in guidance.fixed.items():
        bound[row] = topic
    return Bounds(bound, _seeds(guidance, bag, topics), guidance)


def _seeds(guidance: Guidance, bag: BagOfWords, topics: int) -> csr_matrix:
    place = {word: number for number, word in enumerate(bag.vocabulary)}
    pairs = sorted({(k, place[w]) for k, words in guidance.seed_words.items() for w in words if w in place})
    rows, columns = [k for k, _ in pairs], [w for _, w in pairs]
    return csr_matrix((np.ones(len(pairs), np.float32), (rows, columns)), shape=(topics, len(bag.vocabulary)))


def known_centres(found: Bounds, smoothed: Matrix, counts: csr_matrix) -> Matrix:
    """(K, E) unit centres to start from: those given, else the middle of passages bound to a topic or holding its seed
    words; a zero row where nothing is known."""
    topics = found.seeds.shape[0]
    centres = np.zeros((topics, smoothed.shape[1]), np.float32)
    if found.any_seed:
        centres = unit(_hits(found, counts).T @ smoothed)
    members = np.flatnonzero(found.bound >= 0)
    sums = np.zeros_like(centres)
    np.add.at(sums, found.bound[members], smoothed[members])
    centres = np.where(np.linalg.norm(sums, axis=1, keepdims=True) > _TINY, unit(sums), centres)
    given = found.guidance.start_centres
    if given is not None:
        if given.shape[1] != smoothed.shape[1]:
            raise Invalid(f"centres to start from have {given.shape[1]} dimensions, the vectors {smoothed.shape[1]}")
        there = np.linalg.norm(given, axis=1, keepdims=True) > _TINY
        centres[: len(given)] = np.where(there, unit(given), centres[: len(given)])
    return centres


def _hits(found: Bounds, counts: csr_matrix) -> csr_matrix:
    """(N, K) how many different seed words of a topic a passage holds, rare words counting more."""
    present = counts.copy()
    present.data = np.ones_like(present.data)
    rarity = np.log(1 + counts.shape[0] / np.maximum(np.bincount(counts.indices, minlength=counts.shape[1]), 1))
    return csr_matrix(present @ found.seeds.multiply(rarity.astype(np.float32)[None, :]).T)


def merged(known: Matrix, found: Matrix) -> Matrix:
    """The known centres, and for zero rows those of the found ones that are least like a known one."""
    from scipy.optimize import linear_sum_assignment

    free = np.flatnonzero(np.linalg.norm(known, axis=1) < _TINY)
    settled = np.flatnonzero(np.linalg.norm(known, axis=1) >= _TINY)
    if not len(free):
        return known
    _, taken = linear_sum_assignment(-(known[settled] @ found.T))
    spare = np.setdiff1d(np.arange(len(found)), taken)[: len(free)]
    centres = known.copy()
    centres[free] = found[spare]
    return centres


def theta_prior(found: Bounds, theta: Matrix, counts: csr_matrix, weight: float) -> tuple[Matrix, NDArray[np.float32]]:
    """The embedding's mixtures with what is settled: seed words raise their topics, pairs pull or push, fixed rows are
    sure; and each row's weight in words, at least twice the passage's own words where it is fixed."""
    weights = np.full(len(theta), weight, np.float32)
    if found.any_seed:
        theta = _rows(theta * (1 + np.asarray((_hits(found, counts)).toarray(), np.float32)))
    theta = _paired(theta, found.guidance)
    fixed = np.flatnonzero(found.bound >= 0)
    if len(fixed):
        theta, lengths = theta.copy(), np.asarray(counts[fixed].sum(axis=1)).ravel()
        theta[fixed] *= 1 - _SURE
        theta[fixed, found.bound[fixed]] += _SURE
        weights[fixed] = np.maximum(weight, 2 * lengths + 1)
    return theta, weights


def _paired(theta: Matrix, guidance: Guidance) -> Matrix:
    """Rows to be together share the mean of their group's mixtures; of a pair to be apart each loses what the other
    surely is."""
    if not len(guidance.together) and not len(guidance.apart):
        return theta
    theta = theta.copy()
    for rows in groups_of(guidance.together, len(theta)):
        theta[rows] = theta[rows].mean(axis=0)
    for one, other in guidance.apart:
        mine, theirs = theta[one] * (1 - theta[other]), theta[other] * (1 - theta[one])
        # the surer of the two keeps its topic
        if theta[one].max() >= theta[other].max():
            theta[other] = theirs / max(float(theirs.sum()), _TINY)
        else:
            theta[one] = mine / max(float(mine.sum()), _TINY)
    return theta


def groups_of(pairs: object, rows: int) -> list[NDArray[np.int64]]:
    """Rows that pairs connect, each group ascending."""
    from scipy.sparse.csgraph import connected_components

    ends = np.array(pairs, np.int64).reshape(-1, 2)
    if not len(ends):
        return []
    graph = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(rows, rows))
    _, parts = connected_components(graph, directed=False)
    members, sizes = np.argsort(parts, kind="stable"), np.bincount(parts)
    return [group for group in np.split(members, np.cumsum(sizes)[:-1]) if len(group) > 1]


def word_prior(found: Bounds, smoothing: float, words: float) -> Matrix | np.float32:
    """Pseudo-counts of words in topics: `smoothing` for all, and for seed words together a tenth of a topic's mean
    number of words."""
    if not found.any_seed:
        return np.float32(smoothing)
    topics = found.seeds.shape[0]
    number = np.maximum(np.asarray(found.seeds.sum(axis=1)), 1)
    extra = found.seeds.toarray() * (_SEED_WEIGHT * words / topics / number)
    return np.asarray(smoothing + extra, np.float32)


def _rows(values: Matrix) -> Matrix:
    return np.asarray(values / np.maximum(values.sum(axis=1, keepdims=True), _TINY), np.float32)
