"""Whether what came since the fit still is what the topics were found in, and which themes they lack.

A passage is the worse explained the farther its vector lies from the nearest topic's centre. Documents that came since
are compared with those that the topics were found in; a document of the fit is measured against centres without it, for
else it would always be the nearer one. Documents, not passages, are the units: passages of one are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix, PassageId, TopicTerm
from topics import coherence, describe, naming, phrases
from topics.base import BagOfWords
from topics.curation.mixtures import Mixtures, matrix

Reals = NDArray[np.float64]

LEVEL = 0.01
"""A difference that chance gives less often than this is called drift."""
DOUBTFUL = 0.5
"""A passage whose main topic weighs less is in doubt."""
FAR = 0.95
"""Farther out than this part of the fit's own passages, a passage is badly explained."""
SMALLEST_THEME = 5
MOST = 4_000
"""Documents of either side, and badly explained passages, that are looked at, evenly spread."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Badly explained passages that lie together; `passages` holds the most typical first."""

    label: str
    words: tuple[TopicTerm, ...]
    passages: tuple[PassageId, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Drift:
    """`doubtful` is the part of the passages in doubt and `distance` the mean to the nearest centre (0 to 2), at the
    fit and since. `chance` is how often documents that are no different would look as different (one-sided
    Mann-Whitney); `farther` how often one that came since lies farther out than one of the fit (0.5: no drift)."""

    documents: int
    passages: int
    doubtful_at_fit: float
    doubtful: float
    distance_at_fit: float
    distance: float
    farther: float
    chance: float
    themes: tuple[Theme, ...] = ()

    @property
    def drifted(self) -> bool:
        return self.chance < LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All passages with vectors (N, E) and `mixtures`, ascending ids; `since` marks those that came after the fit."""

    passages: Ids
    documents: Ids
    vectors: Matrix
    mixtures: Mixtures
    topics: Sequence[int]
    since: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """`drift` without themes; rows of the badly explained passages, the farthest first."""

    drift: Drift
    far: NDArray[np.int64]


def measure(scene: Scene) -> Measured:
    """Nothing has drifted where nothing came since, or nothing is left of what the topics were found in."""
    weights = np.asarray(matrix(scene.mixtures, scene.passages, scene.topics).todense(), np.float64)
    vectors = _unit(scene.vectors.astype(np.float64))
    distance = _distances(scene, vectors, weights)
    fit, new = (_by_document(scene.documents, distance, side) for side in (~scene.since, scene.since))
    doubt = weights.max(axis=1) < DOUBTFUL
    farther, chance = _compared(fit, new)
    drift = Drift(
        documents=len(np.unique(scene.documents[scene.since])), passages=int(scene.since.sum()),
        doubtful_at_fit=_mean(doubt[~scene.since]), doubtful=_mean(doubt[scene.since]),
        distance_at_fit=_mean(fit), distance=_mean(new), farther=farther, chance=chance,
    )  # fmt: skip
    return Measured(drift, _far(scene, distance))


def _far(scene: Scene, distance: Reals) -> NDArray[np.int64]:
    looked = np.isfinite(distance)
    fitted = distance[looked & ~scene.since]
    bound = np.quantile(fitted, FAR) if len(fitted) else 0.0
    rows = np.flatnonzero(looked & scene.since & (distance > bound))
    return rows[np.argsort(-distance[rows], kind="stable")][:MOST]


def _distances(scene: Scene, vectors: Reals, weights: Reals) -> Reals:
    """1 - cosine to the nearest centre, that of a document of the fit left out of the centres; NaN where not looked."""
    sums = weights[~scene.since].T @ vectors[~scene.since]
    distance = np.full(len(vectors), np.nan)
    order = np.argsort(scene.documents, kind="stable")
    for rows in _spread(order, scene):
        own = weights[rows].T @ vectors[rows] if not scene.since[rows[0]] else 0.0
        distance[rows] = 1 - (vectors[rows] @ _unit(sums - own).T).max(axis=1)
    return distance


def _spread(order: NDArray[np.int64], scene: Scene) -> list[NDArray[np.int64]]:
    """Rows of up to `MOST` documents of either side, evenly spread."""
    edges = np.flatnonzero(np.diff(scene.documents[order])) + 1
    groups = np.split(order, edges) if len(order) else []
    sides = [[rows for rows in groups if scene.since[rows[0]] == side] for side in (False, True)]
    return [
        side[place]
        for side in sides
        for place in np.linspace(0, len(side) - 1, min(len(side), MOST)).astype(int).tolist()
    ]


def _by_document(documents: Ids, values: Reals, chosen: NDArray[np.bool_]) -> Reals:
    inside = chosen & np.isfinite(values)
    _, place = np.unique(documents[inside], return_inverse=True)
    return np.asarray(np.bincount(place, values[inside]) / np.maximum(np.bincount(place), 1), np.float64)


def _compared(fit: Reals, new: Reals) -> tuple[float, float]:
    """(part of the pairs in which the new one is the greater, p)."""
    if not len(fit) or not len(new):
        return 0.5, 1.0
    from scipy.stats import mannwhitneyu

    found = mannwhitneyu(new, fit, alternative="greater")
    return float(found.statistic) / (len(fit) * len(new)), float(found.pvalue)


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _unit(vectors: Reals) -> Reals:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float64)


# ------------------------------------------------------------------------------ themes


def groups(vectors: Matrix) -> NDArray[np.int64]:
    """A group number for every vector, -1 for those in none: regions of passages that lie close together (HDBSCAN,
    Campello, Moulavi and Sander 2013)."""
    if len(vectors) < 2 * SMALLEST_THEME:
        return np.full(len(vectors), -1, np.int64)
    from sklearn.cluster import HDBSCAN

    # on vectors of length 1 the euclidean distance orders as the cosine does
    found = HDBSCAN(min_cluster_size=SMALLEST_THEME, allow_single_cluster=True, copy=True)
    return np.asarray(found.fit_predict(_unit(vectors.astype(np.float64))), np.int64)


def themes(passages: Ids, vectors: Matrix, grouped: NDArray[np.int64], bag: BagOfWords) -> tuple[Theme, ...]:
    """The groups by size, named by words that mark them off from each other and from all other passages (group -1)."""
    numbers = sorted(set(grouped.tolist()) - {-1})
    if not numbers or not bag.vocabulary:
        return ()
    theta = np.stack([grouped == number for number in (*numbers, -1)], axis=1).astype(np.float32)
    expected = describe.expected_counts(theta, bag.counts)
    chosen = naming.choose(bag, expected)
    words = [[bag.vocabulary[word] for word in topic[: coherence.TOP]] for topic in chosen[:-1]]
    labels = describe.labels(words, range(len(words)), lambda label: phrases.label(label, bag))
    made = [
        Theme(
            labels[place], describe.terms(chosen[place][: coherence.TOP], expected[place], bag.vocabulary),
            tuple(PassageId(int(passages[row])) for row in describe.representatives(theta, vectors, place)
                  if grouped[row] == number),
            int((grouped == number).sum()),
        )
        for place, number in enumerate(numbers)
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda theme: (-theme.size, theme.label)))
