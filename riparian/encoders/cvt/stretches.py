"""Texts as this kind reads them, in stretches. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from riparian.encoders import stretches
from riparian.encoders.stretches import Stretch

MAX_SENTENCE = 256
"""Words of a sentence that are read in one go."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, and the half-open ranges of them that are sentences."""

    words: tuple[str, ...]
    sentences: tuple[tuple[int, int], ...]


def cut(texts: Sequence[Text]) -> list[Stretch]:
    return stretches.cut((text.sentences for text in texts), MAX_SENTENCE)


def grouped(texts: Iterable[Text]) -> Iterator[list[Text]]:
    return stretches.grouped(texts, lambda text: len(text.words))
