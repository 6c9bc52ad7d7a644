"""What a person asks for, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass

from riparian.types import PassageId, TopicId


@dataclass(frozen=True, slots=True)
class Rename:
    topic: TopicId
    label: str


@dataclass(frozen=True, slots=True)
class Relabel:
    """New names for several topics at once, one edit."""

    labels: tuple[tuple[TopicId, str], ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """`topics` become part of `into`, which keeps its id and label."""

    topics: tuple[TopicId, ...]
    into: TopicId


@dataclass(frozen=True, slots=True)
class Split:
    """Into that many; the largest part keeps the id and label."""

    topic: TopicId
    parts: int = 2


@dataclass(frozen=True, slots=True)
class Move:
    """`passages` get `to` as their main topic, or a new topic of that name where `to` is a text."""

    passages: tuple[PassageId, ...]
    to: TopicId | str


@dataclass(frozen=True, slots=True)
class Pin:
    """A topic with all its passages, or passages to their main topics."""

    topic: TopicId | None = None
    passages: tuple[PassageId, ...] = ()


@dataclass(frozen=True, slots=True)
class Unpin:
    topic: TopicId | None = None
    passages: tuple[PassageId, ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """Words that a topic is to be about at the next fit; without a `topic` one of this `label` is to be found. No words
    takes the wish back."""

    words: tuple[str, ...]
    topic: TopicId | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Hide:
    topic: TopicId
    hidden: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    topic: TopicId
    note: str


Request = Rename | Relabel | Merge | Split | Move | Pin | Unpin | Seed | Hide | Note
