"""Groups compared: which topics the documents of an author, a type, a language have more or less of than the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from riparian.errors import BadQuery
from riparian.types import Topic
from topics.analysis.material import Mixtures
from topics.analysis.significance import (
    ALPHA,
    Reals,
    benjamini_hochberg,
    number_of_permutations,
    p_value,
    shuffled,
    two_sided,
)

FEWEST = 5
"""Documents that a group needs to be compared."""
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Contrast:
    """One topic in one group against the rest. `log_odds` is logit(share) - logit(share in the rest), `low` and `high`
    the ends of its 95 % interval; `q` is adjusted over all groups and topics compared."""

    topic: Topic
    share: float
    rest: float
    log_odds: float
    low: float
    high: float
    p: float
    q: float

    @property
    def differs(self) -> bool:
        return self.q <= ALPHA


@dataclass(frozen=True, slots=True)
class Group:
    """The documents that carry a value; `contrasts` stand in the order of the topics' ids."""

    value: str
    documents: int
    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Groups with the most documents first. `documents` is how many carry any value of the field, `left` how many
    values have too few documents to be compared or come behind the most frequent ones."""

    field: str
    groups: tuple[Group, ...]
    documents: int
    left: int
    permutations: int


def compare(
    found: Mixtures,
    values: Sequence[tuple[int, str]],
    field: str,
    *,
    most: int = 8,
    seed: int = 0,
    permutations: int = 4999,
) -> Compared:
    """The `most` largest groups of (document, value) pairs, each against all other documents that carry a value.

    A share is the mean of the documents' weights, with one document at the share of all added, so that no logit is
    infinite. Interval: quasi-binomial (McCullagh and Nelder 1989), se² = f · (1 / (n s (1 - s)) + the same of the
    rest), f = the variance of weights over s (1 - s), pooled. p: permutation of |share - rest| over documents, two
    sided. BadQuery where fewer than two values have five documents.
    """
    members = _members(found, values)
    carrying = np.unique(np.concatenate([*members.values(), np.zeros(0, np.int64)]))
    sized = sorted(members, key=lambda value: (-len(members[value]), value))
    chosen = [v for v in sized if FEWEST <= len(members[v]) <= len(carrying) - FEWEST][:most]
    if not chosen:
        raise BadQuery(
            f"no value of {field} is carried by {FEWEST} documents with {FEWEST} others to compare them with; "
            f"it has {len(members)} values over {len(carrying)} documents"
        )
    theta = found.dense()[carrying]
    inside = _inside([np.searchsorted(carrying, members[value]) for value in chosen], len(carrying))
    contrasts = _contrasts(found.topics, theta, inside, seed, permutations)
    groups = tuple(
        Group(value, len(members[value]), contrasts[number]) for number, value in enumerate(chosen)
    )  # fmt: skip
    left = len(members) - len(chosen)
    return Compared(field, groups, len(carrying), left, number_of_permutations(theta, permutations))


def _members(found: Mixtures, values: Sequence[tuple[int, str]]) -> dict[str, np.ndarray]:
    """Rows of the documents that carry each value."""
    place = {int(row): number for number, row in enumerate(found.rows)}
    rows: defaultdict[str, set[int]] = defaultdict(set)
    for document, value in values:
        if document in place:
            rows[value].add(place[document])
    return {value: np.array(sorted(kept), np.int64) for value, kept in rows.items()}


def _inside(groups: Sequence[np.ndarray], documents: int) -> csr_matrix:
    """(G, D) with a one where a document is in a group."""
    columns = np.concatenate(groups)
    rows = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return csr_matrix((np.ones(len(columns)), (rows, columns)), shape=(len(groups), documents))


def _contrasts(
    topics: Sequence[Topic], theta: Reals, inside: csr_matrix, seed: int, permutations: int
) -> list[tuple[Contrast, ...]]:
    sizes = np.asarray(inside.sum(axis=1)).reshape(-1, 1)
    others = len(theta) - sizes
    sums, total = np.asarray(inside @ theta), theta.sum(axis=0)
    share, rest = sums / sizes, (total - sums) / others
    log_odds, error = _log_odds(theta, sums, sizes)
    p = _permuted(theta, inside, sizes, seed, permutations)
    q = benjamini_hochberg(p)
    return [
        tuple(
            Contrast(
                topic, float(share[g, k]), float(rest[g, k]), float(log_odds[g, k]),
                float(log_odds[g, k] - _Z95 * error[g, k]), float(log_odds[g, k] + _Z95 * error[g, k]),
                float(p[g, k]), float(q[g, k]),
            )
            for k, topic in enumerate(topics)
        )
        for g in range(len(sizes))
    ]  # fmt: skip


def _log_odds(theta: Reals, sums: Reals, sizes: Reals) -> tuple[Reals, Reals]:
    """(G, K) log odds ratios and their standard errors."""
    overall = np.clip(theta.mean(axis=0), 1e-9, 1 - 1e-9)
    others = len(theta) - sizes
    share = np.clip((sums + overall) / (sizes + 1), 1e-9, 1 - 1e-9)
    rest = np.clip((theta.sum(axis=0) - sums + overall) / (others + 1), 1e-9, 1 - 1e-9)
    dispersion = theta.var(axis=0, ddof=1) / (overall * (1 - overall))
    variance = dispersion * (1 / ((sizes + 1) * share * (1 - share)) + 1 / ((others + 1) * rest * (1 - rest)))
    log_odds = np.log(share / (1 - share)) - np.log(rest / (1 - rest))
    return np.asarray(log_odds), np.sqrt(variance)


def _permuted(theta: Reals, inside: csr_matrix, sizes: Reals, seed: int, permutations: int) -> Reals:
    overall = theta.mean(axis=0)
    observed = np.abs(np.asarray(inside @ theta) / sizes - overall)
    times = number_of_permutations(theta, permutations)
    if not times:
        left = (len(theta) - sizes) / max(len(theta) - 1, 1)
        return two_sided(observed / np.maximum(np.sqrt(theta.var(axis=0) * left / sizes), 1e-12))
    exceeded = np.zeros(observed.shape, np.int64)
    for rows in shuffled(theta, times, seed):
        exceeded += np.abs(np.asarray(inside @ rows) / sizes - overall) >= observed * (1 - 1e-9)
    return p_value(observed, exceeded, times)
