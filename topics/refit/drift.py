"""Whether what came since the fit still is what the topics were found in, and which themes they lack.

Where nothing has changed, the nearest neighbours of a passage that came since are as often old as new. So the test: of
the ten nearest passages (of other documents), how many came since too, against the same after the marks "came since"
were dealt out to the documents anew, 999 times (the nearest-neighbour test of Schilling 1986 and Henze 1988, by
permutation; documents are dealt, for passages of one are alike). Passages that keep company with far more new ones
than chance gives, and are nearest neighbours of each other, are a theme; one that lies much closer together than to any
topic is a theme that the topics lack.

Besides, each document's distance to the nearest topic's centre is told, that of documents of the fit to centres without
them, for else they would always be the nearer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Ids, Matrix, PassageId, TopicTerm
from topics import coherence, describe, naming, phrases
from topics.base import BagOfWords
from topics.curation.mixtures import Mixtures, matrix

Reals = NDArray[np.float64]

LEVEL = 0.01
"""A difference that chance gives less often than this is called drift."""
DOUBTFUL = 0.5
"""A passage whose main topic weighs less is in doubt."""
NEIGHBOURS = 10
DEALS = 999
ODD = 0.001
"""A passage has more new neighbours than chance gives this often: it may belong to a theme."""
CLOSER = 0.1
"""Passages of a theme that the topics lack are on average by this cosine nearer to each other than to a topic."""
SMALLEST_THEME = 5
MOST = 4_000
"""Passages, and documents, of either side that are looked at, evenly spread."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Passages that came since, lie together and far from every topic; `passages` holds the most typical first."""

    label: str
    words: tuple[TopicTerm, ...]
    passages: tuple[PassageId, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Drift:
    """`doubtful` is the part of the passages in doubt and `distance` the mean to the nearest centre (0 to 2), at the
    fit and since; `farther` how often a document that came since lies farther out than one of the fit (0.5: alike).

    `company` is the part of the nearest neighbours of passages that came since which came since too,
    `company_by_chance` what it would be without drift, and `chance` how often chance gives as much.
    """

    documents: int
    passages: int
    doubtful_at_fit: float
    doubtful: float
    distance_at_fit: float
    distance: float
    farther: float
    company: float
    company_by_chance: float
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
    """`drift` without themes, and a theme's number for every passage, -1 for those in none."""

    drift: Drift
    grouped: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """Passages that were looked at, as rows of the scene, and the `nearest` ten of each, as places among them."""

    rows: NDArray[np.int64]
    nearest: NDArray[np.int64]


def measure(scene: Scene) -> Measured:
    """Nothing has drifted where nothing came since, or nothing is left of what the topics were found in."""
    weights = np.asarray(matrix(scene.mixtures, scene.passages, scene.topics).todense(), np.float64)
    vectors = _unit(scene.vectors.astype(np.float64))
    centres = _unit(weights[~scene.since].T @ vectors[~scene.since])
    distance = _distances(scene, vectors, weights)
    fit, new = (_by_document(scene.documents, distance, side) for side in (~scene.since, scene.since))
    doubt = weights.max(axis=1, initial=0.0) < DOUBTFUL
    company = neighbours(scene, vectors)
    kept, expected, chance = _dealt(scene, company)
    drift = Drift(
        documents=len(np.unique(scene.documents[scene.since])), passages=int(scene.since.sum()),
        doubtful_at_fit=_mean(doubt[~scene.since]), doubtful=_mean(doubt[scene.since]),
        distance_at_fit=_mean(fit), distance=_mean(new), farther=_farther(fit, new),
        company=kept, company_by_chance=expected, chance=chance,
    )  # fmt: skip
    return Measured(drift, groups(scene, company, vectors, centres))


def neighbours(scene: Scene, vectors: Reals) -> Company:
    """Of passages of other documents; no more new passages are looked at than old ones."""
    old, new = np.flatnonzero(~scene.since), np.flatnonzero(scene.since)
    rows = np.sort(np.concatenate([_evenly(old, MOST), _evenly(new, min(MOST, len(old)))]))
    looked, documents = vectors[rows].astype(np.float32), scene.documents[rows]
    most = min(NEIGHBOURS, max(len(rows) - 1, 0))
    if not len(new) or not most:
        return Company(rows, np.zeros((len(rows), 0), np.int64))
    found = []
    for start in range(0, len(rows), 1_000):
        likeness = looked[start : start + 1_000] @ looked.T
        likeness[documents[start : start + 1_000, None] == documents[None, :]] = -np.inf
        found.append(np.argpartition(-likeness, most - 1, axis=1)[:, :most])
    return Company(rows, np.concatenate(found))


def _dealt(scene: Scene, company: Company) -> tuple[float, float, float]:
    """(part of new neighbours of new passages, its mean over deals, p)."""
    since = scene.since[company.rows]
    if not company.nearest.size or not since.any():
        return 0.0, 0.0, 1.0
    _, first, place = np.unique(scene.documents[company.rows], return_index=True, return_inverse=True)
    marks, rng = since[first], np.random.default_rng(0)
    seen = _kept_company(since, company)
    deals = np.array([_kept_company(rng.permutation(marks)[place], company) for _ in range(DEALS)])
    return seen, float(deals.mean()), float((1 + np.sum(deals >= seen)) / (1 + DEALS))


def _kept_company(since: NDArray[np.bool_], company: Company) -> float:
    return float(since[company.nearest[since]].mean()) if since.any() else 0.0


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


def _farther(fit: Reals, new: Reals) -> float:
    """The part of all pairs in which the new one is the greater, ties by half."""
    if not len(fit) or not len(new):
        return 0.5
    ordered = np.sort(fit)
    below = np.searchsorted(ordered, new, "left") + np.searchsorted(ordered, new, "right")
    return float(below.mean() / (2 * len(fit)))


def _evenly(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64)]


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _unit(vectors: Reals) -> Reals:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float64)


# ------------------------------------------------------------------------------ themes


def groups(scene: Scene, company: Company, vectors: Reals, centres: Reals) -> NDArray[np.int64]:
    """A theme's number for every passage, -1 for those in none."""
    found = np.full(len(scene.passages), -1, np.int64)
    odd = _odd(scene, company)
    for number, part in enumerate(_joined(company, odd)):
        rows = company.rows[part]
        if len(rows) >= SMALLEST_THEME and _gain(vectors[rows], centres) >= CLOSER:
            found[rows] = number
    return found


def _odd(scene: Scene, company: Company) -> NDArray[np.int64]:
    """Places of new passages with more new neighbours than chance gives."""
    since = scene.since[company.rows]
    if not company.nearest.size or not since.any():
        return np.zeros(0, np.int64)
    from scipy.stats import binom

    fewest = binom.isf(ODD, company.nearest.shape[1], float(since.mean())) + 1
    return np.flatnonzero(since & (since[company.nearest].sum(axis=1) >= fewest))


def _joined(company: Company, odd: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The odd passages in parts that hang together: by being each other's nearest neighbours."""
    if not len(odd):
        return []
    from scipy.sparse.csgraph import connected_components

    place = np.full(len(company.rows), -1, np.int64)
    place[odd] = np.arange(len(odd))
    to = place[company.nearest[odd]]
    inside = to >= 0
    rows = np.repeat(np.arange(len(odd)), inside.sum(axis=1))
    near = csr_matrix((np.ones(len(rows)), (rows, to[inside])), (len(odd), len(odd)))
    count, part = connected_components(near.multiply(near.T), directed=False)
    return [odd[part == number] for number in range(count)]


def _gain(vectors: Reals, centres: Reals) -> float:
    """How much nearer the passages are to the middle of the others than to the nearest topic."""
    others = _unit(vectors.sum(axis=0) - vectors)
    return float(np.mean((vectors * others).sum(axis=1) - (vectors @ centres.T).max(axis=1)))


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
