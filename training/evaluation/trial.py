"""What encoders are asked to find, drawn from documents once and the same for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.errors import Invalid
from training.collected import Source
from training.evaluation.tasks import Task, tasks

FEWEST_QUERIES = 10

_LARGEST = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is asked and searched at most."""

    queries: int = 300
    documents: int = 3_000
    characters: int = 4_000_000


@dataclass(frozen=True, slots=True)
class Trial:
    """`pool` are the documents searched, in order of id, of the `given` that there were, near-duplicates counted
    once."""

    seed: int
    given: int
    pool: tuple[Source, ...]
    tasks: tuple[Task, ...]


def draw(documents: Iterable[Source], seed: int, bounds: Bounds | None = None) -> Trial:
    """The tasks over a sample of the documents, one of each group of near-duplicates.

    Invalid where fewer than FEWEST_QUERIES questions can be asked: of too few documents, or of too short ones.
    """
    bounds = bounds or Bounds()
    distinct = {one.group: one for one in sorted(documents, key=lambda document: -document.id)}
    given = sorted(distinct.values(), key=lambda document: document.id)
    drawn = _within(bounds, [given[row] for row in np.random.default_rng(seed).permutation(len(given))])
    pool = tuple(sorted(drawn, key=lambda document: document.id))
    found = tasks(pool, drawn[: bounds.queries], seed)
    asked = sum(len(task.queries) for task in found)
    if asked < FEWEST_QUERIES:
        raise Invalid(
            f"{len(given)} different documents allow only {asked} questions, and {FEWEST_QUERIES} are needed to judge "
            "by; add documents of several sentences"
        )
    return Trial(seed, len(given), pool, tuple(task for task in found if task.queries))


def _within(bounds: Bounds, documents: Sequence[Source]) -> list[Source]:
    """As many of the first as fit. One that would take more than a tenth of the room is passed over."""
    found: list[Source] = []
    room = bounds.characters
    for one in documents:
        size = len(one.text)
        if size > bounds.characters / _LARGEST:
            continue
        if size > room or len(found) == bounds.documents:
            break
        found.append(one)
        room -= size
    return found
