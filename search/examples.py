"""What hits should be like or unlike: passages, documents and texts, named in a request or in the query itself.

    like:p12  unlike:d7^0.5  like:"water in the cellar"  unlike:insurance

`p` and `d` stand for the numbers of a passage and a document, `^` for a weight (1 where it is left out).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from riparian.errors import BadQuery
from riparian.lexical.query import PASTED
from riparian.types import DocumentId, PassageId

MOST = 100
"""Examples of one search at most, on each side."""

HEAVIEST = 10.0

_NAMED = re.compile(
    r"(?<![^\s(])(?P<side>like|unlike):"
    r'(?:(?P<kind>[pd])(?P<number>\d{1,18})(?=[\s^]|$)|"(?P<quoted>[^"]+)"|(?P<word>[^\s"^]+))'
    r"(?:\^(?P<weight>\d{1,3}(?:\.\d{1,3})?))?(?!\S)"
)


@dataclass(frozen=True, slots=True)
class Example:
    """Something to be like or unlike: exactly one of `passage`, `document` and `text` is given."""

    passage: PassageId | None = None
    document: DocumentId | None = None
    text: str = ""
    weight: float = 1.0

    def check(self) -> None:
        """BadQuery for a weight out of range, and where it is not one thing."""
        if not 0 < self.weight <= HEAVIEST or math.isnan(self.weight):
            raise BadQuery(f"the weight of an example lies above 0 and at most at {HEAVIEST:g}, not at {self.weight:g}")
        if sum((self.passage is not None, self.document is not None, bool(self.text.strip()))) != 1:
            raise BadQuery("an example is one passage, one document or one text")

    @property
    def name(self) -> str:
        """As people call it."""
        if self.passage is not None:
            return f"passage {self.passage}"
        if self.document is not None:
            return f"document {self.document}"
        return f'"{self.text}"' if len(self.text) <= 60 else f'"{self.text[:60]}…"'


@dataclass(frozen=True, slots=True)
class Said:
    """A query with the examples taken out; `text` may be empty where there were examples."""

    text: str
    more: tuple[Example, ...]
    less: tuple[Example, ...]


def read(query: str) -> Said:
    """The examples that a query names, and the rest of it. BadQuery for a weight of 0 or too large."""
    if len(query.split()) > PASTED:  # a pasted text, in which nothing is an operator
        return Said(query, (), ())
    found = list(_named(query))
    sides = {side: tuple(example for name, example in found if name == side) for side in ("like", "unlike")}
    return Said(" ".join(_NAMED.sub(" ", query).split()) if found else query, sides["like"], sides["unlike"])


def named(text: str) -> Example:
    """One example as it is written behind ``like:``; a text needs no quotes here. BadQuery."""
    match = re.fullmatch(r"(?:([pd])(\d{1,18})|(.*?))(?:\^(\d{1,3}(?:\.\d{1,3})?))?", text.strip(), re.DOTALL)
    assert match is not None
    kind, number, words, weight = match.groups()
    example = Example(
        passage=PassageId(int(number)) if kind == "p" else None,
        document=DocumentId(int(number)) if kind == "d" else None,
        text=words or "",
        weight=float(weight or 1),
    )
    example.check()
    return example


def _named(query: str) -> Iterator[tuple[str, Example]]:
    for match in _NAMED.finditer(query):
        number = int(match["number"]) if match["number"] else None
        example = Example(
            passage=PassageId(number) if number is not None and match["kind"] == "p" else None,
            document=DocumentId(number) if number is not None and match["kind"] == "d" else None,
            text=match["quoted"] or match["word"] or "",
            weight=float(match["weight"] or 1),
        )
        example.check()
        yield match["side"], example
