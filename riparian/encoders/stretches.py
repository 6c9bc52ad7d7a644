"""Texts as stretches of words that are read in one go: sentences, long ones in overlapping windows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from riparian.encoders import windows

T = TypeVar("T")

_GROUP = 4_096


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words [first, end) of one text, read together; the states of [start, stop) are taken from it."""

    text: int
    first: int
    end: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.end - self.first

    @property
    def own(self) -> slice:
        """Where among the words that are read together those stand whose states are taken."""
        return slice(self.start - self.first, self.stop - self.first)


def cut(texts: Iterable[Sequence[tuple[int, int]]], most: int) -> list[Stretch]:
    """Of texts given as the half-open ranges of words that are their sentences; no stretch has more than `most` words.
    Each word is taken from one stretch."""
    return [
        Stretch(number, first + a, first + b, first + start, first + stop)
        for number, sentences in enumerate(texts)
        for first, end in sentences
        for (a, b), (start, stop) in _pairs(end - first, most)
    ]


def grouped(texts: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Texts in order, together until they hold so many words that a batch is worth its while."""
    group: list[T] = []
    words = 0
    for text in texts:
        group.append(text)
        words += size(text)
        if words >= _GROUP:
            yield group
            group, words = [], 0
    if group:
        yield group


def _pairs(words: int, most: int) -> Iterable[tuple[windows.Window, windows.Window]]:
    spans = windows.spans(words, most)
    return zip(spans, windows.owned(spans), strict=True)
