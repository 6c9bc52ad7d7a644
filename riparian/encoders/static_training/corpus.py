"""Text to train on: words as numbers, with their counts. Pure."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.word_tokens import split
from riparian.errors import Invalid

Numbers = NDArray[np.int32]

_LONGEST = 1_000
"""Words of a stretch; as in the published tools, windows do not stop at the end of a sentence."""

_LEAST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Corpus:
    """`words` by falling count, and `stretches` of numbers of them; rarer words are left out, so that the words around
    them become neighbours. `digest` is the SHA-256 over all words in order, rare ones too."""

    words: tuple[str, ...]
    counts: NDArray[np.int64]
    stretches: tuple[Numbers, ...]
    texts: int
    digest: str

    @property
    def total(self) -> int:
        """Words that are trained on, in one epoch."""
        return int(self.counts.sum())


def gather(texts: Iterable[str], trim: int) -> Corpus:
    """Lower-cased words that stand at least `trim` times, cut as `StaticEncoder` looks them up.

    Raises Invalid where the text holds fewer than two of them, or none beside another.
    """
    numbers: dict[str, int] = {}
    found: list[Numbers] = []
    total, texts_read = hashlib.sha256(), 0
    for text in texts:
        texts_read += 1
        read = array("i", (numbers.setdefault(word, len(numbers)) for word in _words(text, total)))
        found.append(np.frombuffer(read, dtype=np.int32) if read else np.zeros(0, dtype=np.int32))
        total.update(b"\n")
    counts = np.bincount(np.concatenate([np.zeros(0, dtype=np.int32), *found]), minlength=len(numbers))
    names = list(numbers)
    kept = sorted((row for row in range(len(names)) if counts[row] >= trim), key=lambda row: (-counts[row], names[row]))
    place = np.full(len(names), -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    stretches = tuple(part for read in found for part in _stretches(place[read]))
    if len(kept) < _LEAST_WORDS or not stretches:
        raise Invalid(f"{len(kept)} words that stand at least {trim} times are too few to train on; give more text")
    words = tuple(names[row] for row in kept)
    return Corpus(words, counts[kept].astype(np.int64), stretches, texts_read, total.hexdigest())


def _words(text: str, total: hashlib._Hash) -> Iterator[str]:
    for token in split(text, ()).tokens:
        word = token.lower().replace("’", "'")
        total.update(word.encode("utf-8", "surrogatepass") + b"\x1f")
        yield word


def _stretches(numbers: Numbers) -> Iterator[Numbers]:
    known = numbers[numbers >= 0]
    for first in range(0, len(known), _LONGEST):
        part = known[first : first + _LONGEST]
        if len(part) > 1:
            yield part
