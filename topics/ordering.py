"""An order of passages that is theirs alone: whatever order they come in, they are worked on in this one."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid
from riparian.types import Matrix
from topics.base import BagOfWords, Guidance


def by_content(vectors: Matrix, bag: BagOfWords) -> NDArray[np.int64]:
    """The rows by a hash of their vector and words. Equal rows are alike, so that their order says nothing.

    The first n of them are a random sample, and of a sample of the passages most are among its first n too.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    keys = [
        blake2b(row.tobytes() + bag.tokens[start:end].tobytes(), digest_size=8).digest()
        for row, start, end in zip(rows, bag.starts[:-1], bag.starts[1:], strict=True)
    ]
    return np.argsort(np.array(keys, dtype="S8").view(">u8").ravel(), kind="stable").astype(np.int64)


def numbered(documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Documents numbered by where they are first met, so that their ids say nothing."""
    _, first, inverse = np.unique(documents, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def reordered(guidance: Guidance, order: NDArray[np.int64]) -> Guidance:
    """The same guidance for rows that were put into this order. Raises Invalid for a row that is not there."""
    if not (guidance.fixed or len(guidance.together) or len(guidance.apart)):
        return guidance
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    _check_rows(guidance, len(order))
    return replace(
        guidance,
        fixed={int(place[row]): topic for row, topic in guidance.fixed.items()},
        together=sorted(_moved(pair, place) for pair in guidance.together),
        apart=sorted(_moved(pair, place) for pair in guidance.apart),
    )


def _moved(pair: tuple[int, int], place: NDArray[np.int64]) -> tuple[int, int]:
    first, second = sorted((int(place[pair[0]]), int(place[pair[1]])))
    return first, second


def _check_rows(guidance: Guidance, rows: int) -> None:
    for row in [*guidance.fixed, *(row for pair in (*guidance.together, *guidance.apart) for row in pair)]:
        if not 0 <= row < rows:
            raise Invalid(f"passage row {row} was given; the fit has rows 0 to {rows - 1}")
