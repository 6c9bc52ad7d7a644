"""Edits of topics in words, for pages and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from riparian.catalog.curation import TopicEdit
from riparian.types import TopicId
from topics.curation.edits import Curated
from topics.curation.given import given

Labels = Mapping[TopicId, str]
Data = Mapping[str, Any]


def topics_of(edit: TopicEdit) -> set[int]:
    """The topics that `sentence` names."""
    return _topics(edit.kind, edit.data)


def sentence(edit: TopicEdit, labels: Labels) -> str:
    """What the edit did, with topics by the labels they have now."""
    return _sentence(edit.kind, edit.data, labels)


def told_before(curated: Curated, *, afresh: bool) -> str:
    """What people gave to topics that are to be found anew, and what becomes of it."""
    what = gifts(curated)
    if not afresh:
        return f"people changed these topics ({what}): a refit keeps that and waits to be looked at"
    return f"starting without what people changed ({what}); the history keeps it"


def gifts(curated: Curated) -> str:
    """What people gave to topics, counted: 2 names, 1 merged topic."""
    counted = [(getattr(given(curated), name), *words) for name, words in _GIFTS.items()]
    return ", ".join(f"{number} {one if number == 1 else more}" for number, one, more in counted if number)


_GIFTS = {
    "names": ("name", "names"),
    "notes": ("note", "notes"),
    "hidden": ("hidden topic", "hidden topics"),
    "pinned": ("pinned topic", "pinned topics"),
    "seeded": ("topic with seeds", "topics with seeds"),
    "merged": ("merged topic", "merged topics"),
    "made": ("topic made by people", "topics made by people"),
    "passages": ("passage put in its place", "passages put in their places"),
    "wishes": ("topic wished for", "topics wished for"),
}


def _topics(kind: str, data: Data) -> set[int]:
    if kind == "import":
        return set().union(*(_topics(part["kind"], part["data"]) for part in data["edits"]))
    if kind in ("refit", "rollback"):
        return set()
    named = [data.get("topic"), data.get("into"), data.get("to"), *data.get("topics", ()), *data.get("children", ())]
    return {int(topic) for topic in [*named, *data.get("pins", ())] if topic is not None}


def _sentence(kind: str, data: Data, labels: Labels) -> str:
    say = _SENTENCES.get(kind)
    return say(data, labels) if say else kind


def _name(topic: int, labels: Labels) -> str:
    return f"“{labels.get(TopicId(int(topic)), f'topic {topic}')}”"


def _names(topics: list[int], labels: Labels) -> str:
    return ", ".join(_name(topic, labels) for topic in topics)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _moved(data: Data, labels: Labels) -> str:
    kind = "a new topic, " if data.get("made") else ""
    return f"moved {_count(len(data['passages']), 'passage')} to {kind}{_name(data['to'], labels)}"


def _pinned(data: Data, labels: Labels) -> str:
    if data.get("topic") is not None:
        return f"pinned {_name(data['topic'], labels)}"
    count = sum(len(passages) for passages in data["pins"].values())
    return f"pinned {_count(count, 'passage')} to {_names(list(data['pins']), labels)}"


def _unpinned(data: Data, labels: Labels) -> str:
    if data.get("topic") is not None:
        return f"unpinned {_name(data['topic'], labels)}"
    return f"unpinned {_count(len(data['passages']), 'passage')}"


def _seeded(data: Data, labels: Labels) -> str:
    about = "a topic to be found, " + data["label"] if data.get("topic") is None else _name(data["topic"], labels)
    words = ", ".join(data["words"])
    return f"seeded {about}: {words}" if words else f"took the seeds of {about} back"


def _noted(data: Data, labels: Labels) -> str:
    what = "wrote a note on" if data["note"] else "took the note away from"
    return f"{what} {_name(data['topic'], labels)}"


def _taken(data: Data) -> str:
    count = _count(len(data["edits"]), "change")
    renames = all(part["kind"] == "rename" for part in data["edits"])
    return f"renamed topics: {count}" if renames else f"took in a codebook: {count}"


_SENTENCES: dict[str, Callable[[Data, Labels], str]] = {
    "rename": lambda data, labels: f"renamed {_name(data['topic'], labels)} to “{data['label']}”",
    "merge": lambda data, labels: f"merged {_names(data['topics'], labels)} into {_name(data['into'], labels)}",
    "split": lambda data, labels: (
        f"split {_name(data['children'][0], labels)} into {len(data['children'])}: {_names(data['children'], labels)}"
    ),
    "move": _moved,
    "pin": _pinned,
    "unpin": _unpinned,
    "seed": _seeded,
    "hide": lambda data, labels: f"{'hid' if data['hidden'] else 'showed'} {_name(data['topic'], labels)}",
    "note": _noted,
    "import": lambda data, _: _taken(data),
    "refit": lambda data, _: f"applied a refit: {data.get('topics', '?')} topics",
    "rollback": lambda data, _: "went back to the topics before the refit",
}  # fmt: skip
