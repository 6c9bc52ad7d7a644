"""The vectors of given words, from an encoder with units of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from riparian.encoders import words as alignment
from riparian.encoders.base import Encoder, Progress
from riparian.encoders.words import Span
from riparian.errors import Invalid
from riparian.types import Matrix

_AT_ONCE = 64
_ROOM = 2**30  # bytes


@dataclass(frozen=True, slots=True)
class Sentences:
    """The words' vectors one below the other, float32 (W, d); sentence i is rows `bounds[i]` to `bounds[i + 1]`. A word
    without any known token has a zero row."""

    vectors: Matrix
    bounds: tuple[int, ...]

    def of(self, sentence: int) -> Matrix:
        return self.vectors[self.bounds[sentence] : self.bounds[sentence + 1]]


def encoded(encoder: Encoder, sentences: Sequence[Sequence[str]], progress: Progress | None = None) -> Sentences:
    """Each sentence is read as its words with a blank between them. Raises what `vectors_of` raises."""
    return vectors_of(encoder, [" ".join(words) for words in sentences], list(map(spans_of, sentences)), progress)


def vectors_of(
    encoder: Encoder, texts: Sequence[str], spans: Sequence[Sequence[Span]], progress: Progress | None = None
) -> Sentences:
    """The vectors of the words that stand in each text at these code points. Invalid where they would take more than
    1 GiB."""
    bounds = (0, *accumulate(map(len, spans)))
    width = encoder.info.token_dim or 0
    check_room(bounds[-1], width)
    vectors = np.zeros((bounds[-1], width), dtype=np.float32)
    for first in range(0, len(texts), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        for number, encoding in enumerate(encoder.encode_tokens(texts[some]), start=first):
            vectors[bounds[number] : bounds[number + 1]] = alignment.align(encoding, spans[number]).vectors
        if progress:
            progress(min(first + _AT_ONCE, len(texts)), len(texts))
    return Sentences(vectors, bounds)


def check_room(words: int, width: int) -> None:
    """Invalid where so many vectors of that width do not fit."""
    if words * width * 4 > _ROOM:
        raise Invalid(
            f"the vectors of {words:,} words with {width} numbers each would take {words * width * 4 / 2**30:.1f} GiB; "
            f"give at most {_ROOM // (width * 4):,} words"
        )


def spans_of(words: Sequence[str]) -> tuple[Span, ...]:
    """Where the words stand in their sentence, a blank between them."""
    starts = accumulate((len(word) + 1 for word in words), initial=0)
    return tuple((start, start + len(word)) for start, word in zip(starts, words, strict=False))
