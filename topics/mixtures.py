"""What is kept of a mixture, so that stored weights are exactly what pages show.

A passage keeps its weights of at least 1 %, at most its eight largest (always the largest one), divided by their sum.
A document's mixture is the mean of its passages' *kept* mixtures weighted by their lengths, nothing dropped; so is a
collection's share of a topic, with every passage counting the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

SMALLEST = 0.01
MOST = 8


def kept(theta: Matrix) -> csr_matrix:
    """(N, K) float64 CSR whose rows sum to 1. Among equal weights the topic of the smaller number is kept."""
    most = min(MOST, theta.shape[1])
    columns = np.argsort(-theta, axis=1, kind="stable")[:, :most]
    weights = np.take_along_axis(theta, columns, axis=1).astype(np.float64)
    keep = weights >= SMALLEST
    keep[:, :1] = True
    weights *= keep
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(theta)), keep.sum(axis=1))
    return csr_matrix((weights[keep], (rows, columns[keep])), shape=theta.shape)


def of_documents(
    passages: csr_matrix, documents: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], csr_matrix]:
    """(ascending document ids, their mixtures) from passage mixtures, each passage's document and length.

    A length of 0 counts as 1, so that a document of empty passages has a mixture too.
    """
    ids, place = np.unique(documents, return_inverse=True)
    weights = np.maximum(lengths, 1).astype(np.float64)
    weights /= np.bincount(place, weights=weights)[place]
    total = csr_matrix((weights, (place, np.arange(len(place)))), shape=(len(ids), len(place)))
    return ids, csr_matrix(total @ passages)
