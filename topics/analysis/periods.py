"""Topics over time: each topic's share of the documents of a period, and which changes are more than chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

import numpy as np

from riparian.errors import BadQuery
from riparian.types import DocumentId, Ids, Topic
from topics.analysis.material import Mixtures
from topics.analysis.period_words import Words
from topics.analysis.significance import (
    ALPHA,
    PERMUTATIONS,
    Between,
    Ints,
    Reals,
    benjamini_hochberg,
    between,
    number_of_permutations,
    p_value,
    shuffled,
    two_sided,
)

Unit = Literal["month", "quarter", "year", "decade"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MOST_PERIODS = 32
"""The finest unit that gives no more periods than a person can read in a row."""

_MONTHS: Mapping[Unit, int] = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
DRIVERS = 5


@dataclass(frozen=True, slots=True)
class Period:
    """From its first to its last day, with the number of dated documents in it."""

    name: str
    first: date
    last: date
    documents: int


@dataclass(frozen=True, slots=True)
class Driver:
    """A document that makes a change: its `part` of the topic's spread between periods, the topic's `weight` in it."""

    document_id: DocumentId
    period: int
    weight: float
    part: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """One topic over the periods.

    `shares` are means of the documents' weights; None where no document of the period is dated. `trend` is the
    correlation of weight and rank of the date. `q` is twice the smaller of the two p values, adjusted over topics.
    `high` and `low` are the periods that stand out of a topic that changes. `words` are those of each period, empty
    where they were not asked for.
    """

    topic: Topic
    share: float
    shares: tuple[float | None, ...]
    trend: float
    p_spread: float
    p_trend: float
    q: float
    changes: bool
    high: tuple[int, ...]
    low: tuple[int, ...]
    drivers: tuple[Driver, ...]
    words: Words = ()


@dataclass(frozen=True, slots=True)
class OverTime:
    """Topics by how sure their change is. `undated` documents are left out."""

    unit: Unit
    periods: tuple[Period, ...]
    timelines: tuple[Timeline, ...]
    documents: int
    undated: int
    permutations: int


def over_time(
    found: Mixtures,
    dates: Mapping[DocumentId, date],
    unit: Unit | None = None,
    *,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> OverTime:
    """Topics in the periods of the documents' dates; `unit` None chooses it by their span.

    share_pk = mean of theta_dk over the documents d of period p. Spread of topic k: Σ_p n_p (share_pk - share_k)²,
    which is also Σ_d (share_p(d)k - share_k)(theta_dk - share_k): a document's term of it is its part in the change.
    Both tests exchange the dates of documents. BadQuery where fewer than three documents are dated or all lie in one
    period.
    """
    days = [dates.get(DocumentId(int(row))) for row in found.rows]
    dated = np.array([number for number, day in enumerate(days) if day is not None], np.int64)
    known = [day for day in days if day is not None]
    if len(known) < 3:
        raise BadQuery(f"only {len(known)} documents with topics have a date; topics over time need three or more")
    unit = unit or unit_for(min(known), max(known))
    starts = _starts(min(known), max(known), unit)
    places = np.array([np.searchsorted(starts, np.datetime64(day), "right") - 1 for day in known], np.int64)
    periods = _periods(starts, unit, np.bincount(places, minlength=len(starts)))
    used = np.unique(places)
    if len(used) < 2:
        raise BadQuery(f"all dated documents lie in {periods[used[0]].name}; ask for a shorter period")
    theta = found.dense()[dated]
    sets = np.searchsorted(used, places)
    times = number_of_permutations(theta, permutations)
    compared = between(theta, sets, len(used), seed=seed, permutations=times)
    trend, p_trend = _trend(theta, np.array([day.toordinal() for day in known], np.float64), seed, times)
    q = benjamini_hochberg(np.minimum(1.0, 2 * np.minimum(compared.p, p_trend)))
    make = _maker(found, theta, sets, used, compared, len(periods), found.rows[dated])
    timelines = [make(k, float(trend[k]), float(p_trend[k]), float(q[k])) for k in range(len(found.topics))]
    timelines.sort(key=lambda line: (not line.changes, line.q, -line.share, line.topic.id))
    return OverTime(
        unit, periods, tuple(timelines), len(known), len(days) - len(known), times
    )  # fmt: skip


def period_of(over: OverTime, dates: Mapping[DocumentId, date], documents: Ids) -> Ints:
    """The period of each document, -1 for those without a date."""
    firsts = np.array([np.datetime64(period.first) for period in over.periods])
    days = (dates.get(DocumentId(int(document))) for document in documents)
    places = [-1 if day is None else int(np.searchsorted(firsts, np.datetime64(day), "right")) - 1 for day in days]
    return np.array(places, np.int64)


def unit_for(first: date, last: date) -> Unit:
    """The finest unit with at most `MOST_PERIODS` periods from first to last."""
    return next((unit for unit in UNITS if len(_starts(first, last, unit)) <= MOST_PERIODS), "decade")


def _starts(first: date, last: date, unit: Unit) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    months = _MONTHS[unit]
    begin = (first.year * 12 + first.month - 1) // months * months
    end = last.year * 12 + last.month - 1
    found = [np.datetime64(f"{month // 12:04d}-{month % 12 + 1:02d}-01") for month in range(begin, end + 1, months)]
    return np.array(found, dtype="datetime64[D]")


def _periods(starts: Sequence[np.datetime64] | np.ndarray, unit: Unit, counts: Ints) -> tuple[Period, ...]:
    firsts: list[date] = [start.astype(object) for start in starts]
    months = _MONTHS[unit]
    made = []
    for first, count in zip(firsts, counts.tolist(), strict=True):
        month = first.year * 12 + first.month - 1 + months
        following = date(month // 12, month % 12 + 1, 1) if month // 12 <= 9999 else date.max
        made.append(Period(_name(first, unit), first, following - timedelta(days=1), count))
    return tuple(made)


def _name(first: date, unit: Unit) -> str:
    names: Mapping[Unit, str] = {
        "month": f"{first:%Y-%m}",
        "quarter": f"{first.year} Q{(first.month + 2) // 3}",
        "year": f"{first.year}",
        "decade": f"{first.year}s",
    }
    return names[unit]


def _trend(theta: Reals, days: Reals, seed: int, times: int) -> tuple[Reals, Reals]:
    """Correlation of each topic's weight with the rank of the date, and its two-sided permutation p."""
    from scipy.stats import rankdata

    ranks = rankdata(days)
    ranks = (ranks - ranks.mean()) / max(float(ranks.std()), 1e-12)
    deviation = np.maximum(theta.std(axis=0), 1e-12) * len(theta)
    observed = ranks @ theta / deviation
    if not times:
        return np.asarray(observed), two_sided(np.asarray(observed) * np.sqrt(len(theta) - 1))
    exceeded = np.zeros(theta.shape[1], np.int64)
    for rows in shuffled(theta, times, seed + 1):
        exceeded += np.abs(ranks @ rows / deviation) >= np.abs(observed) * (1 - 1e-9)
    return np.asarray(observed), p_value(observed, exceeded, times)


def _maker(
    found: Mixtures, theta: Reals, sets: Ints, used: Ints, compared: Between, periods: int, documents: Ints
) -> Callable[[int, float, float, float], Timeline]:
    overall = theta.mean(axis=0)

    def make(k: int, trend: float, p_trend: float, q: float) -> Timeline:
        changes = q <= ALPHA
        shares: list[float | None] = [None] * periods
        for place, period in enumerate(used.tolist()):
            shares[period] = float(compared.shares[place, k])
        marked = np.flatnonzero(compared.cells[:, k] <= ALPHA) if changes else np.zeros(0, np.int64)
        parts = (compared.shares[sets, k] - overall[k]) * (theta[:, k] - overall[k])
        return Timeline(
            topic=found.topics[k],
            share=float(overall[k]),
            shares=tuple(shares),
            trend=trend,
            p_spread=float(compared.p[k]),
            p_trend=p_trend,
            q=q,
            changes=changes,
            high=tuple(int(used[place]) for place in marked if compared.z[place, k] > 0),
            low=tuple(int(used[place]) for place in marked if compared.z[place, k] < 0),
            drivers=_drivers(parts, theta[:, k], used[sets], documents) if changes else (),
        )

    return make


def _drivers(parts: Reals, weights: Reals, periods: Ints, documents: Ints) -> tuple[Driver, ...]:
    """The documents with the largest terms of the spread that hold more of the topic than most do."""
    whole = max(float(parts.sum()), 1e-12)
    order = np.argsort(-np.where(weights > weights.mean(), parts, -np.inf), kind="stable")[:DRIVERS]
    return tuple(
        Driver(DocumentId(int(documents[row])), int(periods[row]), float(weights[row]), float(parts[row]) / whole)
        for row in order
        if parts[row] > 0 and weights[row] > weights.mean()
    )
