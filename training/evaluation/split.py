"""Which documents are learnt from, and which are kept back to judge by. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from riparian.errors import Invalid
from riparian.text import content_digest
from training.collected import Source

HELD_OUT = 0.2
"""The share of the documents (near-duplicates counted once) that is kept back."""


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides in order of id, and the seed that drew them."""

    seed: int
    learnt: tuple[Source, ...]
    held_out: tuple[Source, ...]


def split(documents: Iterable[Source], seed: int, held_out: float = HELD_OUT) -> Split:
    """Whole documents to one side each, near-duplicates and documents of equal text together.

    A group's place is drawn by the seed and its own number, so that the order of the documents does not matter. Invalid
    where a side would be empty.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"a share between 0 and 1 is held out, not {held_out}")
    groups = _groups(documents)
    drawn = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())
    kept = set(drawn[: round(len(drawn) * held_out)])
    sides: tuple[list[Source], list[Source]] = [], []
    for group, members in groups.items():
        sides[group in kept].extend(members)
    learnt, back = (tuple(sorted(side, key=lambda one: one.id)) for side in sides)
    if not learnt or not back:
        raise Invalid(f"{len(groups)} different documents cannot be split into some to learn from and some to judge by")
    check_no_leak(learnt, back)
    return Split(seed, learnt, back)


def check_no_leak(learnt: Iterable[Source], held_out: Iterable[Source]) -> None:
    """Invalid, naming the first two, where a document of one side is on the other side too: itself, a near-duplicate of
    it, or one of equal text."""
    seen: dict[tuple[str, object], Source] = {key: one for one in learnt for key in _keys(one)}
    for one in held_out:
        for key in _keys(one):
            if key in seen:
                raise Invalid(
                    f"document {one.id}, held out to judge by, was learnt from as document {seen[key].id} "
                    f"({_WHY[key[0]]}); split again by documents with their near-duplicates"
                )


_WHY = {"id": "the same document", "group": "a near-duplicate", "text": "equal text"}


def _keys(one: Source) -> Sequence[tuple[str, object]]:
    return ("id", one.id), ("group", one.group), ("text", content_digest(one.text))


def _groups(documents: Iterable[Source]) -> dict[int, list[Source]]:
    """Smallest id of a group → its members; groups that share a text are one."""
    leader: dict[tuple[str, object], int] = {}
    groups: dict[int, list[Source]] = {}
    for one in sorted(documents, key=lambda document: document.id):
        keys = _keys(one)[1:]
        found = sorted({leader[key] for key in keys if key in leader})
        place = found[0] if found else one.id
        groups.setdefault(place, []).append(one)
        for other in found[1:]:
            groups[place] += groups.pop(other)
            leader = {key: place if number == other else number for key, number in leader.items()}
        leader.update(dict.fromkeys(keys, place))
    return groups
