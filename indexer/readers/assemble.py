"""Puts the text of a document together from pages, slides or chapters, and remembers where each begins."""

from __future__ import annotations

import re

from indexer.readers.decode import clean
from riparian.types import Anchor

# A text of many short paragraphs would else carry more anchors than words.
_MOST_LINE_ANCHORS = 4000
_PARAGRAPH = re.compile(r"(?:\A|\n[^\S\n]*\n\s*)(?=\S)")


class Assembly:
    """Parts of a text in order, a blank line between; each part that holds any text may have an anchor."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._anchors: list[Anchor] = []

    def add(self, text: str, kind: str = "", number: int = 0) -> None:
        part = clean(text).strip("\n")
        if not part.strip():
            return
        start = self._length + (2 if self._parts else 0)
        if kind:
            self._anchors.append(Anchor(start, kind, number))
        self._parts.append(part)
        self._length = start + len(part)

    @property
    def text(self) -> str:
        return "\n\n".join(self._parts)

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return tuple(self._anchors)


def line_anchors(text: str, first_line: int = 1) -> tuple[Anchor, ...]:
    """The line number at the start of each paragraph, `first_line` being that of the text's first character."""
    anchors: list[Anchor] = []
    line, counted = first_line, 0
    for match in _PARAGRAPH.finditer(text):
        line += text.count("\n", counted, match.end())
        counted = match.end()
        anchors.append(Anchor(counted, "line", line))
    step = -(-len(anchors) // _MOST_LINE_ANCHORS) or 1
    return tuple(anchors[::step])
