"""What a score means in a collection: how far a hit stands out from what questions about something else find there.

Cosine, late interaction and the share of the query's rarity that BM25 saw are each measured in spreads above what
background questions (`background.py`) find at best, and averaged. A logistic curve, fitted without labels to those best
hits (0) and to passages found again by some of their own words (1), makes a number between 0 and 1 of it. It says how
sure it is that the collection holds what was asked and that this is it; it is no judge's strictness: how many of ten
hits a judge would accept differs from one set of judgments to the next and cannot be known without them. Where there
are judgments, the curve is fitted to them (`accepted.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids
from search.fusion import Ranking
from search.lexical import Words
from search.ranking import Ranked

LABEL_FREE, JUDGMENTS = "label-free", "judgments"
"""What a curve was fitted to."""

NAMES = ("semantic", "late", "lexical")

CHANCE = 0.95
"""Share of the background questions whose best hit is not called close."""

NOTHING_CLOSE = "nothing here is close; nearest guesses below"

_SATURATION = 2.2  # what BM25 gives a word at most, in units of its rarity (k1 = 1.2)
_LEAST_SPREAD = 0.01
_RIDGE = 1e-3

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """`centres` and `spreads` of the best background hits by name; from `threshold` spreads on a hit is close."""

    centres: Mapping[str, float]
    spreads: Mapping[str, float]
    threshold: float
    slope: float
    intercept: float

    def spreads_above(self, scores: Mapping[str, Scores]) -> Scores:
        """The mean over the names that tell anything of a hit (NaN elsewhere)."""
        rows = np.stack([(scores[name] - self.centres[name]) / self.spreads[name] for name in NAMES])
        told = ~np.isnan(rows)
        return np.asarray(np.where(told, rows, 0.0).sum(axis=0) / np.maximum(told.sum(axis=0), 1), dtype=np.float64)

    def relevance(self, above: Scores) -> Scores:
        """0 to 1, never falling with the spreads above the background."""
        grown = np.clip(self.slope * above + self.intercept, -30, 30)
        return np.asarray(1.0 / (1.0 + np.exp(-grown)), dtype=np.float64)

    def json_value(self) -> dict[str, Any]:
        return asdict(self)


def scores_of(ranked: Ranked, words: Words, documents: Ids) -> dict[str, Scores]:
    """What each retriever gave the documents, on scales that do not depend on the query; NaN where it told nothing.

    Where words were guessed, the words count by the share that was not: strings that ask nothing look like something.
    """
    mass = sum(words.index.rarity(sorted(words.meant))) * _SATURATION
    lexical = _looked_up(ranked.lexical, documents)
    if ranked.lexical is not None:
        share = words.known_share / mass if mass > 0 else 0.0
        lexical = np.nan_to_num(lexical, nan=0.0) * share
    return {
        "semantic": _looked_up(ranked.semantic, documents),
        "late": _looked_up(ranked.late, documents),
        "lexical": lexical,
    }


def _looked_up(ranking: Ranking | None, documents: Ids) -> Scores:
    if ranking is None or not len(ranking):
        return np.full(len(documents), np.nan)
    given = dict(zip(ranking.ids.tolist(), ranking.scores.tolist(), strict=True))
    return np.array([given.get(document, np.nan) for document in documents.tolist()], dtype=np.float64)


def fit(background: Sequence[Mapping[str, float]], known: Sequence[Mapping[str, float]]) -> Curve:
    """The curve of the best hits of background questions and of hits that are known to be right (both not empty)."""
    table = {name: np.array([one[name] for one in background]) for name in NAMES}
    centres = {name: _or(np.nanmedian, column, 0.0) for name, column in table.items()}
    spreads = {name: max(_LEAST_SPREAD, _or(_spread, column, 1.0)) for name, column in table.items()}
    plain = Curve(centres, spreads, 0.0, 1.0, 0.0)
    below, above = _above(plain, background), _above(plain, known)
    slope, intercept = logistic(
        np.concatenate((below, above)), np.concatenate((np.zeros(len(below)), np.ones(len(above))))
    )
    return Curve(centres, spreads, float(np.quantile(below, CHANCE)), slope, intercept)


def logistic(values: Scores, labels: Scores) -> tuple[float, float]:
    """(slope >= 0, intercept) of the logistic regression by Newton's method, with a small ridge on the slope."""
    rows, weights = np.stack((values, np.ones(len(values))), axis=1), np.zeros(2)
    ridge = np.diag((_RIDGE * len(values), 1e-9))
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (chance - labels) + ridge @ weights
        bend = rows.T @ (rows * (chance * (1 - chance))[:, None]) + ridge + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return max(0.0, float(weights[0])), float(weights[1])


def _above(curve: Curve, hits: Sequence[Mapping[str, float]]) -> Scores:
    return curve.spreads_above({name: np.array([hit[name] for hit in hits]) for name in NAMES})


def _spread(column: Scores) -> float:
    """1.4826 times the median distance from the median: the deviation of a normal distribution."""
    return float(1.4826 * np.nanmedian(np.abs(column - np.nanmedian(column))))


def _or(figure: Any, column: Scores, otherwise: float) -> float:
    return float(figure(column)) if not np.isnan(column).all() else otherwise
