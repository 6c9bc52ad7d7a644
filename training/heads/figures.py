"""How good labels are, with bootstrap intervals. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.statistics import DRAWS, LEVEL, Interval, interval, paired

Numbers = NDArray[np.int64]
"""(N,): the number of a label for each example."""

_AT_ONCE = 2_000_000  # numbers drawn at a time, 16 MB


def confusion(truth: Numbers, guesses: Numbers, labels: int) -> NDArray[np.int64]:
    """(L, L) counts: row = the true label, column = the guess."""
    return np.bincount(truth * labels + guesses, minlength=labels * labels).reshape(labels, labels)


def f1_by_label(counts: NDArray[Any]) -> NDArray[np.float64]:
    """2·right / (true + guessed) of each label, for (..., L, L) counts; NaN for a label neither true nor guessed."""
    right = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    both = (counts.sum(axis=-1) + counts.sum(axis=-2)).astype(np.float64)
    found: NDArray[np.float64] = np.divide(2 * right, both, out=np.full(right.shape, np.nan), where=both > 0)
    return found


def macro_f1(counts: NDArray[Any]) -> NDArray[np.float64]:
    """The plain mean over the labels that occur, for (..., L, L) counts."""
    return np.asarray(np.nanmean(f1_by_label(counts), axis=-1), dtype=np.float64)


def macro_f1_interval(counts: NDArray[np.int64], seed: int) -> Interval:
    """With the ends of its 95 % bootstrap interval: drawing examples anew is drawing cells of the confusion."""
    number = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(number, counts.reshape(-1) / number, size=DRAWS)
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(macro_f1(drawn.reshape(DRAWS, *counts.shape)), [tail, 100 - tail])
    return Interval(float(macro_f1(counts)), float(low), float(high))


def ratio(parts: NDArray[np.float64], wholes: NDArray[np.float64], seed: int) -> Interval:
    """sum(parts) / sum(wholes) over (N,) units that belong together inside (a sentence's words), 0 where there is no
    whole, with the ends of its 95 % bootstrap interval: units are drawn, with part and whole."""
    number, numbers = len(parts), np.random.default_rng(seed)
    found = np.empty(DRAWS)
    step = max(1, _AT_ONCE // number)
    for first in range(0, DRAWS, step):
        rows = numbers.integers(0, number, size=(min(step, DRAWS - first), number))
        found[first : first + len(rows)] = parts[rows].sum(axis=1) / np.maximum(1.0, wholes[rows].sum(axis=1))
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(found, [tail, 100 - tail])
    return Interval(float(parts.sum() / max(1.0, wholes.sum())), float(low), float(high))


def judged(truth: Numbers, guesses: Numbers, labels: int, seed: int) -> dict[str, dict[str, float]]:
    """Accuracy and macro-F1 with their intervals, as JSON."""
    right = (truth == guesses).astype(np.float64)
    f1 = macro_f1_interval(confusion(truth, guesses, labels), seed)
    return {"accuracy": shown(interval(right, seed)), "macro_f1": shown(f1)}


def gained(truth: Numbers, first: Numbers, second: Numbers, seed: int) -> dict[str, float]:
    """By how much the first guesses are right more often than the second, example by example."""
    return shown(paired((truth == first).astype(np.float64), (truth == second).astype(np.float64), seed))


def by_label(counts: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, float | int]]:
    """Precision, recall and F1 of each label, and how often it is true."""
    f1, right = f1_by_label(counts), np.diagonal(counts)
    truth, guessed = counts.sum(axis=1), counts.sum(axis=0)
    return {
        label: {
            "examples": int(truth[at]),
            "precision": _share(right[at], guessed[at]),
            "recall": _share(right[at], truth[at]),
            "f1": round(float(np.nan_to_num(f1[at])), 4),
        }
        for at, label in enumerate(labels)
    }


def shown(found: Interval) -> dict[str, float]:
    """The interval as JSON, four digits."""
    return {name: round(value, 4) for name, value in asdict(found).items()}


def line(figures: Mapping[str, float]) -> str:
    """An interval for people: 0.758 (0.740 to 0.775)."""
    return f"{figures['mean']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})"


def _share(part: int, whole: int) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0
