"""What edits make of mixtures: pure, passage by passage, so that any part of a collection can be derived alone.

The weights of a passage are treated in the order of the topics' ids whatever else is in the table: equal edits give
equal bits, for one passage and for a million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.errors import Conflict
from riparian.types import Ids, Matrix, TopicId

Reals = NDArray[np.float64]
VectorsOf = Callable[[Ids], tuple[Ids, Matrix]]
"""The vectors of those of the passages (ascending ids) that have one, with their ids."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixtures:
    """Weights of topics in passages: entry i says that `weights[i]` of passage `passages[i]` is topic `topics[i]`.

    Sorted by passage, then topic; a pair stands there once. The weights of a passage sum to 1.
    """

    passages: Ids
    topics: Ids
    weights: Reals

    def __len__(self) -> int:
        return len(self.passages)

    def of(self, chosen: Ids) -> Mixtures:
        """Those of some passages alone (ascending ids)."""
        inside = np.isin(self.passages, chosen)
        return Mixtures(self.passages[inside], self.topics[inside], self.weights[inside])

    def main(self) -> tuple[Ids, Ids]:
        """Every passage and, beside it, its main topic: the heaviest, among equals the one of the smallest id."""
        order = np.lexsort((self.topics, -self.weights, self.passages))
        passages, first = np.unique(self.passages[order], return_index=True)
        return passages, self.topics[order][first]


@dataclass(frozen=True, slots=True)
class Merge:
    """The weights of `sources` count for `target`."""

    sources: tuple[TopicId, ...]
    target: TopicId


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The weight of `topic` goes to the child whose centre (n, E), float32 rows of length 1, is nearest to the passage;
    in `staying` passages it stays. `children[0]` is the topic itself."""

    topic: TopicId
    children: tuple[TopicId, ...]
    centres: Matrix
    staying: frozenset[int]


@dataclass(frozen=True, slots=True)
class Place:
    """`topic` becomes the main topic of `passages`: what their main topic weighs counts for it. One that it is the main
    topic of already stays as it is."""

    passages: frozenset[int]
    topic: TopicId


Step = Merge | Split | Place


def base(passages: Ids, kept: csr_matrix, parts: Mapping[int, TopicId]) -> Mixtures:
    """From the model's own mixtures (rows of `kept`, its base topics as columns) and the topic each belongs to."""
    topics = np.zeros(kept.shape[1], np.int64)
    for number, topic in parts.items():
        topics[number] = topic
    rows = np.repeat(np.asarray(passages, np.int64), np.diff(kept.indptr))
    return _joined(rows, topics[kept.indices], kept.data.astype(np.float64))


def derive(mixtures: Mixtures, steps: Iterable[Step], vectors_of: VectorsOf) -> Mixtures:
    """The mixtures after the steps, in order."""
    for step in steps:
        mixtures = after(mixtures, step, vectors_of)
    return mixtures


def after(mixtures: Mixtures, step: Step, vectors_of: VectorsOf) -> Mixtures:
    """The mixtures after one step. Conflict where a split needs vectors that are not there any more."""
    if isinstance(step, Merge):
        return _merged(mixtures, step)
    if isinstance(step, Split):
        return _split(mixtures, step, vectors_of)
    return _placed(mixtures, step)


def nearest(vectors: Matrix, centres: Matrix) -> Ids:
    """The number of the nearest centre for every vector, the smaller one among equals."""
    # einsum in float64 treats every row alone: a matrix product rounds by the number of rows
    likeness = np.einsum("ne,ce->nc", vectors.astype(np.float64), centres.astype(np.float64), optimize=False)
    return np.asarray(likeness.argmax(axis=1), np.int64)


def _merged(mixtures: Mixtures, step: Merge) -> Mixtures:
    moved = np.isin(mixtures.topics, np.array(step.sources, np.int64))
    if not moved.any():
        return mixtures
    return _joined(mixtures.passages, np.where(moved, step.target, mixtures.topics), mixtures.weights)


def _split(mixtures: Mixtures, step: Split, vectors_of: VectorsOf) -> Mixtures:
    held = (mixtures.topics == step.topic) & ~_among(mixtures.passages, step.staying)
    wanted = mixtures.passages[held]
    if not len(wanted):
        return mixtures
    found, vectors = vectors_of(wanted)
    if len(found) != len(wanted):
        raise Conflict(
            f"topic {step.topic} was split by its passages' vectors, and {len(wanted) - len(found)} of them have none "
            "of that encoder any more; fit the topics again with `riparian topics refit`"
        )
    topics = mixtures.topics.copy()
    topics[held] = np.array(step.children, np.int64)[nearest(vectors, step.centres)]
    return _joined(mixtures.passages, topics, mixtures.weights)


def _placed(mixtures: Mixtures, step: Place) -> Mixtures:
    inside = np.flatnonzero(_among(mixtures.passages, step.passages))
    if not len(inside):
        return mixtures
    passages, topics = mixtures.passages[inside], mixtures.topics[inside]
    weights = mixtures.weights[inside]
    _, place = np.unique(passages, return_inverse=True)
    own = np.zeros(place.max() + 1)
    own[place[topics == step.topic]] = weights[topics == step.topic]
    main_passages, main = Mixtures(passages, topics, weights).main()
    already = main == step.topic
    heaviest = np.zeros(len(main_passages))
    np.maximum.at(heaviest, place, weights)
    # whatever would still be as heavy as the topic counts for it too: only so it is the main one beyond doubt
    taken = ((topics == main[place]) | (weights >= (own + heaviest)[place])) & ~already[place]
    changed = mixtures.topics.copy()
    changed[inside[taken]] = step.topic
    return _joined(mixtures.passages, changed, mixtures.weights)


def _among(passages: Ids, chosen: frozenset[int]) -> NDArray[np.bool_]:
    return np.isin(passages, np.fromiter(chosen, np.int64, len(chosen)))


def _joined(passages: Ids, topics: Ids, weights: Reals) -> Mixtures:
    """Sorted, with the weights of equal pairs added up in the order they stand in."""
    order = np.lexsort((topics, passages))
    passages, topics, weights = passages[order], topics[order], weights[order]
    if not len(passages):
        return Mixtures(passages.astype(np.int64), topics.astype(np.int64), weights)
    first = np.ones(len(passages), bool)
    first[1:] = (passages[1:] != passages[:-1]) | (topics[1:] != topics[:-1])
    starts = np.flatnonzero(first)
    return Mixtures(passages[starts], topics[starts], np.add.reduceat(weights, starts))


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """Entries of mixtures with the mark of the main topic."""

    owners: Ids
    topics: Ids
    weights: Reals
    top: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.owners)

    def at(self, chosen: NDArray[np.bool_]) -> Marked:
        return Marked(self.owners[chosen], self.topics[chosen], self.weights[chosen], self.top[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Entries that are `gone`, those that `changed` weight or mark (as they are now), and those that are `fresh`."""

    gone: Marked
    changed: Marked
    fresh: Marked


def marked(mixtures: Mixtures) -> Marked:
    owners, main = mixtures.main()
    top = main[np.searchsorted(owners, mixtures.passages)] == mixtures.topics
    return Marked(mixtures.passages, mixtures.topics, mixtures.weights, top)


def difference(before: Mixtures, after: Mixtures) -> Difference:
    """What leads from one to the other, to the last bit."""
    was, now = marked(before), marked(after)
    ids = np.unique(np.concatenate([was.topics, now.topics]))
    keys = [entries.owners * len(ids) + np.searchsorted(ids, entries.topics) for entries in (was, now)]
    stays = np.isin(keys[1], keys[0], assume_unique=True)
    old = np.searchsorted(keys[0], keys[1][stays])
    differs = np.zeros(len(now), bool)
    differs[stays] = (was.weights[old] != now.weights[stays]) | (was.top[old] != now.top[stays])
    gone = ~np.isin(keys[0], keys[1], assume_unique=True)
    return Difference(was.at(gone), now.at(differs), now.at(~stays))


def matrix(mixtures: Mixtures, passages: Ids, topics: Sequence[int]) -> csr_matrix:
    """(N, T) with the passages (ascending, all of them) as rows and the topics, ascending ids, as columns."""
    rows = np.searchsorted(passages, mixtures.passages)
    columns = np.searchsorted(np.asarray(topics, np.int64), mixtures.topics)
    return csr_matrix((mixtures.weights, (rows, columns)), shape=(len(passages), len(topics)))
