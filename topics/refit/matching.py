"""Which topics of a new fit are which topics of before: by the passages they share and the words that name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, TopicId
from topics import coherence

SAME = 0.2
"""Topics whose likeness (half shared passages, half shared words, both Jaccard) is below this are not the same."""
PART = 0.5
"""A new topic with more than this of its passages in one that people merged is a part of that one."""
AGREE = 1 / 3
"""From this overlap of their ten words (five of ten) on, a label given for the one also fits the other."""

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matched:
    """`parts` gives each new topic (by number) that is one of before, its id; `best` is the number of the one that
    carries an id on. `words` and `passages` are the overlaps of each with its match."""

    parts: Mapping[int, TopicId]
    best: Mapping[TopicId, int]
    words: Mapping[int, float]
    passages: Mapping[int, float]
    within: Mapping[int, TopicId]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a comparison: main topics of `passages` (ascending ids) and the words of every topic."""

    passages: Ids
    main: Ids
    words: Mapping[int, Sequence[str]]


def match(new: Side, old: Side, *, settled: Mapping[TopicId, Collection[int]], merged: Collection[TopicId]) -> Matched:
    """One to one by the greatest likeness in all (Kuhn 1955), then parts of `merged` topics. `settled` passages that a
    topic holds on to draw it to where they went. Overlaps are taken over passages that both sides know."""
    from scipy.optimize import linear_sum_assignment

    numbers, ids = sorted(new.words), [TopicId(key) for key in sorted(old.words)]
    shared = _shared(new, old, numbers, ids)
    union = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None, :] - shared
    passages = shared / np.maximum(union, 1)
    words = np.array([[_jaccard(new.words[k], old.words[t]) for t in ids] for k in numbers]).reshape(shared.shape)
    likeness = (passages + words) / 2 + _drawn(new, numbers, ids, settled)
    rows, columns = linear_sum_assignment(-likeness)
    pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if likeness[r, c] >= SAME]
    parts = {numbers[row]: ids[column] for row, column in pairs}
    best = {topic: number for number, topic in parts.items()}
    inside = shared / np.maximum(shared.sum(axis=1), 1)[:, None]
    within = {
        numbers[row]: ids[int(inside[row].argmax())]
        for row in range(len(numbers))
        if numbers[row] not in parts and len(ids) and inside[row].max() > PART
    }
    parts |= {number: topic for number, topic in within.items() if topic in merged and topic in best}
    places = {(number, topic): (numbers.index(number), ids.index(topic)) for number, topic in parts.items()}
    return Matched(
        parts, best,
        {number: float(words[at]) for (number, _), at in places.items()},
        {number: float(passages[at]) for (number, _), at in places.items()},
        {number: topic for number, topic in within.items() if number not in parts},
    )  # fmt: skip


def _shared(new: Side, old: Side, numbers: Sequence[int], ids: Sequence[TopicId]) -> Reals:
    """(K, T): passages with one main topic on the new side and another on the old."""
    both, at_new, at_old = np.intersect1d(new.passages, old.passages, assume_unique=True, return_indices=True)
    rows = np.searchsorted(np.array(numbers, np.int64), new.main[at_new])
    columns = np.searchsorted(np.array(ids, np.int64), old.main[at_old])
    counts = np.zeros((len(numbers), len(ids)))
    np.add.at(counts, (rows, columns), 1.0)
    return counts if len(both) else np.zeros((len(numbers), len(ids)))


def _drawn(
    new: Side, numbers: Sequence[int], ids: Sequence[TopicId], settled: Mapping[TopicId, Collection[int]]
) -> Reals:
    """(K, T): the part of an old topic's settled passages that the new one holds."""
    found = np.zeros((len(numbers), len(ids)))
    for column, topic in enumerate(ids):
        held = np.isin(new.passages, np.array(sorted(settled.get(topic, ())), np.int64))
        if held.any():
            rows, counts = np.unique(new.main[held], return_counts=True)
            found[np.searchsorted(np.array(numbers, np.int64), rows), column] = counts / held.sum()
    return found


def _jaccard(one: Sequence[str], other: Sequence[str]) -> float:
    first, second = set(one[: coherence.TOP]), set(other[: coherence.TOP])
    return len(first & second) / len(first | second) if first | second else 0.0
