"""Means with bootstrap intervals, and differences of two rankers over the same questions. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""(N,): one figure a question."""

DRAWS = 5000
LEVEL = 0.95

_AT_ONCE = 2_000_000  # numbers drawn at a time, 16 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        return self.low > 0

    @property
    def is_below_zero(self) -> bool:
        return self.high < 0


def interval(values: Values, seed: int, draws: int = DRAWS) -> Interval:
    """The mean with the 2.5 and 97.5 percentiles of the means of bootstrap samples (Efron and Tibshirani 1993,
    section 13.3). The same values and seed give the same ends. `ValueError` for no value."""
    if not len(values):
        raise ValueError("there is no interval of no values")
    numbers, count = np.random.default_rng(seed), len(values)
    means = np.empty(draws)
    step = max(1, _AT_ONCE // count)
    for start in range(0, draws, step):
        rows = numbers.integers(0, count, size=(min(step, draws - start), count))
        means[start : start + len(rows)] = values[rows].mean(axis=1)
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def paired(first: Values, second: Values, seed: int, draws: int = DRAWS) -> Interval:
    """How much `first` exceeds `second`, question by question: the questions are drawn, both rankers' answers to one
    stay together. `ValueError` for arrays of different lengths."""
    if first.shape != second.shape:
        raise ValueError(f"{first.shape} and {second.shape} are not answers to the same questions")
    return interval(first - second, seed, draws)
