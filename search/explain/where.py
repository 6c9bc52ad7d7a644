"""From what the encoder was given back to where a person finds it: the query, the title, the document's text."""

from __future__ import annotations

from dataclasses import dataclass

from riparian.types import Passage
from search.explain.records import WordAt
from search.explain.units import Unit


@dataclass(frozen=True, slots=True)
class Where:
    """`text` was encoded; its first `titled` code points are the title's, from `title_start` of it; what follows stands
    at `start` of its document. `is_query` = all of it is the query."""

    text: str
    titled: int = 0
    title_start: int = 0
    start: int = 0
    is_query: bool = False

    @classmethod
    def of(cls, passage: Passage, title: str, given: str) -> Where:
        """`given` is the passage with its title before it, where it has one."""
        return cls(given, len(given) - len(passage.text), len(title) - len(title.lstrip()), passage.start)

    def at(self, unit: Unit) -> WordAt:
        text = self.text[unit.start : unit.end]
        if self.is_query:
            return WordAt(text, unit.start, unit.end, "query")
        if unit.start < self.titled:
            return WordAt(text, unit.start + self.title_start, unit.end + self.title_start, "title")
        shift = self.start - self.titled
        return WordAt(text, unit.start + shift, unit.end + shift, "text")


def in_query(text: str) -> Where:
    return Where(text, is_query=True)
