"""Requests for edits of topics out of loose values, the same for the API and for forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riparian.errors import Invalid
from riparian.types import PassageId, TopicId
from topics.curation import requests
from topics.curation.requests import Request

KINDS = ("rename", "merge", "split", "move", "pin", "unpin", "seed", "hide", "note")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said, of which each kind of edit needs its part."""

    kind: str
    topic: int | None = None
    topics: Sequence[int] = ()
    into: int | None = None
    parts: int = 2
    passages: Sequence[int] = ()
    to: int | None = None
    label: str = ""
    words: Sequence[str] = ()
    note: str = ""
    hidden: bool = True


def request_of(asked: Asked) -> Request:
    """Invalid where the kind is unknown or lacks what it needs."""
    if asked.kind not in _MAKE:
        raise Invalid(f"no edit of kind {asked.kind!r}; there is: {', '.join(KINDS)}")
    return _MAKE[asked.kind](asked)


def _topic(asked: Asked) -> TopicId:
    return _needed(asked.kind, "topic", asked.topic)


def _needed(kind: str, name: str, value: int | None) -> TopicId:
    if value is None:
        raise Invalid(f"an edit of kind {kind} needs {name!r}")
    return TopicId(value)


def _passages(asked: Asked) -> tuple[PassageId, ...]:
    if not asked.passages:
        raise Invalid(f"an edit of kind {asked.kind} needs 'passages'")
    return tuple(PassageId(passage) for passage in asked.passages)


def _merge(asked: Asked) -> Request:
    return requests.Merge(tuple(TopicId(t) for t in asked.topics), _needed("merge", "into", asked.into))


def _move(asked: Asked) -> Request:
    if (asked.to is None) == (not asked.label):
        raise Invalid("an edit of kind move needs 'to', or 'label' for a new topic")
    return requests.Move(_passages(asked), asked.label if asked.to is None else TopicId(asked.to))


def _pin(asked: Asked) -> Request:
    make = requests.Pin if asked.kind == "pin" else requests.Unpin
    return make(_topic(asked)) if asked.topic is not None else make(None, _passages(asked))


def _seed(asked: Asked) -> Request:
    return requests.Seed(tuple(asked.words), None if asked.topic is None else TopicId(asked.topic), asked.label)


_MAKE: dict[str, Callable[[Asked], Request]] = {
    "rename": lambda asked: requests.Rename(_topic(asked), asked.label),
    "merge": _merge,
    "split": lambda asked: requests.Split(_topic(asked), asked.parts),
    "move": _move,
    "pin": _pin,
    "unpin": _pin,
    "seed": _seed,
    "hide": lambda asked: requests.Hide(_topic(asked), asked.hidden),
    "note": lambda asked: requests.Note(_topic(asked), asked.note),
}
