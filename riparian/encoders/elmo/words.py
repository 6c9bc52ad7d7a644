"""A text as sentences of words, with where each word stands. Pure.

The cuts are those of the corpora that such models were trained on: punctuation stands alone, do|n't and it|'s are two
words, U.S., 3.14 and well-known are one. Chinese and Japanese, having no spaces, give one character a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex

from riparian.encoders.base import Tokens
from riparian.text import sentences

VERSION = "sentences-of-words.v1"
"""Named in the fingerprint: grows when the cutting changes."""

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_LETTER = r"[[\p{L}\p{N}\p{M}_]--[\p{Han}\p{Hiragana}\p{Katakana}]]"
_WORD: Any = regex.compile(
    rf"{_UNSPACED}"
    rf"|\d+(?:[.,]\d+)+(?!{_LETTER})"
    r"|(?:\p{L}\.){2,}"
    rf"|{_LETTER}+?(?=n['’]t\b)|n['’]t\b|['’](?:s|re|ve|ll|d|m)\b"
    rf"|{_LETTER}+(?:-{_LETTER}+)*"
    r"|(?!\s)\X",
    regex.VERSION1 | regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The words of a text, and the half-open ranges of words that are its sentences."""

    tokens: Tokens
    sentences: tuple[tuple[int, int], ...]


def cut(text: str, most_bytes: int) -> Cut:
    """Every character that is not white space lies in exactly one word. A word of more than `most_bytes` UTF-8 bytes,
    which a model could not see whole, becomes several."""
    spans: list[tuple[int, int]] = []
    ranges: list[tuple[int, int]] = []
    for sentence in sentences(text):
        first = len(spans)
        for found in _WORD.finditer(text, sentence.start, sentence.end):
            start, end = found.span()
            spans.extend(_pieces(text, start, end, most_bytes))
        if len(spans) > first:
            ranges.append((first, len(spans)))
    tokens = Tokens(tuple(text[start:end] for start, end in spans), np.array(spans, dtype=np.int64).reshape(-1, 2))
    return Cut(tokens, tuple(ranges))


def _pieces(text: str, start: int, end: int, most_bytes: int) -> Iterator[tuple[int, int]]:
    if (end - start) * 4 <= most_bytes:
        yield start, end
        return
    size = 0
    for at in range(start, end):
        more = len(text[at].encode("utf-8", "surrogatepass"))
        if size and size + more > most_bytes:
            yield start, at
            start, size = at, 0
        size += more
    yield start, end
