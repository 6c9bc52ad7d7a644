"""What people gave to topics, counted: what would be lost by finding them anew without it."""

from __future__ import annotations

from dataclasses import dataclass

from topics.curation.edits import Curated


@dataclass(frozen=True, slots=True)
class Given:
    """How many topics have a name, a note, seeds; are hidden, pinned, merged away, or made by people; how many passages
    people settled, and topics they wished for."""

    names: int = 0
    notes: int = 0
    hidden: int = 0
    pinned: int = 0
    seeded: int = 0
    merged: int = 0
    made: int = 0
    passages: int = 0
    wishes: int = 0

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


def given(curated: Curated) -> Given:
    states = list(curated.active().values())
    topics = [state.topic for state in states]
    return Given(
        names=sum(topic.named for topic in topics),
        notes=sum(bool(topic.note) for topic in topics),
        hidden=sum(topic.hidden for topic in topics),
        pinned=sum(topic.pinned for topic in topics),
        seeded=sum(bool(state.seeds) for state in states),
        merged=sum(len((topic.origin or {}).get("took", ())) for topic in topics),
        made=sum((topic.origin or {}).get("by") in ("split", "person") for topic in topics),
        passages=sum(len(state.settled) for state in states),
        wishes=len(curated.wished),
    )
