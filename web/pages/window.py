"""A long text in parts that a browser can take, and each part in blocks: paragraphs, pages, sections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from riparian.types import Anchor, Span

PART = 60_000  # characters; even in four-byte scripts with much marking such a page stays well under 1 MB

# lines and rows lie too close together to break a text at each of them
_QUIET_ANCHORS = {"line", "row"}
_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph. `anchor` is the page or section that begins with it; `flows` = its line ends mean nothing."""

    start: int
    text: str
    flows: bool
    anchor: Anchor | None = None


def parts(length: int, passages: Sequence[Span], size: int = PART) -> list[Span]:
    """Stretches that begin where a passage begins and hold whole passages; together they cover the text.

    A stretch may reach into the next one by the rest of its last passage.
    """
    starts = [0]
    for passage in passages:
        if passage.start - starts[-1] >= size:
            starts.append(passage.start)
    ends = [*starts[1:], length]
    for passage in passages:
        part = part_of(passage.start, starts)
        ends[part] = max(ends[part], passage.end)
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


def part_of(place: int, starts: Sequence[int]) -> int:
    """The number (from 0) of the part in which a place of the text lies."""
    return max(number for number, start in enumerate(starts) if start <= place or number == 0)


def blocks(text: str, start: int, anchors: Sequence[Anchor] = ()) -> list[Block]:
    """Paragraphs of a text that stands at `start` of its document, cut also where a page or section begins."""
    end = start + len(text)
    loud = {a.start: a for a in anchors if a.kind not in _QUIET_ANCHORS and start <= a.start < end}
    edges = sorted({start, end, *loud})
    found: list[Block] = []
    for first, last in pairwise(edges):
        paragraphs = _paragraphs(text[first - start : last - start], first)
        found.extend(
            Block(at, body, _flows(body), loud.get(first) if number == 0 else None)
            for number, (at, body) in enumerate(paragraphs)
        )
    return found


def _paragraphs(text: str, start: int) -> list[tuple[int, str]]:
    found, place = [], 0
    for gap in _BLANK_LINES.finditer(text):
        found.append((start + place, text[place : gap.start()]))
        place = gap.end()
    found.append((start + place, text[place:]))
    kept = [(at, body) for at, body in found if body.strip()]
    return kept or [(start, text)]


def _flows(text: str) -> bool:
    """Whether the line ends come from a fixed width (a mail, a PDF) and not from a poem, a list or a table."""
    lines = [len(line) for line in text.strip().split("\n")]
    return len(lines) == 1 or all(45 <= length <= 110 for length in lines[:-1])
