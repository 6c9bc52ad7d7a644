"""Whether two groups of occurrences are one sense: what is measured of a pair, and the log-odds that follow.

Cosines are told relative to the archive. The mean vector of the archive (`Background`) is taken away first, so that
what all of its texts share counts for nothing; and the likeness of two groups is divided by how alike each is within
itself, so that 1 means "as alike as halves of one group" whether the archive is about everything or about one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from senses.graph import Labels
from senses.views import Views

Pairs = NDArray[np.float64]
"""(groups, groups), symmetric."""

_LEAST_WITHIN = 1e-4
_LEAST_LIFT = 0.02

FEATURES = ("window", "context", "token", "edges", "token_edges", "company")

WEIGHTS: Mapping[str, float] = {
    "window": 4.55,
    "context": -1.69,
    "token": -5.8,
    "edges": 0.13,
    "token_edges": 0.41,
    "company": 6.22,
}
INTERCEPT = 4.68
"""Learnt on pseudo-words of free text (a Wikipedia excerpt, State of the Union addresses) by
`benchmarks/senses_pairs.py`: see `docs/senses.md`."""


@dataclass(frozen=True, slots=True)
class Background:
    """The archive's mean token, context and window vector; zero vectors where nothing is known of it."""

    token: NDArray[np.float32]
    context: NDArray[np.float32]
    window: NDArray[np.float32]


def background_of(views: Views) -> Background:
    """Of occurrences of words drawn from all over the archive."""
    return Background(views.token.mean(axis=0), views.context.mean(axis=0), views.window.mean(axis=0))


def log_odds(features: Mapping[str, Pairs]) -> Pairs:
    """Above 0: rather one sense than two."""
    found: Pairs = np.full(features["window"].shape, INTERCEPT)
    for name, weight in WEIGHTS.items():
        found += weight * features[name]
    return found


def measured(
    views: Views, labels: Labels, graph: Any, token_graph: Any, company: Any, background: Background
) -> dict[str, Pairs]:
    """Of every pair of groups, numbered as `labels` from 0; groups have two rows or more. `company` holds a bag of
    weighted words a row."""
    groups = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    return {
        "window": relative_cosines(views.window, groups, background.window),
        "context": relative_cosines(views.context, groups, background.context),
        "token": relative_cosines(views.token, groups, background.token),
        "edges": log_lift(graph, groups),
        "token_edges": log_lift(token_graph, groups),
        "company": _shared(company, groups),
    }


def relative_cosines(view: Matrix, groups: Matrix, mean: NDArray[np.float32]) -> Pairs:
    """c(a, b) / sqrt(c(a, a) c(b, b)): c is the mean inner product of vectors less the archive's mean, between rows of
    a and of b, and within a group between different rows."""
    rows = (view - mean).astype(np.float64)
    sizes = groups.sum(axis=0).astype(np.float64)
    sums = groups.T @ rows
    between = sums @ sums.T
    own = groups.T @ (rows * rows).sum(axis=1)
    within = np.maximum((np.diag(between) - own) / np.maximum(sizes * (sizes - 1), 1), _LEAST_WITHIN)
    found: Pairs = between / np.outer(sizes, sizes) / np.sqrt(np.outer(within, within))
    return found


def log_lift(graph: Any, groups: Matrix) -> Pairs:
    """ln of the edges between two groups over those that chance would put there, both with all their edges."""
    edges = np.asarray(groups.T @ (graph @ groups), dtype=np.float64)
    volume = edges.sum(axis=1)
    expected = np.maximum(np.outer(volume, volume), 1e-9)
    found: Pairs = np.log(edges * edges.sum() / expected + _LEAST_LIFT)
    return found


def _shared(company: Any, groups: Matrix) -> Pairs:
    """The cosine of the groups' mean bags of words."""
    means = np.asarray(company.T @ groups, dtype=np.float64).T
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    means = means / np.where(lengths == 0, 1, lengths)
    found: Pairs = means @ means.T
    return found
