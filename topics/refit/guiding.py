"""What a new fit is told of the topics that people curated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riparian.types import TopicId
from topics.base import Guidance
from topics.corpus import Corpus
from topics.curation.edits import Curated, TopicState, Wished
from topics.curation.mixtures import Mixtures, matrix


@dataclass(frozen=True, slots=True)
class Guided:
    """`guidance`, in which number i stands for `topics[i]`, and for a wish behind all of them."""

    guidance: Guidance
    topics: tuple[TopicId, ...]
    wishes: tuple[Wished, ...]

    def __len__(self) -> int:
        return len(self.topics) + len(self.wishes)


def guided(curated: Curated, shown: Mixtures, found: Corpus) -> Guided:
    """Starts from the centres of the topics in the passages' vectors, whatever encoder they are of; passages that
    people settled, and all of a pinned topic, are bound to it."""
    topics = sorted(curated.active())
    states = [curated.topics[topic] for topic in topics]
    rows = {int(passage): row for row, passage in enumerate(found.passages)}
    fixed = {
        rows[passage]: number
        for number, passages in enumerate(settled(curated, topics, shown))
        for passage in passages
        if passage in rows
    }
    guidance = Guidance(
        start_centres=_centres(topics, shown, found, len(curated.wished)),
        seed_words=_seeds(states, curated.wished),
        fixed=fixed,
        known_words={
            number: [term.term for term in state.topic.terms]
            for number, state in enumerate(states)
            if state.topic.terms
        },
    )
    return Guided(guidance, tuple(topics), curated.wished)


def settled(curated: Curated, topics: Sequence[TopicId], shown: Mixtures) -> list[frozenset[int]]:
    """Passages that belong to each topic whatever is found: those that people put there, and all of a pinned one."""
    passages, main = shown.main()
    elsewhere = {passage: key for key, state in curated.topics.items() for passage in state.settled}
    found = []
    for topic in topics:
        state = curated.topics[topic]
        own = set(state.settled)
        if state.topic.pinned:
            own |= {p for p in passages[main == topic].tolist() if elsewhere.get(p, topic) == topic}
        found.append(frozenset(own))
    return found


def _centres(topics: Sequence[TopicId], shown: Mixtures, found: Corpus, wishes: int) -> np.ndarray:
    inside = shown.of(found.passages)
    weights = matrix(inside, found.passages, [int(topic) for topic in topics])
    centres = np.asarray(weights.T @ found.vectors.astype(np.float64))
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    unit = np.where(lengths > 0, centres / np.maximum(lengths, 1e-12), 0.0)
    return np.vstack([unit, np.zeros((wishes, unit.shape[1]))]).astype(np.float32)


def _seeds(states: Sequence[TopicState], wishes: Sequence[Wished]) -> dict[int, list[str]]:
    given = [*(state.seeds for state in states), *(wish.words for wish in wishes)]
    words = {number: [part for seed in seeds for part in seed.lower().split()] for number, seeds in enumerate(given)}
    return {number: list(dict.fromkeys(found)) for number, found in words.items() if found}
