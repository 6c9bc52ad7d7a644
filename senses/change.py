"""How the meaning of a word changes: the share of each sense in each period, and whether chance would do as much.

The test shuffles the dates of *documents*, not of occurrences, since those of one document go together: a document
that uses a word thirty times is one witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

DRAWS = 999
LEAST_DOCUMENTS = 6
MOST_PERIODS = 8
SEED = 0
TURNING = 5


@dataclass(frozen=True, slots=True)
class Dated:
    """An occurrence: the document, its date, the number of its sense."""

    document: int
    date: date
    sense: int


@dataclass(frozen=True, slots=True)
class Period:
    """Dates from `first` to `last`, both inside; `shares` of the senses sum to 1."""

    first: date
    last: date
    occurrences: int
    documents: int
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """`statistic` is the mean squared distance of the documents' periods from the whole in shares of senses; `p` the
    part of shuffled archives that reach it; `turning` the documents that moved the shares most, the first one first.
    `p` is None where there is too little to tell."""

    periods: tuple[Period, ...]
    statistic: float
    p: float | None
    turning: tuple[int, ...]


def change(occurrences: Sequence[Dated], senses: int, *, draws: int = DRAWS, seed: int = SEED) -> Change:
    """Periods hold about equally many documents; a day never falls into two."""
    documents, dates, counts = _by_document(occurrences, senses)
    if not len(documents):
        return Change((), 0.0, None, ())
    bounds = _periods(dates)
    of_document = np.searchsorted(np.array([last for _, last in bounds]), dates)
    periods = tuple(_period(dates, counts, of_document == at, bounds[at]) for at in range(len(bounds)))
    if len(documents) < LEAST_DOCUMENTS or len(bounds) < 2 or senses < 2:
        return Change(periods, 0.0, None, ())
    statistic = _spread(counts, of_document, len(bounds))
    draw = np.random.default_rng(seed)
    shuffled = (_spread(counts, draw.permutation(of_document), len(bounds)) for _ in range(draws))
    p = (1 + sum(one >= statistic - 1e-12 for one in shuffled)) / (1 + draws)
    return Change(periods, statistic, p, _turning(documents, counts, of_document, len(bounds)))


def _by_document(
    occurrences: Sequence[Dated], senses: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Documents in the order of their dates, those dates as ordinals, and how often each sense occurs in each."""
    found = sorted({(one.date.toordinal(), one.document) for one in occurrences})
    row = {document: at for at, (_, document) in enumerate(found)}
    counts = np.zeros((len(found), senses))
    for one in occurrences:
        counts[row[one.document], one.sense] += 1
    return np.array([d for _, d in found], dtype=np.int64), np.array([d for d, _ in found], dtype=np.int64), counts


def _periods(dates: NDArray[np.int64]) -> list[tuple[int, int]]:
    number = int(np.clip(len(dates) // 3, 1, MOST_PERIODS))
    edges = [dates[(at * len(dates)) // number] for at in range(number)]
    starts = sorted({int(edge) for edge in edges})
    return [(start, end - 1) for start, end in zip(starts, [*starts[1:], int(dates[-1]) + 1], strict=True)]


def _period(
    dates: NDArray[np.int64], counts: NDArray[np.float64], inside: NDArray[np.bool_], bounds: tuple[int, int]
) -> Period:
    total = counts[inside].sum(axis=0)
    shares = total / max(float(total.sum()), 1.0)
    return Period(
        first=date.fromordinal(int(dates[inside].min())),
        last=date.fromordinal(int(dates[inside].max())),
        occurrences=int(total.sum()),
        documents=int(inside.sum()),
        shares=tuple(round(float(share), 4) for share in shares),
    )


def _spread(counts: NDArray[np.float64], of_document: NDArray[np.int64], periods: int) -> float:
    """Between periods, weighted by their occurrences: sum n_t |share_t - share|² / n."""
    sums = np.zeros((periods, counts.shape[1]))
    np.add.at(sums, of_document, counts)
    sizes = sums.sum(axis=1)
    whole = sums.sum(axis=0) / sizes.sum()
    shares = sums / np.maximum(sizes, 1)[:, None]
    return float((sizes * ((shares - whole) ** 2).sum(axis=1)).sum() / sizes.sum())


def _turning(
    documents: NDArray[np.int64], counts: NDArray[np.float64], of_document: NDArray[np.int64], periods: int
) -> tuple[int, ...]:
    """Documents without which the periods would differ least, in the order of time."""
    whole = _spread(counts, of_document, periods)
    lost = [whole - _without(counts, of_document, periods, at) for at in range(len(documents))]
    best = [at for at in np.argsort(-np.array(lost), kind="stable")[:TURNING] if lost[at] > 0]
    return tuple(int(documents[at]) for at in sorted(best))


def _without(counts: NDArray[np.float64], of_document: NDArray[np.int64], periods: int, at: int) -> float:
    fewer = counts.copy()
    fewer[at] = 0
    return _spread(fewer, of_document, periods) if fewer.sum() else 0.0
