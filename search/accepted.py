"""Relevance fitted to judgments: how likely a judge accepts a hit that stands so far above chance.

The evidence is that of the label-free curve, spreads above the background; a logistic map of it (Platt, 1999: two
numbers, so that few judgments do) makes a probability of it. How far off that is, is told on queries that the map was
not fitted to: of two halves of the queries, each is predicted by the map of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid
from search.relevance import Curve, Scores, logistic

FEWEST_QUERIES = 10
FEWEST_OF_EACH = 10
"""Hits that were accepted, and as many that were not: fewer say too little of either."""

BINS = 10
_DRAWS = 1000
_SEED = 7

Answers = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """The hits of a query: spreads above the background of each, and whether a judge accepts it."""

    above: Scores
    accepted: Answers


@dataclass(frozen=True, slots=True)
class Told:
    """A figure with the 2.5 and 97.5 percentiles of its bootstrap over the queries."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """`error` and `label_free_error` are expected calibration errors on queries that the map was not fitted to."""

    curve: Curve
    queries: int
    hits: int
    accepted: int
    error: Told
    label_free_error: Told

    def json_value(self) -> dict[str, Any]:
        return asdict(self)


def fit(curve: Curve, judged: Sequence[JudgedQuery]) -> Fitted:
    """Invalid where there are fewer than `FEWEST_QUERIES` queries or `FEWEST_OF_EACH` hits of either kind."""
    asked = [one for one in judged if len(one.above)]
    accepted = _joined(asked).accepted
    _check(len(asked), int(accepted.sum()), int((~accepted).sum()))
    crossed = _crossed(curve, asked)
    plain = [curve.relevance(one.above) for one in asked]
    return Fitted(
        mapped(curve, asked), len(asked), len(accepted), int(accepted.sum()),
        _told(crossed, asked), _told(plain, asked),
    )  # fmt: skip


def mapped(curve: Curve, judged: Sequence[JudgedQuery]) -> Curve:
    """The curve with the slope and intercept of the judgments."""
    joined = _joined(judged)
    slope, intercept = logistic(joined.above, joined.accepted.astype(np.float64))
    return replace(curve, slope=slope, intercept=intercept)


def calibration_error(chances: Scores, accepted: Answers, bins: int = BINS) -> float:
    """The mean distance between what was told and the share accepted, over bins of equal width, weighted by their hits.
    (Naeini, Cooper and Hauskrecht, AAAI 2015.)"""
    rows = np.minimum((chances * bins).astype(np.int64), bins - 1)
    told = np.bincount(rows, weights=chances, minlength=bins)
    found = np.bincount(rows, weights=accepted.astype(np.float64), minlength=bins)
    return float(np.abs(told - found).sum() / max(1, len(chances)))


def _check(queries: int, accepted: int, rejected: int) -> None:
    if queries < FEWEST_QUERIES or min(accepted, rejected) < FEWEST_OF_EACH:
        raise Invalid(
            f"{queries} judged queries with {accepted} relevant and {rejected} irrelevant hits are too few to fit "
            f"relevance to: {FEWEST_QUERIES} queries and {FEWEST_OF_EACH} hits of each kind are needed; tick and cross "
            "more hits, or give a file of judgments"
        )


def _crossed(curve: Curve, judged: Sequence[JudgedQuery]) -> list[Scores]:
    """What the map of the other half says of each query's hits."""
    order = np.random.default_rng(_SEED).permutation(len(judged))
    found: list[Scores] = [np.empty(0)] * len(judged)
    for half, other in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        fitted = mapped(curve, [judged[row] for row in other])
        for row in half.tolist():
            found[row] = fitted.relevance(judged[row].above)
    return found


def _told(chances: Sequence[Scores], judged: Sequence[JudgedQuery]) -> Told:
    def figure(rows: Sequence[int]) -> float:
        told = np.concatenate([chances[row] for row in rows])
        return calibration_error(told, np.concatenate([judged[row].accepted for row in rows]))

    draws = np.random.default_rng(_SEED).integers(0, len(judged), size=(_DRAWS, len(judged)))
    low, high = np.percentile([figure(rows) for rows in draws.tolist()], [2.5, 97.5])
    return Told(figure(range(len(judged))), float(low), float(high))


def _joined(judged: Sequence[JudgedQuery]) -> JudgedQuery:
    if not judged:
        return JudgedQuery(np.empty(0), np.empty(0, dtype=np.bool_))
    return JudgedQuery(np.concatenate([one.above for one in judged]), np.concatenate([one.accepted for one in judged]))
