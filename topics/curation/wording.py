"""Words, labels, coherence and representatives of topics that an edit changes, as a fit would have chosen them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riparian.catalog.curation import StoredTopic
from riparian.types import Ids, PassageId, TopicId
from topics import coherence, describe, naming, phrases
from topics.corpus import Corpus
from topics.curation.edits import Curated, words_data
from topics.curation.mixtures import Mixtures, matrix

SPREAD = 3_000
"""Of a larger collection this many passages, evenly spread, are read to choose words from."""
OF_EACH = 500
"""…and up to this many more of every topic that changes, so that small ones are seen."""


@dataclass(frozen=True, slots=True)
class Worded:
    """`data` by topic id, as an edit stores it; NPMI of the topics on the same texts, before and after."""

    data: Mapping[str, Mapping[str, Any]]
    before: Mapping[TopicId, float]
    after: Mapping[TopicId, float]


def sample(inferred: Ids, members: Mapping[TopicId, Ids], changed: Collection[TopicId]) -> Ids:
    """The passages to read, ascending."""
    spread = _evenly(inferred, SPREAD)
    return np.unique(np.concatenate([spread, *(_evenly(members[topic], OF_EACH) for topic in sorted(changed))]))


def reword(
    found: Corpus,
    mixed: Mixtures,
    before: Curated,
    after: Curated,
    changed: Collection[TopicId],
    relabelled: Collection[TopicId],
) -> Worded:
    """Anew for the `changed` topics of `after`, which `mixed` holds the mixtures of; labels for the `relabelled`.

    Words are chosen for all topics together, as a fit does it; those of other topics stay as they are.
    """
    topics = sorted(after.active())
    theta = np.asarray(matrix(mixed.of(found.passages), found.passages, topics).todense(), np.float32)
    expected = describe.expected_counts(theta, found.bag.counts)
    numbers = naming.choose(found.bag, expected)
    words = [[found.bag.vocabulary[word] for word in topic] for topic in numbers]
    labels = _labels(found, after, topics, words, theta.sum(axis=0), relabelled)
    places = {topic: place for place, topic in enumerate(topics)}
    scored, earlier = _scores(found, before, words, places, sorted(changed))
    data = {}
    for topic in sorted(changed):
        place = places[topic]
        made = StoredTopic(
            topic, 0, labels[place],
            describe.terms(numbers[place], expected[place], found.bag.vocabulary),
            scored[topic],
            tuple(PassageId(int(found.passages[row])) for row in
                  describe.representatives(theta, found.vectors, place)),
        )  # fmt: skip
        data[str(int(topic))] = words_data(made, label=topic in relabelled)
    return Worded(data, earlier, {topic: scored[topic].get("npmi", math.nan) for topic in changed})


def _evenly(ids: Ids, most: int) -> Ids:
    return ids[np.linspace(0, len(ids) - 1, min(len(ids), most)).astype(np.int64)]


def _labels(
    found: Corpus,
    after: Curated,
    topics: Sequence[TopicId],
    words: Sequence[Sequence[str]],
    sizes: Any,
    relabelled: Collection[TopicId],
) -> list[str]:
    """New labels are made after all others and are like none of them."""
    order = sorted(range(len(topics)), key=lambda place: (topics[place] in relabelled, -sizes[place], place))
    made = describe.labels(
        [topic[: coherence.TOP] for topic in words], order, lambda label: phrases.label(label, found.bag)
    )
    taken = {after.topics[topic].topic.label for topic in topics if topic not in relabelled}
    for place in order:
        if topics[place] in relabelled:
            made[place] = _unlike(made[place], taken)
            taken.add(made[place])
    return made


def _unlike(label: str, taken: Collection[str]) -> str:
    number, free = 2, label
    while free in taken:
        free, number = f"{label} ({number})", number + 1
    return free


def _scores(
    found: Corpus,
    before: Curated,
    words: Sequence[Sequence[str]],
    places: Mapping[TopicId, int],
    changed: Sequence[TopicId],
) -> tuple[dict[TopicId, dict[str, float]], dict[TopicId, float]]:
    """Coherence of the changed topics' new words, and NPMI of all changed or vanished topics' old ones."""
    old = [key for key, state in before.active().items() if key in changed or key not in places]
    lists = [list(words[places[topic]]) for topic in changed]
    lists += [[term.term for term in before.topics[topic].topic.terms] for topic in old]
    measured = coherence.score(lists, found.bag)
    new = {
        topic: {
            name: value
            for name, value in (("npmi", measured.npmi[i]), ("c_v", measured.c_v[i]))
            if math.isfinite(value)
        }
        for i, topic in enumerate(changed)
    }
    return new, {topic: measured.npmi[len(changed) + i] for i, topic in enumerate(old)}
