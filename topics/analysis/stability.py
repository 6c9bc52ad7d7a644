"""Whether a topic would be found again in other documents: refits on parts of them, and how well that foretells.

Each draw takes four fifths of the documents, groups their passages anew, and looks for every topic among the groups
(Hungarian assignment). Recurrence of a topic in a draw = Jaccard of its passages and the matched group's. The forecast
is the mean over the draws, drawn towards the mean of all topics as far as the draws disagree (James and Stein 1961):

    forecast_k = m + w (m_k - m),   w = max(0, 1 - (within / draws) / var_k m_k)

with m_k the topic's mean, m the mean of all, within the mean variance of a topic over draws. Fresh draws that the
forecast has not seen say how far it is off: the calibration error is the mean of |forecast_k - observed_k|.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

DRAWS, FRESH = 8, 8
PART = 0.8
_BINS = (0.0, 0.25, 0.5, 0.75, 1.0)

Regroup = Callable[[Ints, int], Ints]
"""(rows, seed) → a group number for each of the rows."""
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Bin:
    """Topics whose forecast lies in a range: how many, their mean forecast, and what the fresh draws showed."""

    low: float
    high: float
    topics: int
    forecast: float
    observed: float


@dataclass(frozen=True, slots=True)
class Stability:
    """Per topic: `forecast`, `low` and `high` (least and most of the draws), `observed` in fresh draws.

    `error` is the calibration error, `noise` the part of it that the observation itself has (its standard error times
    the mean of |N(0,1)|): a perfect forecast would be off by that much. `bias` is the mean of forecast - observed.
    """

    forecast: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    observed: tuple[float, ...]
    error: float
    noise: float
    bias: float
    bins: tuple[Bin, ...]


def measure(
    labels: Ints,
    documents: Ints,
    topics: int,
    regroup: Regroup,
    *,
    draws: int = DRAWS,
    fresh: int = FRESH,
    seed: int = 0,
    watch: Watch = lambda done, total: None,
) -> Stability:
    """The stability of `topics` topics whose passages are labelled `labels` (N,) and lie in `documents` (N,).

    `watch` may raise to stop the work. With the same seed and regrouping the same result.
    """
    found = np.zeros((draws + fresh, topics))
    for number in range(draws + fresh):
        watch(number, draws + fresh)
        rows = _part(documents, np.random.default_rng([seed, number]))
        found[number] = recurrence(labels[rows], regroup(rows, number), topics)
    watch(draws + fresh, draws + fresh)
    seen, unseen = found[:draws], found[draws:]
    forecast = shrunk(seen)
    observed = unseen.mean(axis=0)
    return Stability(
        forecast=_tuple(forecast),
        low=_tuple(seen.min(axis=0)),
        high=_tuple(seen.max(axis=0)),
        observed=_tuple(observed),
        error=float(np.abs(forecast - observed).mean()),
        noise=_noise(unseen),
        bias=float((forecast - observed).mean()),
        bins=_bins(forecast, observed),
    )


def recurrence(labels: Ints, groups: Ints, topics: int) -> Reals:
    """(K,) Jaccard of each topic's rows and those of the group matched with it, so that their sum is largest; 0 for a
    topic without rows or without a match."""
    from scipy.optimize import linear_sum_assignment

    overlaps = np.zeros((topics, int(groups.max(initial=-1)) + 1))
    np.add.at(overlaps, (labels, groups), 1)
    together = overlaps.sum(axis=1)[:, None] + overlaps.sum(axis=0)[None, :] - overlaps
    jaccard = overlaps / np.maximum(together, 1)
    rows, columns = linear_sum_assignment(-jaccard)
    found = np.zeros(topics)
    found[rows] = jaccard[rows, columns]
    return found


def shrunk(draws: Reals) -> Reals:
    """(K,) forecasts from (draws, K)."""
    means = draws.mean(axis=0)
    if len(draws) < 2 or len(means) < 2:
        return np.asarray(means)
    within = float(draws.var(axis=0, ddof=1).mean()) / len(draws)
    weight = max(0.0, 1 - within / max(float(means.var(ddof=1)), 1e-12))
    return np.asarray(means.mean() + weight * (means - means.mean()))


def _part(documents: Ints, rng: np.random.Generator) -> Ints:
    """Rows of a random part of the documents, ascending."""
    ids = np.unique(documents)
    kept = rng.permutation(ids)[: max(1, round(PART * len(ids)))]
    return np.flatnonzero(np.isin(documents, kept))


def _noise(unseen: Reals) -> float:
    if len(unseen) < 2:
        return 0.0
    return float(np.sqrt(unseen.var(axis=0, ddof=1) / len(unseen)).mean() * np.sqrt(2 / np.pi))


def _bins(forecast: Reals, observed: Reals) -> tuple[Bin, ...]:
    place = np.clip(np.searchsorted(_BINS, forecast, "right") - 1, 0, len(_BINS) - 2)
    return tuple(
        Bin(_BINS[b], _BINS[b + 1], int(n), float(forecast[place == b].mean()), float(observed[place == b].mean()))
        for b, n in enumerate(np.bincount(place, minlength=len(_BINS) - 1))
        if n
    )


def _tuple(values: Reals | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
