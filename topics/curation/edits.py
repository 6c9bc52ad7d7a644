"""What edits mean: from the topics a model began with to the topics people see. Pure; nothing here reads a text.

Words of topics that an edit changes are worked out once, when it is made, and stand in its data; so the same edits give
the same topics at any time, with or without the texts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from riparian.catalog.curation import StoredTopic
from riparian.types import Matrix, PassageId, TopicId, TopicTerm
from topics.curation.mixtures import Merge, Place, Split, Step

Data = Mapping[str, Any]


class Edit(Protocol):
    """What `riparian.catalog.curation.TopicEdit` gives."""

    @property
    def kind(self) -> str: ...

    @property
    def data(self) -> Data: ...


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit before it is stored."""

    kind: str
    data: Data


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic and what holds for the next fit: its `seeds` (words), passages that people pinned to it or moved into it,
    and those that it kept at the last fit for being pinned itself."""

    topic: StoredTopic
    seeds: tuple[str, ...] = ()
    pins: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()

    @property
    def took(self) -> bool:
        """Whether people merged others into it, now or before an earlier refit."""
        return bool((self.topic.origin or {}).get("took"))

    @property
    def settled(self) -> frozenset[int]:
        """Passages that have this main topic whatever a model says."""
        return self.pins | self.moved | self.kept


@dataclass(frozen=True, slots=True)
class Wished:
    """A topic that the next fit should look for."""

    label: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curated:
    """All topics of a model by id, the steps that lead from its own mixtures to theirs, and topics wished for.

    `base` is the number of the model's own topics; topics that people make have numbers from there on.
    """

    topics: Mapping[TopicId, TopicState]
    steps: tuple[Step, ...] = ()
    wished: tuple[Wished, ...] = ()
    base: int = 0

    def active(self) -> dict[TopicId, TopicState]:
        return {key: state for key, state in self.topics.items() if state.topic.state == "active"}

    def stored(self) -> list[StoredTopic]:
        return [state.topic for state in self.topics.values()]

    def for_texts(self) -> tuple[Step, ...]:
        """The steps for texts that are no passages: what people said of single passages does not concern them."""
        return tuple(step for step in self.steps if not isinstance(step, Place))

    def pinned_passages(self) -> dict[int, TopicId]:
        return {passage: key for key, state in self.topics.items() for passage in state.pins}


def begin(starts: Mapping[TopicId, Data], base: int = 0) -> Curated:
    """What a model began with. Passages settled before it was fitted are placed first."""
    topics = {key: _from_start(key, data) for key, data in sorted(starts.items())}
    steps = tuple(Place(state.settled, key) for key, state in topics.items() if state.settled)
    return Curated(topics, steps, base=base)


def fold(start: Curated, edits: Iterable[Edit]) -> Curated:
    for edit in edits:
        start = apply(start, edit)
    return start


def apply(curated: Curated, edit: Edit) -> Curated:
    """After one edit, which was checked when it was made."""
    return _MEANING[edit.kind](curated, edit.data)


def touched(edit: Edit) -> tuple[frozenset[int], frozenset[int]]:
    """(topics, passages): mixtures change in the passages that hold any of the topics, and in the passages named."""
    data = edit.data
    if edit.kind == "merge":
        return frozenset((*data["topics"], data["into"])), frozenset()
    if edit.kind == "split":
        return frozenset(data["children"]), frozenset()
    if edit.kind == "move":
        return frozenset(), frozenset(data["passages"])
    if edit.kind == "import":
        parts = [touched(Draft(part["kind"], part["data"])) for part in data["edits"]]
        return frozenset().union(*(t for t, _ in parts)), frozenset().union(*(p for _, p in parts))
    return frozenset(), frozenset()


def made(edit: Edit) -> frozenset[int]:
    """Topics that are there only through this edit."""
    if edit.kind == "split":
        return frozenset(edit.data["children"][1:])
    if edit.kind == "move":
        return frozenset([edit.data["to"]] if edit.data.get("made") else [])
    if edit.kind == "import":
        return frozenset().union(*(made(Draft(part["kind"], part["data"])) for part in edit.data["edits"]))
    return frozenset()


# ------------------------------------------------------------------------------ the kinds


def _rename(curated: Curated, data: Data) -> Curated:
    return _changed(curated, data["topic"], label=data["label"], named=True)


def _note(curated: Curated, data: Data) -> Curated:
    return _changed(curated, data["topic"], note=data["note"])


def _hide(curated: Curated, data: Data) -> Curated:
    return _changed(curated, data["topic"], hidden=data["hidden"])


def _merge(curated: Curated, data: Data) -> Curated:
    into, sources = TopicId(data["into"]), [TopicId(topic) for topic in data["topics"]]
    topics = dict(curated.topics)
    gone = [topics[source] for source in sources]
    target = topics[into]
    took = sorted({*(target.topic.origin or {}).get("took", ()), *map(int, sources)})
    topics[into] = replace(
        target,
        topic=replace(target.topic, origin={**(target.topic.origin or {}), "took": took}),
        seeds=tuple(dict.fromkeys([*target.seeds, *(word for state in gone for word in state.seeds)])),
        pins=target.pins.union(*(state.pins for state in gone)),
        moved=target.moved.union(*(state.moved for state in gone)),
        kept=target.kept.union(*(state.kept for state in gone)),
    )
    for source, state in zip(sources, gone, strict=True):
        merged = replace(state.topic, state="merged", origin={**(state.topic.origin or {}), "into": int(into)})
        topics[source] = TopicState(merged)
    steps = (*curated.steps, Merge(tuple(sources), into))
    return _worded(replace(curated, topics=topics, steps=steps), data["words"])


def _split(curated: Curated, data: Data) -> Curated:
    children = tuple(TopicId(child) for child in data["children"])
    topics = dict(curated.topics)
    parent = topics[children[0]]
    for child, number in zip(children[1:], data["numbers"], strict=True):
        origin = {"by": "split", "from": int(children[0])}
        topics[child] = TopicState(StoredTopic(child, number, "", (), {}, (), origin=origin))
    topics[children[0]] = replace(parent, moved=frozenset(), kept=frozenset())
    for child, passages in data["settled"].items():
        topics[TopicId(int(child))] = replace(topics[TopicId(int(child))], moved=frozenset(passages))
    step = Split(children[0], children, centres_of(data), parent.pins)
    return _worded(replace(curated, topics=topics, steps=(*curated.steps, step)), data["words"])


def _move(curated: Curated, data: Data) -> Curated:
    passages, to = frozenset(data["passages"]), TopicId(data["to"])
    topics = {
        key: replace(
            state,
            moved=state.moved - passages,
            kept=state.kept - passages,
            topic=state.topic if key == to else _without(state.topic, passages),
        )
        for key, state in curated.topics.items()
    }
    if data.get("made"):
        begun = StoredTopic(to, data["made"]["number"], data["made"]["label"], (), {}, (), named=True,
                            origin={"by": "person"})  # fmt: skip
        topics[to] = TopicState(begun)
    topics[to] = replace(topics[to], moved=topics[to].moved | passages)
    steps = (*curated.steps, Place(passages, to))
    return _worded(replace(curated, topics=topics, steps=steps), data.get("words", {}))


def _pin(curated: Curated, data: Data) -> Curated:
    if data.get("topic") is not None:
        return _changed(curated, data["topic"], pinned=True)
    topics = dict(curated.topics)
    for topic, passages in data["pins"].items():
        state = topics[TopicId(int(topic))]
        topics[TopicId(int(topic))] = replace(state, pins=state.pins | frozenset(passages))
    return replace(curated, topics=topics)


def _unpin(curated: Curated, data: Data) -> Curated:
    if data.get("topic") is not None:
        return _changed(curated, data["topic"], pinned=False)
    loose = frozenset(data["passages"])
    topics = {key: replace(state, pins=state.pins - loose) for key, state in curated.topics.items()}
    return replace(curated, topics=topics)


def _seed(curated: Curated, data: Data) -> Curated:
    words = tuple(data["words"])
    if data.get("topic") is None:
        others = tuple(wish for wish in curated.wished if wish.label != data["label"])
        return replace(curated, wished=(*others, Wished(data["label"], words)) if words else others)
    key = TopicId(data["topic"])
    return replace(curated, topics={**curated.topics, key: replace(curated.topics[key], seeds=words)})


def _import(curated: Curated, data: Data) -> Curated:
    parts = fold(curated, [Draft(part["kind"], part["data"]) for part in data["edits"]])
    return _worded(parts, data.get("words", {}))


_MEANING = {
    "rename": _rename, "note": _note, "hide": _hide, "merge": _merge, "split": _split, "move": _move,
    "pin": _pin, "unpin": _unpin, "seed": _seed, "import": _import,
}  # fmt: skip
KINDS = tuple(_MEANING)


def _changed(curated: Curated, topic: int, **values: Any) -> Curated:
    key = TopicId(topic)
    state = curated.topics[key]
    changed = replace(state, topic=replace(state.topic, **values))
    return replace(curated, topics={**curated.topics, key: changed})


def _without(topic: StoredTopic, passages: frozenset[int]) -> StoredTopic:
    return replace(topic, representatives=tuple(p for p in topic.representatives if p not in passages))


# ------------------------------------------------------------------------------ to and from JSON


def _worded(curated: Curated, words: Data) -> Curated:
    """With the words, coherence and representatives that the edit worked out; a label only where it gives one."""
    for key, data in words.items():
        curated = _changed(curated, int(key), **words_from(data))
    return curated


def words_from(data: Data) -> dict[str, Any]:
    values = {
        "terms": tuple(TopicTerm(term, weight) for term, weight in data["terms"]),
        "coherence": data["coherence"],
        "representatives": tuple(PassageId(p) for p in data["representatives"]),
    }
    return values | ({"label": data["label"]} if "label" in data else {})


def words_data(topic: StoredTopic, *, label: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "terms": [[term.term, term.weight] for term in topic.terms],
        "coherence": dict(topic.coherence),
        "representatives": [int(p) for p in topic.representatives],
    }
    return data | ({"label": topic.label} if label else {})


def start_data(state: TopicState) -> dict[str, Any]:
    """A topic as a model begins with it."""
    topic = state.topic
    data = words_data(topic, label=True) | {"number": topic.number, "state": topic.state}
    data |= {"named": topic.named, "hidden": topic.hidden, "pinned": topic.pinned, "note": topic.note}
    data |= {"origin": dict(topic.origin or {}), "seeds": list(state.seeds)}
    return data | {"pins": sorted(state.pins), "moved": sorted(state.moved), "kept": sorted(state.kept)}


def _from_start(key: TopicId, data: Data) -> TopicState:
    topic = StoredTopic(
        id=key, number=data["number"], state=data["state"], named=data["named"], hidden=data["hidden"],
        pinned=data["pinned"], note=data["note"], origin=data["origin"], **words_from(data),
    )  # fmt: skip
    return TopicState(
        topic, tuple(data["seeds"]), frozenset(data["pins"]), frozenset(data["moved"]), frozenset(data["kept"])
    )


def centres_data(centres: Matrix) -> dict[str, Any]:
    raw = np.ascontiguousarray(centres, "<f4").tobytes()
    return {"centres": base64.b64encode(raw).decode(), "width": int(centres.shape[1])}


def centres_of(data: Data) -> Matrix:
    raw = np.frombuffer(base64.b64decode(data["centres"]), "<f4")
    return raw.reshape(-1, data["width"]).astype(np.float32)
