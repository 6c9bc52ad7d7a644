"""A passage cut at its words, each with how strongly it is to be coloured. Pure: templates print pieces, never HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from riparian.inputs import encoder_input
from riparian.text import fold
from riparian.types import Document, Hit
from search.explain.records import Explanation, Place, WordShare

LEVELS = 5
FAINT = 0.2
"""Part of the strongest word's share below which a word stays plain."""

_STRONGEST = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """`level` 1 to `LEVELS` for what brings the passage nearer to the query, below 0 for what takes it away, 0 = plain.
    `share` is None between words."""

    text: str
    level: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Strongest:
    """A word with what all of its places add."""

    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Heat:
    """Joining the pieces gives the title and the passage back. `strongest` are the words that add most, the text that
    says what the colours show; `others` what all the rest adds."""

    title: tuple[Piece, ...]
    passage: tuple[Piece, ...]
    query: tuple[Piece, ...]
    strongest: tuple[Strongest, ...]
    others: float


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation with the colours of its words."""

    explanation: Explanation
    heat: Heat | None


def whys(hits: Sequence[Hit], explanations: Sequence[Explanation], query: str) -> list[Why]:
    """Of each hit."""
    return [Why(one, heat(one, hit.document, query)) for hit, one in zip(hits, explanations, strict=True)]


def heat(explanation: Explanation, document: Document, query: str) -> Heat | None:
    """None where nothing is known of the meaning. The title is shown where the encoder was given it."""
    meaning = explanation.meaning
    if meaning is None:
        return None
    title = document.title if encoder_input(document.title, explanation.text) != explanation.text else ""
    words = [word for word in meaning.passage if any(sign.isalnum() for sign in word.text)]
    strongest = tuple(sorted(_together(words), key=lambda word: -word.share)[:_STRONGEST])
    top = max((abs(word.share) for word in words), default=0.0)
    return Heat(
        title=_pieces(title, 0, _at(words, "title"), top),
        passage=_pieces(explanation.text, explanation.start, _at(words, "text"), top),
        query=_pieces(query, 0, meaning.query, max((abs(word.share) for word in meaning.query), default=0.0)),
        strongest=strongest,
        others=meaning.cosine - sum(word.share for word in strongest),
    )


def _together(words: Sequence[WordShare]) -> list[Strongest]:
    found: dict[str, Strongest] = {}
    for word in words:
        so_far = found.get(fold(word.text), Strongest(word.text, 0.0))
        found[fold(word.text)] = Strongest(so_far.text, so_far.share + word.share)
    return list(found.values())


def _at(words: Sequence[WordShare], place: Place) -> list[WordShare]:
    return [word for word in words if word.place == place]


def _pieces(text: str, start: int, words: Sequence[WordShare], top: float) -> tuple[Piece, ...]:
    found, at = [], 0
    for word in sorted(words, key=lambda one: one.start):
        first, last = word.start - start, word.end - start
        if first < at or text[first:last] != word.text:  # a query is read differently from how it was typed
            continue
        if first > at:
            found.append(Piece(text[at:first], 0, None))
        found.append(Piece(text[first:last], level(word.share, top), word.share))
        at = last
    return (*found, Piece(text[at:], 0, None)) if at < len(text) else tuple(found)


def level(share: float, top: float) -> int:
    """From -`LEVELS` to `LEVELS`."""
    if top <= 0 or abs(share) < FAINT * top:
        return 0
    return ceil(LEVELS * min(1.0, abs(share) / top)) * (1 if share > 0 else -1)
