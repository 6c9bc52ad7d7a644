"""Which examples are learnt from, which are chosen by and which are judged on; equal texts never on two sides. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid
from riparian.text import collapse, words
from training.collected import Source
from training.evaluation.split import check_no_leak, split
from training.heads.base import Groups

Rows = NDArray[np.int64]

CHOSEN_BY = 0.15
"""The share of what is not held out that settings are chosen by."""

_APART = 7_919


@dataclass(frozen=True, slots=True)
class Parts:
    """Numbers of examples, in order: `learnt` changes weights, `chosen_by` chooses settings, `held_out` does neither
    and is looked at once."""

    learnt: Rows
    chosen_by: Rows
    held_out: Rows

    @property
    def all(self) -> tuple[Rows, Rows, Rows]:
        return self.learnt, self.chosen_by, self.held_out


def parts(texts: Sequence[str], seed: int, held_out: float, groups: Groups = ()) -> Parts:
    """Examples of one group, and texts that differ in nothing but case, marks and spacing, stand together. The same
    texts, groups and seed give the same parts. Invalid where a part would be empty."""
    if not 0 < held_out < 1:
        raise Invalid(f"a share between 0 and 1 is held out, not {held_out}")
    sources = _sources(texts, groups)
    outer = split(sources, seed, held_out)
    inner = split(outer.learnt, seed + _APART, CHOSEN_BY)
    return Parts(_rows(inner.learnt), _rows(inner.held_out), _rows(outer.held_out))


def sizes(found: Parts) -> dict[str, int]:
    """How many examples stand on each side, as JSON."""
    return {"learnt": len(found.learnt), "chosen_by": len(found.chosen_by), "held_out": len(found.held_out)}


def check_apart(learnt: Iterable[str], held_out: Iterable[str]) -> None:
    """Invalid, naming both examples, where a text of one side is on the other too (but for case, marks, spacing)."""
    first = [Source(number, number, "", key(text), "") for number, text in enumerate(learnt, 1)]
    after = len(first) + 1
    check_no_leak(first, [Source(number, number, "", key(text), "") for number, text in enumerate(held_out, after)])


def key(text: str) -> str:
    """The text as its folded words alone: equal for texts that differ in case, marks and spacing only."""
    return " ".join(word.word for word in words(text)) or collapse(text)


def digests(texts: Iterable[str]) -> NDArray[np.int64]:
    """One number a different key, sorted: enough to recognise a text, not to read it."""
    found = {hashlib.sha256(key(text).encode("utf-8", "surrogatepass")).digest()[:8] for text in texts}
    return np.array(sorted(int.from_bytes(digest, "little", signed=True) for digest in found), dtype=np.int64)


def check_unseen(learnt: NDArray[np.int64], texts: Sequence[str]) -> None:
    """Invalid, naming the first, where one of the texts is among those that `digests` were taken of."""
    known = set(learnt.tolist())
    for number, text in enumerate(texts, start=1):
        if int(digests([text])[0]) in known:
            raise Invalid(
                f"example {number} ({collapse(text)[:60]!r}) was learnt from, so that it cannot judge what was learnt; "
                "give examples that were held out"
            )


def _sources(texts: Sequence[str], groups: Groups) -> list[Source]:
    """`split` takes documents: an example is one, and its group is its near-duplicates'."""
    if groups and len(groups) != len(texts):
        raise ValueError(f"{len(groups)} groups for {len(texts)} examples")
    first: dict[Hashable, int] = {}
    return [
        Source(number, first.setdefault(groups[number], number) if groups else number, "", key(text), "")
        for number, text in enumerate(texts)
    ]


def _rows(sources: Iterable[Source]) -> Rows:
    return np.array([source.id for source in sources], dtype=np.int64)
