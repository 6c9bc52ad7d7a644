"""How well the product's own search answers questions whose answers are known, way by way, and which weight of meaning
suits the collection. Pure: who asks is handed in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Progress
from training.evaluation.measures import MRR, NDCG, RECALL_10, measure, recall
from training.evaluation.statistics import Interval, Values, interval, paired

RECALL_100 = "recall@100"
MEASURES = (NDCG, MRR, RECALL_10, RECALL_100)

DEPTH = 100
"""How many documents a way is asked for."""

HYBRID = "hybrid"
"""The way with which the others are compared."""

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
"""Shares of the semantic score that are tried: round and few, for what is found must suit questions yet unasked."""

FOLDS = 5
FEWEST_TUNED = 20
"""Questions that a weight is chosen by, at least."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how relevant documents are to it: those above 0 by id."""

    text: str
    gains: Mapping[int, float]


class Ask(Protocol):
    """The product's search: documents best first, at most `depth`."""

    def __call__(self, way: str, query: str, depth: int) -> Sequence[int]: ...

    def at_weights(self, way: str, query: str, weights: Sequence[float], depth: int) -> Sequence[Sequence[int]]:
        """The same as it would be if each of these were the collection's own weight."""
        ...


@dataclass(frozen=True, slots=True)
class Reached:
    """JSON-able: what one way reached. `milliseconds` is the median time of a question, the machine being as busy as it
    was."""

    measures: Mapping[str, Interval]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Compared:
    """JSON-able: the ways on one set of questions; `differences` holds "hybrid - lexical" and so on, question by
    question."""

    questions: int
    ways: Mapping[str, Reached]
    differences: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """JSON-able, of the search called `way`. `curve` is the mean nDCG@10 at each of WEIGHTS.

    `weight` is the best on all questions; what choosing gains is measured on questions that it was not chosen by:
    `gain` over `usual`, question by question, where each fold's questions are answered with the weight that is best on
    the others (`fold_weights`).
    """

    way: str
    questions: int
    usual: float
    weight: float
    curve: Mapping[str, float]
    fold_weights: tuple[float, ...]
    reached: Interval
    gain: Interval

    @property
    def is_better(self) -> bool:
        """Beyond what chance would make it."""
        return self.gain.is_above_zero


def compare(
    ask: Ask, ways: Sequence[str], questions: Sequence[Question], seed: int, progress: Progress | None = None
) -> Compared:
    """Every way on every question. `progress` hears questions answered and may raise to stop."""
    found: dict[str, dict[str, Values]] = {}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number, way in enumerate(ways):
        rows = []
        for done, question in enumerate(questions):
            if progress:
                progress(number * len(questions) + done, len(ways) * len(questions))
            began = time.perf_counter()
            ranking = ask(way, question.text, DEPTH)
            times[way].append(1000 * (time.perf_counter() - began))
            rows.append(_measured(ranking, question))
        found[way] = {name: np.array([row[name] for row in rows]) for name in MEASURES}
    return Compared(
        len(questions),
        {
            way: Reached({name: interval(values, seed) for name, values in by.items()}, float(np.median(times[way])))
            for way, by in found.items()
        },
        {
            f"{one} - {other}": {name: paired(found[one][name], found[other][name], seed) for name in MEASURES}
            for one, other in _pairs(ways)
        },
    )


def _pairs(ways: Sequence[str]) -> list[tuple[str, str]]:
    """Hybrid search beside each single retriever, and whatever comes after it beside hybrid search."""
    if HYBRID not in ways:
        return []
    place = list(ways).index(HYBRID)
    return [*((HYBRID, way) for way in ways[:place]), *((way, HYBRID) for way in ways[place + 1 :])]


def _measured(ranking: Sequence[int], question: Question) -> dict[str, float]:
    relevant = {document for document, gain in question.gains.items() if gain > 0}
    return measure(ranking, question.gains) | {RECALL_100: recall(ranking[:DEPTH], relevant)}


def weigh(
    ask: Ask, way: str, questions: Sequence[Question], usual: float, seed: int, progress: Progress | None = None
) -> Tuned:
    """The weight that suits these questions, and what choosing it gains on others. `ValueError` for fewer than
    FEWEST_TUNED questions."""
    if len(questions) < FEWEST_TUNED:
        raise ValueError(f"a weight is chosen by at least {FEWEST_TUNED} questions, not {len(questions)}")
    table = np.empty((len(WEIGHTS) + 1, len(questions)))
    for column, question in enumerate(questions):
        if progress:
            progress(column, len(questions))
        rankings = ask.at_weights(way, question.text, (*WEIGHTS, usual), 10)
        table[:, column] = [measure(ranking, question.gains)[NDCG] for ranking in rankings]
    return tuned(table[:-1], table[-1], usual, seed, way)


def tuned(table: NDArray[np.float64], before: Values, usual: float, seed: int, way: str = HYBRID) -> Tuned:
    """Cross-validation over a table of nDCG@10, weights by questions. `before` are the values at the usual weight.

    Folds are drawn by the seed. Of equal weights, the one nearest to the usual is taken; the usual itself, unless
    another exceeds it by more than the standard error of their difference.
    """
    folds = np.random.default_rng(seed).permutation(table.shape[1]) % FOLDS
    after, chosen = before.copy(), []
    for fold in range(FOLDS):
        row = _chosen(table[:, folds != fold], before[folds != fold], usual)
        chosen.append(usual if row is None else WEIGHTS[row])
        if row is not None:
            after[folds == fold] = table[row, folds == fold]
    row = _chosen(table, before, usual)
    return Tuned(
        way=way,
        questions=table.shape[1],
        usual=usual,
        weight=usual if row is None else WEIGHTS[row],
        curve={f"{weight:g}": float(mean) for weight, mean in zip(WEIGHTS, table.mean(axis=1), strict=True)},
        fold_weights=tuple(chosen),
        reached=interval(after, seed),
        gain=paired(after, before, seed),
    )


def _chosen(table: NDArray[np.float64], before: Values, usual: float) -> int | None:
    """The weight that is best, where it exceeds the usual by more than the standard error of their difference; None
    where it does not: what is as good by chance is no reason to change."""
    means = table.mean(axis=1)
    best = min(range(len(WEIGHTS)), key=lambda row: (-round(float(means[row]), 9), abs(WEIGHTS[row] - usual)))
    gained = table[best] - before
    error = float(gained.std(ddof=1)) / len(gained) ** 0.5
    return best if gained.mean() > error else None
