"""Questions that the documents of a collection give themselves, for the product's own search: known items and
sentences, half of the documents each, so that one scratch index serves both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.collected import Source
from training.evaluation.answers import Question
from training.evaluation.tasks import KNOWN_ITEM, SENTENCE, Body, Task
from training.evaluation.trial import Bounds, Trial, draw

BOUNDS = Bounds(queries=300, documents=1_000, characters=1_500_000)
"""What is asked and searched at most: the sample is indexed anew, which takes a minute or two."""


@dataclass(frozen=True, slots=True)
class OwnTasks:
    """`bodies` are what is searched: each document without what it is asked for by. `questions` by task."""

    given: int
    bodies: tuple[Body, ...]
    questions: Mapping[str, tuple[Question, ...]]


def own_tasks(documents: Iterable[Source], seed: int, bounds: Bounds = BOUNDS) -> OwnTasks:
    """Every other document that is asked for goes by its title or first sentence, the others by a sentence drawn
    at random. Titles are no part of what is searched. Invalid where the documents allow too few questions."""
    trial = draw(documents, seed, bounds)
    by_name = {task.name: task for task in trial.tasks}
    known, sentence = by_name.get(KNOWN_ITEM), by_name.get(SENTENCE)
    asked = _shared(known, sentence)
    bodies = dict(_bodies(trial))
    questions: dict[str, tuple[Question, ...]] = {}
    for task, own in ((known, asked[0]), (sentence, asked[1])):
        if task is None or not own:
            continue
        left = {body.id: body for body in task.bodies}
        bodies |= {number: left[number] for number in own}
        questions[task.name] = tuple(
            Question(query.text, {query.document: 1.0}) for query in task.queries if query.document in own
        )
    return OwnTasks(trial.given, tuple(bodies[number] for number in sorted(bodies)), questions)


def _shared(known: Task | None, sentence: Task | None) -> tuple[set[int], set[int]]:
    """Which documents are asked for by which task: those that both could ask for by turns."""
    by_title = [query.document for query in known.queries] if known else []
    by_sentence = [query.document for query in sentence.queries] if sentence else []
    both = sorted(set(by_title) & set(by_sentence))
    first = set(by_title) - set(both[1::2])
    return first, set(by_sentence) - first


def _bodies(trial: Trial) -> Sequence[tuple[int, Body]]:
    """What is searched of documents that nobody asks for: as in any of the tasks."""
    return [(body.id, body) for body in trial.tasks[0].bodies]
