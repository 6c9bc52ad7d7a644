"""The occurrences of one word as a graph: each is joined to those nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from senses.views import Views

DIRECTIONS = 50
NEIGHBOURS = 10
ROUNDS = 3
OWN = 0.5
"""What a row's own label weighs in a vote, in edges."""

Labels = NDArray[np.int64]


def unit(rows: Matrix) -> Matrix:
    """Rows of length 1; zero rows stay."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    found: Matrix = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return found


def directions(views: Views) -> tuple[Matrix, Matrix, Matrix]:
    """Token, context and window vectors less their mean over the word, in the first `DIRECTIONS` of their own main
    directions, each row of length 1. What all occurrences share is gone: what is left tells them apart."""
    return (_reduced(views.token), _reduced(views.context), _reduced(views.window))


def _reduced(view: Matrix) -> Matrix:
    rows = unit(view - view.mean(axis=0)).astype(np.float64)
    rows -= rows.mean(axis=0)
    size = min(DIRECTIONS, *rows.shape)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    axes = vectors[:, ::-1][:, :size]
    return unit((rows @ axes).astype(np.float32))


def neighbours(rows: Matrix, number: int = NEIGHBOURS) -> Any:
    """A sparse symmetric matrix: 1 where two rows are each among the other's nearest by cosine, 1/2 where one is."""
    from scipy.sparse import csr_array

    total = len(rows)
    number = min(number, total - 1)
    if number < 1:
        return csr_array((total, total), dtype=np.float32)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argpartition(-cosines, number - 1, axis=1)[:, :number]
    from_rows = np.repeat(np.arange(total), number)
    joined = csr_array((np.ones(total * number, dtype=np.float32), (from_rows, nearest.ravel())), shape=(total, total))
    return csr_array((joined + joined.T) / 2)


def summed(graphs: Sequence[Any]) -> Any:
    total = graphs[0]
    for graph in graphs[1:]:
        total = total + graph
    return total


def absorb(labels: Labels, graph: Any, least: int = 3) -> Labels:
    """A group of under `least` rows joins the one it has most edges to for that one's size, the smallest first.
    Labels are numbered anew from 0."""
    labels = _renumbered(labels)
    while True:
        sizes = np.bincount(labels)
        if len(sizes) == 1 or sizes.min() >= least:
            return labels
        small = int(sizes.argmin())
        edges = _edges(graph, labels, labels == small)
        density = edges / sizes
        density[small] = -1
        labels = _renumbered(np.where(labels == small, int(density.argmax()), labels))


def _edges(graph: Any, labels: Labels, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    weight = np.asarray(graph[np.flatnonzero(rows)].sum(axis=0)).ravel()
    return np.asarray(np.bincount(labels, weights=weight, minlength=int(labels.max()) + 1), dtype=np.float64)


def vote(labels: Labels, graph: Any, rounds: int = ROUNDS) -> Labels:
    """Each row takes the label that most of its edges lead to; its own counts `OWN` edges. No label dies out."""
    number = int(labels.max()) + 1
    for _ in range(rounds):
        one_hot = np.eye(number, dtype=np.float32)[labels]
        fresh = (graph @ one_hot + OWN * one_hot).argmax(axis=1)
        if len(np.unique(fresh)) < number or np.array_equal(fresh, labels):
            return labels
        labels = fresh
    return labels


def doubt(labels: Labels, graph: Any) -> NDArray[np.float32]:
    """For each row, the share of its edges that lead to rows of other labels."""
    number = int(labels.max()) + 1 if len(labels) else 1
    weights = graph @ np.eye(number, dtype=np.float32)[labels]
    total = weights.sum(axis=1)
    own = weights[np.arange(len(labels)), labels]
    found: NDArray[np.float32] = np.where(total > 0, 1 - own / np.maximum(total, 1e-9), 0.0).astype(np.float32)
    return found


def _renumbered(labels: Labels) -> Labels:
    found: Labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return found
