"""Words as static vector tables hold them: whole where the table knows them whole, else in their parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

import numpy as np

from riparian.encoders.base import Tokens

VERSION = "words.v1"
"""Named in the fingerprint: grows when the cutting changes."""

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*\.?|[^\w\s]")
# parts as the Penn Treebank cuts them: do n't, it 's
_PART = re.compile(r"\w+?(?=n['’]t\b)|n['’]t\b|['’](?:s|re|ve|ll|d|m)\b|\w+|[^\w\s]", re.IGNORECASE)


def split(text: str, vocabulary: Container[str]) -> Tokens:
    """Tokens with offsets; every character that is not white space lies in exactly one of them."""
    spans = [span for found in _WORD.finditer(text) for span in _spans(found.group(), found.start(), vocabulary)]
    return Tokens(tuple(text[start:end] for start, end in spans), np.array(spans, dtype=np.int64).reshape(-1, 2))


def entry(token: str, vocabulary: Container[str]) -> str | None:
    """The table's name for a token: itself, with a straight apostrophe, or in lower case; None where it has none."""
    straight = token.replace("’", "'")
    for form in (token, straight, straight.lower()):
        if form in vocabulary:
            return form
    return None


def _spans(word: str, start: int, vocabulary: Container[str]) -> Iterator[tuple[int, int]]:
    if entry(word, vocabulary) is not None:
        yield start, start + len(word)
        return
    for part in _PART.finditer(word):
        yield start + part.start(), start + part.end()
