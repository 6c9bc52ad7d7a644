"""What a refit would change, as it is stored with the proposal and shown before it is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from riparian.types import TopicId
from topics import coherence
from topics.curation.edits import Curated, TopicState
from topics.curation.mixtures import Mixtures
from topics.refit.carrying import Carried
from topics.refit.matching import Matched


@dataclass(frozen=True, slots=True)
class KeptTopic:
    """A topic that the refit knows again. `moved` is the part of its passages that it loses."""

    id: int
    label: str
    label_before: str
    came: tuple[str, ...]
    went: tuple[str, ...]
    passages_before: int
    passages: int
    moved: float


@dataclass(frozen=True, slots=True)
class NewTheme:
    """A topic that was none before; `split_from` is the label of the one that holds most of its passages now."""

    number: int
    label: str
    words: tuple[str, ...]
    passages: int
    split_from: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """A topic that the refit does not find; `into` names where most of its passages go."""

    id: int
    label: str
    passages: int
    into: str


@dataclass(frozen=True, slots=True)
class Report:
    """`moved` is the part of the passages whose main topic changes, `settled_kept` the part of those that people
    settled whose topic and label stay, 1.0 where there are none. Qualities: npmi, c_v, diversity of the whole model.
    `notes` tells what the kind of model could not take into account."""

    kept: tuple[KeptTopic, ...]
    new: tuple[NewTheme, ...]
    vanished: tuple[Vanished, ...]
    passages: int
    moved: float
    settled: int
    settled_kept: float
    quality_before: Mapping[str, float]
    quality: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        return asdict(self)


def from_data(data: Mapping[str, Any]) -> Report:
    """What `Report.data` gave, out of JSON."""
    return Report(
        kept=tuple(KeptTopic(**{**k, "came": tuple(k["came"]), "went": tuple(k["went"])}) for k in data["kept"]),
        new=tuple(NewTheme(**{**n, "words": tuple(n["words"])}) for n in data["new"]),
        vanished=tuple(Vanished(**v) for v in data["vanished"]),
        notes=tuple(data["notes"]),
        **{key: data[key] for key in ("passages", "moved", "settled", "settled_kept", "quality_before", "quality")},
    )


def report(
    curated: Curated,
    carried: Carried,
    matched: Matched,
    settled: Mapping[TopicId, frozenset[int]],
    before: Mixtures,
    after: Mixtures,
    quality: Mapping[str, float],
    notes: Sequence[str] = (),
) -> Report:
    """`before` and `after` are the mixtures of the passages that both have."""
    passages, old = before.main()
    _, new = after.main()
    return Report(
        kept=tuple(
            _kept(curated.topics[key].topic.label, curated, carried, key, old, new)
            for key in sorted(carried.topics) if key in curated.topics
        ),
        new=tuple(
            _theme(state, curated, matched, int(np.sum(new == key)))
            for key, state in sorted(carried.topics.items(), key=lambda pair: pair[1].topic.number)
            if key not in curated.topics
        ),
        vanished=tuple(_vanished(curated, carried, key, old, new) for key in carried.vanished),
        passages=len(passages),
        moved=float(np.mean(old != new)) if len(passages) else 0.0,
        settled=sum(len(found) for found in settled.values()),
        settled_kept=_settled_kept(curated, carried, settled, passages, new),
        quality_before=quality_of(curated.active()),
        quality=dict(quality),
        notes=tuple(notes),
    )  # fmt: skip


def _kept(
    label_before: str, curated: Curated, carried: Carried, key: TopicId, old: np.ndarray, new: np.ndarray
) -> KeptTopic:
    was, now = _words(curated.topics[key]), _words(carried.topics[key])
    mine = old == key
    return KeptTopic(
        int(key), carried.topics[key].topic.label, label_before,
        tuple(word for word in now if word not in was), tuple(word for word in was if word not in now),
        int(mine.sum()), int(np.sum(new == key)), float(np.mean(new[mine] != key)) if mine.any() else 0.0,
    )  # fmt: skip


def _theme(state: TopicState, curated: Curated, matched: Matched, passages: int) -> NewTheme:
    number = state.topic.number
    parent = matched.within.get(number)
    label = curated.topics[parent].topic.label if parent is not None else ""
    return NewTheme(number, state.topic.label, _words(state), passages, label)


def _vanished(curated: Curated, carried: Carried, key: TopicId, old: np.ndarray, new: np.ndarray) -> Vanished:
    went, counts = np.unique(new[old == key], return_counts=True)
    into = carried.topics[TopicId(int(went[counts.argmax()]))].topic.label if len(went) else ""
    return Vanished(int(key), curated.topics[key].topic.label, int(counts.sum()), into)


def _settled_kept(
    curated: Curated,
    carried: Carried,
    settled: Mapping[TopicId, frozenset[int]],
    passages: np.ndarray,
    new: np.ndarray,
) -> float:
    main = dict(zip(passages.tolist(), new.tolist(), strict=True))
    kept = [
        main[passage] == key and carried.topics[key].topic.label == curated.topics[key].topic.label
        for key, found in settled.items()
        for passage in found
        if passage in main
    ]
    return float(np.mean(kept)) if kept else 1.0


def _words(state: TopicState) -> tuple[str, ...]:
    return tuple(term.term for term in state.topic.terms[: coherence.TOP])


def quality_of(states: Mapping[TopicId, TopicState]) -> dict[str, float]:
    """Means of what is stored of the topics, and the diversity of their words."""
    found = {"diversity": coherence.diversity([_words(state) for state in states.values()])}
    for name in ("npmi", "c_v"):
        known = [s.topic.coherence[name] for s in states.values() if s.topic.coherence.get(name) is not None]
        if known:
            found[name] = float(np.mean(known))
    return found
