"""Groups to start from, without a seed: a Ward tree over smoothed vectors, then spherical k-means rounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics.clusters import Labels, membership
from topics.joint.smoothing import unit

ROUNDS = 25
_MOST_IN_TREE = 8_000  # Ward holds all pairs of these


def starting_centres(smoothed: Matrix, topics: int, dimensions: int) -> Matrix:
    """Unit centres (K, E) of the Ward tree over the first rows (at most 8,000), cut at K groups."""
    rows = smoothed[:_MOST_IN_TREE]
    labels = ward(projected(rows, dimensions), topics)
    return unit(membership(labels, topics) @ rows)


def projected(rows: Matrix, dimensions: int) -> Matrix:
    """Unit rows of the d leading principal components."""
    centred = rows - rows.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return unit(centred @ axes[:, ::-1][:, :dimensions].astype(np.float32))


def ward(rows: Matrix, groups: int) -> Labels:
    """Labels 0 to `groups` - 1 of Ward's tree (Ward 1963), numbered by their first row."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if groups >= len(rows):
        return np.arange(len(rows), dtype=np.int64)
    found = fcluster(linkage(rows.astype(np.float64), "ward"), groups, "maxclust")
    _, first, labels = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[labels]


def refine(
    smoothed: Matrix, centres: Matrix, bound: NDArray[np.int64] | None = None, anchors: Matrix | None = None
) -> tuple[Matrix, Labels]:
    """Assignment by cosine and unit mean until no label changes, at most 25 rounds. An emptied group keeps its centre.

    `bound` (N,) holds the group a row stays in, -1 where it is free. `anchors` (K, E) are added to each group's sum:
    what a group was before, weighted by how much it holds.
    """
    labels = np.full(len(smoothed), -1, np.int64)
    for _ in range(ROUNDS):
        found = assign(smoothed, centres)
        if bound is not None:
            found = np.where(bound >= 0, bound, found)
        if np.array_equal(found, labels):
            break
        labels = found
        sums = membership(labels, len(centres)) @ smoothed
        sums = sums if anchors is None else sums + anchors
        centres = np.where(np.linalg.norm(sums, axis=1, keepdims=True) > 1e-9, unit(sums), centres)
    return centres, labels


def assign(smoothed: Matrix, centres: Matrix) -> Labels:
    """The nearest centre of every row, a block at a time."""
    found = np.empty(len(smoothed), np.int64)
    for start in range(0, len(smoothed), 16_384):
        found[start : start + 16_384] = (smoothed[start : start + 16_384] @ centres.T).argmax(axis=1)
    return found


def counts_of(labels: Labels, counts: csr_matrix, topics: int) -> Matrix:
    """(K, V) words in each group."""
    return np.asarray((membership(labels, topics) @ counts).toarray(), np.float32)
