"""Texts as stretches of words that are read in one go: sentences, long ones in overlapping windows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from riparian.encoders import windows

MAX_SENTENCE = 256
"""Words of a sentence that are read in one go."""

_GROUP = 4_096


@dataclass(frozen=True, slots=True)
class Text:
    """Words, and the half-open ranges of them that are sentences."""

    words: tuple[str, ...]
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words [first, end) of one text, read together; the states of [start, stop) are taken from it."""

    text: int
    first: int
    end: int
    start: int
    stop: int


def cut(texts: Sequence[Text]) -> Iterator[Stretch]:
    for number, text in enumerate(texts):
        for first, end in text.sentences:
            spans = windows.spans(end - first, MAX_SENTENCE)
            for (a, b), (start, stop) in zip(spans, windows.owned(spans), strict=True):
                yield Stretch(number, first + a, first + b, first + start, first + stop)


def grouped(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """Texts in order, together until they hold so many words that a batch is worth its while."""
    group: list[Text] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text.words)
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group
