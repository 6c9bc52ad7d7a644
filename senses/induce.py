"""The senses of a word among its occurrences, how many being unknown; one is an answer.

1. Vectors less the word's mean, three views; a graph of nearest neighbours in each (`senses.graph`).
2. Too many groups: k-means on the views side by side, three times with 8, 12 and 16 groups.
3. For every pair of groups the log-odds that they are one sense (`senses.evidence`), told relative to the archive.
4. Rows that fell together in all three form the finest groups; average linkage over the mean log-odds joins them, and
   what joins under `THRESHOLD` stays apart.
5. Each occurrence may then follow the majority of its neighbours in the graph.

Merging what was over-segmented finds senses of a few per cent, which no choice of k does. The order of occurrences
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senses import evidence, graph, tree
from senses.evidence import Background
from senses.graph import Labels
from senses.tree import Groups, Join
from senses.views import Views

SEGMENTATIONS = (8, 12, 16)
SMALLEST = 3
"""Occurrences that a group has at least."""

ROWS_A_GROUP = 5
CAP = 3.0
"""Log-odds beyond which more evidence adds nothing, and those of rows of one group."""

THRESHOLD = 0.4
FEWEST = 12
"""Occurrences below which one sense is the answer: there is nothing to learn from."""

WEAK = 0.25
"""A division whose log-odds lie this close to the threshold is told as weak."""


@dataclass(frozen=True, slots=True)
class Induction:
    """`groups` is the finest group of each occurrence, `tree` how they join, `division` the groups that make up each
    sense, `doubt` the share of an occurrence's neighbours that are in other senses.

    `margin` is how far the nearest join lies from the threshold: small where one more or fewer sense is as likely.
    """

    groups: Labels
    tree: tuple[Join, ...]
    division: tuple[Groups, ...]
    doubt: NDArray[np.float32]
    margin: float

    @property
    def finest(self) -> int:
        return len(self.tree) + 1

    @property
    def weak(self) -> bool:
        return self.margin < WEAK

    def labels(self, division: Sequence[Groups] | None = None) -> Labels:
        """The number of each occurrence's sense in a division, by default the one that was found."""
        of_group = np.zeros(self.finest, dtype=np.int64)
        for number, groups in enumerate(self.division if division is None else division):
            of_group[list(groups)] = number
        found: Labels = of_group[self.groups]
        return found


def induce(views: Views, company: Any, background: Background | None) -> Induction:
    """`company` is a sparse bag of weighted words a row (`senses.company`). No sense label is used anywhere.

    Below `FEWEST` occurrences the answer is one sense, and neither `company` nor `background` is looked at.
    """
    total = len(views)
    if total < FEWEST or background is None:
        return _one_sense(total)
    order = _canonical(views)
    found = _induce(views.take(order), company[order], background)
    back = np.argsort(order)
    return Induction(found.groups[back], found.tree, found.division, found.doubt[back], found.margin)


def _one_sense(total: int) -> Induction:
    return Induction(
        np.zeros(total, dtype=np.int64), (), ((0,),), np.zeros(total, dtype=np.float32), margin=float("inf")
    )


def _canonical(views: Views) -> NDArray[np.int64]:
    """An order that depends on the vectors alone, so that k-means starts the same however they were given."""
    keys = np.concatenate([views.context[:, :4], views.token[:, :4]], axis=1)
    found: NDArray[np.int64] = np.lexsort(keys.T).astype(np.int64)
    return found


def _induce(views: Views, company: Any, background: Background) -> Induction:
    reduced = graph.directions(views)
    graphs = [graph.neighbours(view) for view in reduced]
    joint = graph.summed(graphs)
    segments = segmentations(np.concatenate(reduced, axis=1), joint)
    scores = [
        evidence.log_odds(evidence.measured(views, labels, joint, graphs[0], company, background))
        for labels in segments
    ]
    groups, table = _finest(segments, scores, joint)
    joins = tree.joined(table, np.bincount(groups))
    division = tree.cut(joins, len(table), tree.joins_above(joins, THRESHOLD))
    groups, division, labels = _voted(groups, division, joint)
    margin = min((abs(score - THRESHOLD) for _, _, score in joins), default=float("inf"))
    return Induction(groups, tuple(joins), tuple(division), graph.doubt(labels, joint), margin)


def segmentations(rows: NDArray[np.float32], joint: Any) -> list[Labels]:
    """Too many groups, three times: k-means on rows of all views side by side, small groups absorbed by `joint`."""
    from sklearn.cluster import KMeans

    found = []
    for seed, wanted in enumerate(SEGMENTATIONS):
        number = max(2, min(wanted, len(rows) // ROWS_A_GROUP))
        labels = KMeans(number, n_init=3, random_state=seed).fit_predict(rows).astype(np.int64)
        found.append(graph.absorb(labels, joint, SMALLEST))
    return found


def _finest(
    segmentations: Sequence[Labels], scores: Sequence[NDArray[np.float64]], joint: Any
) -> tuple[Labels, NDArray[np.float64]]:
    """Rows that are together in every segmentation, small ones absorbed, and the mean log-odds between those groups."""
    together = np.unique(np.stack(segmentations, axis=1), axis=0, return_inverse=True)[1].ravel()
    groups = graph.absorb(together.astype(np.int64), joint, SMALLEST)
    one_hot = np.eye(int(groups.max()) + 1)[groups]
    sizes = one_hot.sum(axis=0)
    table = np.zeros((len(sizes), len(sizes)))
    for labels, odds in zip(segmentations, scores, strict=True):
        capped = np.minimum(odds, CAP)
        np.fill_diagonal(capped, CAP)
        counts = one_hot.T @ np.eye(len(odds))[labels]  # rows of each finest group in each segment
        table += (counts @ capped @ counts.T) / np.outer(sizes, sizes)
    return groups, table / len(scores)


def _voted(groups: Labels, division: list[Groups], joint: Any) -> tuple[Labels, list[Groups], Labels]:
    """Occurrences that follow their neighbours into another sense join that one's nearest group, so that the tree and
    the division still say the same."""
    of_group = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    for number, members in enumerate(division):
        of_group[list(members)] = number
    labels = of_group[groups]
    fresh = graph.vote(labels, joint)
    moved = np.flatnonzero(fresh != labels)
    if len(moved):
        edges = joint[moved] @ np.eye(len(of_group), dtype=np.float32)[groups]
        edges[of_group[None, :] != fresh[moved, None]] = -1
        groups = groups.copy()
        groups[moved] = edges.argmax(axis=1)
    return groups, division, fresh
