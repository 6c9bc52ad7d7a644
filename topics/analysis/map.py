"""A map of passages: two coordinates each, near where their vectors are near, and staying there when the archive grows.

The first map is laid out by UMAP (McInnes, Healy and Melville 2018) over exact cosine neighbours, started at the two
principal components; without the package umap-learn, or below 50 points, it is those components. Later maps keep every
place of the one before: a new passage goes to the weighted mean of its nearest neighbours, old and new, found by
repeated averaging with the old ones fixed. Where more is new than old, all are laid out again, started at these places,
and the whole is turned, mirrored, stretched and moved onto the old map (Procrustes; Schönemann 1966).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix
from topics.analysis.neighbours import nearest

Places = NDArray[np.float64]
Method = Literal["umap", "pca"]

FEWEST_FOR_UMAP = 50
NEIGHBOURS = 15
MOST = 20_000
"""Passages laid out by UMAP, evenly spread where there are more; the others are placed by their neighbours."""
_ROUNDS = 50
_SHARPNESS = 20.0
_SEED = 0


@dataclass(frozen=True, slots=True)
class Map:
    """Ascending passage ids and their places (N, 2), within -1..1 on the first map; `kept` of them stood there before.

    `moved` is the mean distance that kept ones moved, 0 unless all were laid out again.
    """

    passages: Ids
    places: Places
    method: Method
    kept: int
    moved: float


def is_installed() -> bool:
    """Whether umap-learn is there."""
    return find_spec("umap") is not None


def draw(passages: Ids, vectors: Matrix, before: Map | None = None, method: Method | None = None) -> Map:
    """The map of passages (ascending ids) with unit vectors (N, E); the same input gives the same on one machine."""
    method = method or _method(len(passages))
    if before is None or not len(before.passages):
        return Map(passages, _fitted(_laid_out(vectors, method)), method, 0, 0.0)
    old = np.flatnonzero(np.isin(passages, before.passages))
    if not len(old):
        return Map(passages, _fitted(_laid_out(vectors, method)), method, 0, 0.0)
    fixed = before.places[np.searchsorted(before.passages, passages[old])]
    places = grown(vectors, old, fixed)
    if 2 * len(old) >= len(passages):
        return Map(passages, places, before.method, len(old), 0.0)
    again = onto(_laid_out(vectors, method, places), old, fixed)
    moved = float(np.linalg.norm(again[old] - fixed, axis=1).mean())
    return Map(passages, again, method, len(old), moved)


def grown(vectors: Matrix, old: NDArray[np.int64], fixed: Places) -> Places:
    """(N, 2) places: `fixed` for the rows `old`, the others in the mean of their neighbours by exp(20 cosine)."""
    places = np.zeros((len(vectors), 2))
    places[old] = fixed
    new = np.setdiff1d(np.arange(len(vectors)), old)
    if not len(new):
        return places
    count = min(NEIGHBOURS + 1, len(vectors))
    numbers, cosines = nearest(vectors[new], vectors, count)
    weights = np.exp(_SHARPNESS * (cosines.astype(np.float64) - cosines[:, :1]))
    weights[numbers == new[:, None]] = 0  # a passage is no neighbour of its own
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    places[new] = _nearest_old(vectors, new, old, fixed)
    for _ in range(_ROUNDS):
        places[new] = np.einsum("nk,nkd->nd", weights, places[numbers])
    return places + _apart(new, fixed, len(vectors))


def _nearest_old(vectors: Matrix, new: NDArray[np.int64], old: NDArray[np.int64], fixed: Places) -> Places:
    numbers, _ = nearest(vectors[new], vectors[old], 1)
    return np.asarray(fixed[numbers[:, 0]])


def _apart(new: NDArray[np.int64], fixed: Places, rows: int) -> Places:
    """A hair's breadth for the new ones alone, so that no two lie on one spot."""
    shift = np.zeros((rows, 2))
    breadth = 0.004 * float(np.abs(fixed - fixed.mean(axis=0)).max(initial=0.0))
    shift[new] = np.random.default_rng(_SEED).normal(size=(len(new), 2)) * breadth
    return shift


def onto(places: Places, rows: NDArray[np.int64], target: Places) -> Places:
    """All places, turned, mirrored, stretched and moved so that `rows` lie as near as they can to `target`."""
    mine = places[rows]
    centre, goal = mine.mean(axis=0), target.mean(axis=0)
    u, s, vt = np.linalg.svd((mine - centre).T @ (target - goal))
    stretch = s.sum() / max(float(((mine - centre) ** 2).sum()), 1e-12)
    return np.asarray((places - centre) @ (u @ vt) * stretch + goal)


def _method(points: int) -> Method:
    return "umap" if points >= FEWEST_FOR_UMAP and is_installed() else "pca"


def _laid_out(vectors: Matrix, method: Method, start: Places | None = None) -> Places:
    if method == "pca":
        return _principal(vectors)
    some = np.unique(np.linspace(0, len(vectors) - 1, min(MOST, len(vectors))).astype(np.int64))
    begin = _principal(vectors[some]) if start is None else start[some]
    laid = _umap(vectors[some], begin)
    return laid if len(some) == len(vectors) else grown(vectors, some, laid)


def _principal(vectors: Matrix) -> Places:
    """The two first principal components, each with its largest loading positive."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    values, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, np.argsort(-values, kind="stable")[:2]]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    found = centred @ axes
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def _umap(vectors: Matrix, start: Places) -> Places:
    count = min(NEIGHBOURS, len(vectors) - 1)
    numbers, cosines = nearest(vectors, vectors, count)
    distances = np.maximum(1 - cosines, 0)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # it says that new points need another index, and that one seed means one thread
        import umap

        fit = umap.UMAP(
            n_neighbors=count, metric="cosine", init=_scaled(start).astype(np.float32), random_state=_SEED,
            n_jobs=1, precomputed_knn=(numbers.astype(np.int32), distances.astype(np.float32)),
        )  # fmt: skip
        return np.asarray(fit.fit_transform(vectors), dtype=np.float64)


def _scaled(places: Places) -> Places:
    """Within 0..10, as UMAP's own starts are."""
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(10 * (places - low) / np.maximum(high - low, 1e-12))


def _fitted(places: Places) -> Places:
    """Moved and shrunk evenly into -1..1."""
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(2 * (places - (low + high) / 2) / max(float((high - low).max()), 1e-12))
