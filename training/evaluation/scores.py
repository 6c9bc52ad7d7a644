"""How well rankers answer a trial, side by side: means with intervals, and differences question by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.encoders.base import Progress
from training.evaluation.measures import MEASURES, NDCG, measure
from training.evaluation.rankers import Ranker, Ranking
from training.evaluation.statistics import Interval, Values, interval, paired
from training.evaluation.tasks import Task
from training.evaluation.trial import Trial

MAIN = f"mean {NDCG} of the tasks"
"""The one score that decides: of each document asked for, the mean nDCG@10 over the tasks that ask for it."""

_PARTS = 1000


@dataclass(frozen=True, slots=True)
class TaskScores:
    """JSON-able: measure → mean with interval."""

    queries: int
    measures: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Scores:
    """JSON-able: what one ranker reached. `name` is the ranker's own."""

    name: str
    main: Interval
    tasks: Mapping[str, TaskScores]


@dataclass(frozen=True, slots=True)
class Difference:
    """JSON-able: how much one ranker exceeds another, question by question."""

    main: Interval
    tasks: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class Answered:
    """Per task and measure one value a question; `main` one a document asked for."""

    name: str
    values: Mapping[str, Mapping[str, Values]]
    main: Values

    def scores(self, seed: int) -> Scores:
        tasks = {
            task: TaskScores(len(found[NDCG]), {name: interval(values, seed) for name, values in found.items()})
            for task, found in self.values.items()
        }
        return Scores(self.name, interval(self.main, seed), tasks)

    def minus(self, other: Answered, seed: int) -> Difference:
        """Of the same trial. `ValueError` for answers to other questions."""
        tasks = {
            task: {name: paired(values, other.values[task][name], seed) for name, values in found.items()}
            for task, found in self.values.items()
        }
        return Difference(paired(self.main, other.main, seed), tasks)


def answer(ranker: Ranker, trial: Trial, progress: Progress | None = None) -> Answered:
    """What the ranker makes of the trial."""
    rankings = ranker.rank(trial.tasks, progress)
    values = {task.name: _values(task, found) for task, found in zip(trial.tasks, rankings, strict=True)}
    return Answered(ranker.name, values, _main(trial.tasks, values))


def answer_all(rankers: Mapping[str, Ranker], trial: Trial, progress: Progress | None = None) -> dict[str, Answered]:
    """Each ranker's answers under the name it is given here; `progress` runs once over all."""
    return {
        name: answer(ranker, trial, part_of(progress, number, len(rankers)))
        for number, (name, ranker) in enumerate(rankers.items())
    }


def part_of(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """The progress of one of several parts of about equal weight, told in thousandths of each."""
    if progress is None:
        return None

    def tell(done: int, total: int) -> None:
        progress(number * _PARTS + _PARTS * done // max(1, total), parts * _PARTS)

    return tell


def _values(task: Task, rankings: Sequence[Ranking]) -> dict[str, Values]:
    found = [measure(ranking, {query.document: 1.0}) for query, ranking in zip(task.queries, rankings, strict=True)]
    return {name: np.array([one[name] for one in found]) for name in MEASURES}


def _main(tasks: Sequence[Task], values: Mapping[str, Mapping[str, Values]]) -> Values:
    by_document: dict[int, list[float]] = {}
    for task in tasks:
        for query, value in zip(task.queries, values[task.name][NDCG], strict=True):
            by_document.setdefault(query.document, []).append(float(value))
    return np.array([np.mean(by_document[document]) for document in sorted(by_document)])
