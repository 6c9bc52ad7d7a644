"""The exact way: a passage's and a query's vectors as sums over their words, and what each pair of words adds.

p = sum_i a_i,  q = sum_j b_j  (unit rows)        cos(p, q) = sum_i <a_i, q> = sum_j <p, b_j>
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.encoders.parts import Parts, parts_of
from riparian.types import Matrix, Role
from search.explain.kept import Kept
from search.explain.units import Unit, summed, units

BYTES = 64 << 20
"""Of word vectors kept in memory: about 300 passages of 200 words by an encoder of 384 dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class Summed:
    """A text's unit row as a sum: `vectors`, float32 (units, dimension) beside its `units`, and `rest`."""

    units: tuple[Unit, ...]
    vectors: Matrix
    rest: NDArray[np.float64]

    @property
    def row(self) -> NDArray[np.float64]:
        return np.asarray(self.vectors.sum(axis=0, dtype=np.float64) + self.rest, dtype=np.float64)


class Decomposer:
    """Sums of texts, kept by encoder, role and text. Safe to share between threads."""

    def __init__(self, limit: int = BYTES) -> None:
        self._kept: Kept[tuple[str, Role, str], Summed | None] = Kept(limit, _size)

    def of(self, encoder: Encoder, texts: Sequence[str], role: Role) -> list[Summed | None]:
        """One a text, all that are new in one call of the encoder; None where its vectors are no sums."""
        fingerprint = encoder.fingerprint()
        by_key = {(fingerprint, role, _digest(text)): text for text in texts}
        keys = [(fingerprint, role, _digest(text)) for text in texts]
        return self._kept.many(keys, lambda missing: _decomposed(encoder, [by_key[key] for key in missing], role))


def _decomposed(encoder: Encoder, texts: Sequence[str], role: Role) -> list[Summed | None]:
    found = parts_of(encoder, texts, role)
    if found is None:
        return [None] * len(texts)
    return [_in_words(text, parts) for text, parts in zip(texts, found, strict=True)]


def _in_words(text: str, parts: Parts) -> Summed:
    found = units(text, parts.offsets)
    rows = summed(found, parts.vectors)
    return Summed(tuple(found), rows.astype(np.float32), parts.rest.astype(np.float64))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _size(value: Summed | None) -> int:
    return 0 if value is None else value.vectors.nbytes + 200 * len(value.units)
