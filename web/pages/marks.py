"""Text cut at the spans that are to be marked, so that templates print every piece escaped and never build HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from riparian.types import Hit, Span

EXCERPT = 620  # characters: about eight lines at reading width, enough to judge a passage by


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text that is marked in one way throughout. `names` are the passages that begin with it."""

    text: str
    word: bool = False
    names: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring pieces inside (`marked`) or outside the span that matters most."""

    marked: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a passage that is shown; `before` and `after` say that something was left out."""

    runs: tuple[Run, ...]
    before: bool
    after: bool


def runs(
    text: str,
    start: int,
    *,
    words: Iterable[Span] = (),
    marked: Span | None = None,
    names: dict[int, int] | None = None,
) -> tuple[Run, ...]:
    """`text`, which stands at `start` of its document, cut at the given spans of the document.

    `names` maps a place in the document to the passage that begins there. Joining every piece gives the text back.
    """
    end = start + len(text)
    inside = [Span(max(w.start, start), min(w.end, end)) for w in words if w.start < end and w.end > start]
    named = {place: name for place, name in (names or {}).items() if start <= place < end}
    cuts = {start, end, *named, *(cut for w in inside for cut in (w.start, w.end))}
    if marked is not None:
        cuts |= {min(max(marked.start, start), end), min(max(marked.end, start), end)}
    places = sorted(cuts)
    pieces = [
        (
            _within(at, marked),
            Piece(text[at - start : to - start], any(_within(at, w) for w in inside), _names(named, at)),
        )
        for at, to in pairwise(places)
    ]
    return tuple(Run(key, tuple(piece for _, piece in group)) for key, group in groupby(pieces, key=lambda p: p[0]))


def _within(place: int, span: Span | None) -> bool:
    return span is not None and span.start <= place < span.end


def _names(named: dict[int, int], place: int) -> tuple[int, ...]:
    return (named[place],) if place in named else ()


def excerpt(hit: Hit, size: int = EXCERPT) -> Excerpt:
    """The passage of a hit, or the stretch of `size` characters around its best sentence (else its first word)."""
    passage = hit.passage
    window = _window(passage.text, passage.start, _focus(hit), size)
    text = passage.text[window.start - passage.start : window.end - passage.start]
    cut = runs(text, window.start, words=hit.highlights, marked=hit.best_sentence)
    return Excerpt(cut, window.start > passage.start, window.end < passage.end)


def _focus(hit: Hit) -> Span:
    if hit.best_sentence is not None:
        return hit.best_sentence
    return hit.highlights[0] if hit.highlights else Span(hit.passage.start, hit.passage.start)


def _window(text: str, start: int, focus: Span, size: int) -> Span:
    """A stretch that holds `focus`, cut at white space where there is some near."""
    if len(text) <= size * 1.15:
        return Span(start, start + len(text))
    room = max(0, size - (focus.end - focus.start))
    first = max(0, min(focus.start - start - room // 3, len(text) - size))
    last = min(len(text), max(first + size, focus.end - start))
    return Span(start + _at_space(text, first, 1), start + _at_space(text, last, -1))


def _at_space(text: str, place: int, step: int, reach: int = 30) -> int:
    """The nearest word edge within reach in the direction of `step`; the place itself where there is none."""
    if place in (0, len(text)):
        return place
    for moved in range(place, place + step * reach, step):
        if 0 < moved < len(text) and text[moved - 1].isspace() != text[moved].isspace():
            return moved
    return place


def overlapping(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Those spans that share a character with start..end."""
    return [span for span in spans if span.start < end and span.end > start]
