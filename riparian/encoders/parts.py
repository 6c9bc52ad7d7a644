"""A text's vector as a sum over its tokens: what an exact explanation of a cosine stands on.

Where pooling is linear in the token states (a mean, or a maximum that each component takes from one token), the vector
*is* such a sum. The Universal Sentence Encoders put a network behind the sum; it has ReLUs without biases and a tanh,
so that at a given text it is a linear map, and the sum goes through it token by token (`UseNetwork.shared`). Only the
state of a special token alone (CLS) cannot be given back to the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder, Offsets
from riparian.errors import TokensUnavailable
from riparian.types import Matrix, Role

TOLERANCE = 1e-5
"""How far the sum of the parts may lie from the vector, in any component."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """`vectors`, (T, passage_dim) float32 beside `offsets` (T, 2), and `rest` add up to the text's unit row.

    `rest` is what no token of the text gives: special tokens, the prompt, a bias.
    """

    offsets: Offsets
    vectors: Matrix
    rest: NDArray[np.float32]

    @property
    def row(self) -> NDArray[np.float64]:
        """The text's vector, summed from its parts."""
        return np.asarray(self.vectors.sum(axis=0, dtype=np.float64) + self.rest, dtype=np.float64)


@runtime_checkable
class Additive(Protocol):
    """An encoder that knows how its vectors add up."""

    def summands(self, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
        """One a text, or None where this encoder's pooling does not add up."""
        ...


def parts_of(encoder: Encoder, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
    """The parts of each text; None where the encoder's vectors are not sums over their tokens.

    An encoder that does not say is tried: where the mean of its token vectors is its passage vector within
    `TOLERANCE`, for every text given, it adds up.
    """
    if isinstance(encoder, Additive):
        return encoder.summands(texts, role)
    try:
        found = encoder.encode_tokens(texts, role)
    except TokensUnavailable:
        return None
    if encoder.info.token_dim != encoder.info.passage_dim:
        return None
    parts = [summed(one.offsets, one.vectors) for one in found]
    rows = encoder.encode_passages(texts, role)
    wrong = (np.abs(part.row - row).max(initial=0.0) > TOLERANCE for part, row in zip(parts, rows, strict=True))
    return None if any(wrong) else parts


def summed(offsets: Offsets, vectors: Matrix, rest: NDArray[np.float64] | None = None) -> Parts:
    """Parts in the proportions given, scaled so that their sum has unit length (or is zero)."""
    dimension = vectors.shape[1]
    rest = np.zeros(dimension) if rest is None else rest
    length = float(np.linalg.norm(vectors.sum(axis=0, dtype=np.float64) + rest))
    scale = 1.0 / length if length > 0 else 0.0
    return Parts(offsets, np.asarray(vectors * scale, dtype=np.float32), np.asarray(rest * scale, dtype=np.float32))


def length_of(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Euclidean length of each row, 1 for a zero row: safe to divide by."""
    lengths: NDArray[np.float64] = np.linalg.norm(rows.astype(np.float64), axis=-1)
    return np.where(lengths > 0, lengths, 1.0)
