"""What an edit changes, in counts and in quality, whether it was made or only asked about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.types import Topic, TopicId
from topics import coherence
from topics.curation.edits import Curated
from topics.curation.mixtures import Mixtures, difference
from topics.curation.wording import Worded


@dataclass(frozen=True, slots=True)
class Standing:
    """A topic at one moment. `npmi` is None where it was not measured or could not be."""

    label: str
    words: tuple[str, ...]
    passages: int
    share: float
    npmi: float | None


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One topic `before` and `after`; None where it is not there. A new one that is not stored has an id below 0."""

    topic: TopicId
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True)
class Effect:
    """`passages` have another mixture. `quality` of the whole model: mean `npmi` of the topics, `diversity` of their
    words, before and after."""

    kind: str
    passages: int
    changes: tuple[TopicChange, ...]
    quality_before: Mapping[str, float]
    quality_after: Mapping[str, float]


def effect(
    kind: str,
    topics: Sequence[Topic],
    before: Curated,
    after: Curated,
    mixed_before: Mixtures,
    mixed_after: Mixtures,
    worded: Worded | None,
) -> Effect:
    """`topics` are as pages show them before the edit, the mixtures those of all passages it can change."""
    now = {topic.id: topic for topic in topics}
    total = max(sum(topic.passages for topic in topics), 1)
    mains = _difference(_mains(mixed_before), _mains(mixed_after))
    weights = _difference(_sums(mixed_before), _sums(mixed_after))
    changes = []
    for key in sorted({*before.active(), *after.active()}):
        old = _before(now, key, worded)
        new = _after(after, now.get(key), key, mains.get(key, 0.0), weights.get(key, 0.0), total, worded)
        if old != new:
            changes.append(TopicChange(key, old, new))
    return Effect(
        kind, _changed(mixed_before, mixed_after), tuple(changes),
        _quality(before, worded.before if worded else {}),
        _quality(after, worded.after if worded else {}),
    )  # fmt: skip


def _before(now: Mapping[TopicId, Topic], key: TopicId, worded: Worded | None) -> Standing | None:
    if key not in now:
        return None
    topic = now[key]
    npmi = (worded.before if worded else {}).get(key, topic.coherence.get("npmi", math.nan))
    return _standing(topic.label, [term.term for term in topic.terms], topic.passages, topic.share, npmi)


def _after(
    after: Curated,
    shown: Topic | None,
    key: TopicId,
    passages: float,
    weight: float,
    total: int,
    worded: Worded | None,
) -> Standing | None:
    state = after.active().get(key)
    if state is None:
        return None
    npmi = (worded.after if worded else {}).get(key, state.topic.coherence.get("npmi", math.nan))
    count = (shown.passages if shown else 0) + round(passages)
    share = (shown.share if shown else 0.0) + weight / total
    return _standing(state.topic.label, [term.term for term in state.topic.terms], count, share, npmi)


def _standing(label: str, words: list[str], passages: int, share: float, npmi: float) -> Standing:
    # rounded, so that a topic which stays as it is compares equal
    return Standing(label, tuple(words[: coherence.TOP]), passages, round(share, 12), _number(npmi))


def _number(value: float) -> float | None:
    return round(value, 12) if math.isfinite(value) else None


def _mains(mixed: Mixtures) -> dict[int, float]:
    topics, counts = np.unique(mixed.main()[1], return_counts=True)
    return dict(zip(topics.tolist(), counts.astype(float).tolist(), strict=True))


def _sums(mixed: Mixtures) -> dict[int, float]:
    topics, place = np.unique(mixed.topics, return_inverse=True)
    return dict(zip(topics.tolist(), np.bincount(place, mixed.weights, len(topics)).tolist(), strict=True))


def _difference(before: Mapping[int, float], after: Mapping[int, float]) -> dict[TopicId, float]:
    return {TopicId(key): after.get(key, 0.0) - before.get(key, 0.0) for key in {*before, *after}}


def _changed(before: Mixtures, after: Mixtures) -> int:
    """Passages whose mixtures differ."""
    found = difference(before, after)
    owners = [entries.owners for entries in (found.gone, found.changed, found.fresh)]
    return len(np.unique(np.concatenate(owners)))


def _quality(curated: Curated, measured: Mapping[TopicId, float]) -> dict[str, float]:
    states = curated.active()
    npmi = [measured.get(key, state.topic.coherence.get("npmi", math.nan)) for key, state in states.items()]
    known = [value for value in npmi if math.isfinite(value)]
    words = [[term.term for term in state.topic.terms] for state in states.values()]
    quality = {"diversity": coherence.diversity(words)}
    return quality | ({"npmi": float(np.mean(known))} if known else {})
