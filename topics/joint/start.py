"""Groups to start from, without a seed: what Ward trees over many parts agree on, then spherical k-means rounds.

One tree takes another turn where a few passages are missing; what twenty trees over different halves of the passages
say together hardly does (bagging, Breiman 1996; consensus clustering, Monti et al. 2003). Whether a passage is in a
part is decided by a hash of its own vector, so that the parts of a sample are samples of the parts.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics.clusters import Labels, membership
from topics.joint.smoothing import unit

ROUNDS = 25
_MOST_IN_TREE = 3_000  # Ward holds all pairs of these
_PARTS = 20
_OF_256 = 128  # half of the rows are in a part
_FEWEST_A_GROUP = 10  # rows a part must have for each group


def starting_centres(smoothed: Matrix, vectors: Matrix, topics: int, dimensions: int) -> Matrix:
    """Unit centres (K, E) of the groups that the first rows (at most 3,000) form; `vectors` are the same rows before
    they were smoothed."""
    rows = smoothed[:_MOST_IN_TREE]
    leading = projected(rows, dimensions)
    parts = parts_of(vectors[:_MOST_IN_TREE])
    enough = parts.sum(axis=0).min(initial=len(rows)) >= _FEWEST_A_GROUP * topics
    labels = agreed(rows, leading, parts, topics) if enough else cut(tree(leading), topics)
    return unit(membership(labels, topics) @ rows)


def parts_of(vectors: Matrix) -> NDArray[np.bool_]:
    """(N, 20): whether a row is in each part, decided by the row alone."""
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    hashes = b"".join(blake2b(row.tobytes(), digest_size=_PARTS).digest() for row in rows)
    return np.frombuffer(hashes, np.uint8).reshape(len(rows), _PARTS) < _OF_256


def agreed(rows: Matrix, leading: Matrix, parts: NDArray[np.bool_], groups: int) -> Labels:
    """Labels of at most so many groups: a Ward tree over the passages by how many parts set two of them apart.

    Each part's tree over `leading` rows is cut at K groups, and every row goes to the nearest middle of these.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    found = np.empty(parts.shape)
    for number, part in enumerate(parts.T):
        labels = cut(tree(leading[part]), groups)
        found[:, number] = assign(rows, unit(membership(labels, groups) @ rows[part]))
    return cut(np.asarray(linkage(np.sqrt(pdist(found, "hamming")), "ward")), groups)


def projected(rows: Matrix, dimensions: int) -> Matrix:
    """Unit rows of the d leading principal components."""
    centred = rows - rows.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return unit(centred @ axes[:, ::-1][:, :dimensions].astype(np.float32))


def tree(rows: Matrix) -> NDArray[np.float64]:
    """Ward's tree (Ward 1963) over at least one row, as `scipy.cluster.hierarchy.linkage` gives it."""
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(rows.astype(np.float64), "ward") if len(rows) > 1 else np.zeros((0, 4)))


def cut(joined: NDArray[np.float64], groups: int) -> Labels:
    """Labels from 0 of at most so many groups of a tree, numbered by their first row."""
    from scipy.cluster.hierarchy import fcluster

    if groups > len(joined):
        return np.arange(len(joined) + 1, dtype=np.int64)
    found = fcluster(joined, groups, "maxclust")
    _, first, labels = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[labels]


def refine(
    smoothed: Matrix,
    centres: Matrix,
    bound: NDArray[np.int64] | None = None,
    anchors: Matrix | None = None,
    rounds: int = ROUNDS,
) -> tuple[Matrix, Labels]:
    """Assignment by cosine and unit mean until no label changes, at most `rounds` times. An emptied group keeps its
    centre.

    `bound` (N,) holds the group a row stays in, -1 where it is free. `anchors` (K, E) are added to each group's sum:
    what a group was before, weighted by how much it holds.
    """
    labels = np.full(len(smoothed), -1, np.int64)
    for _ in range(rounds):
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
