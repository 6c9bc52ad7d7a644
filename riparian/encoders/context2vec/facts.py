"""How a token vector of either kind is put together."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from riparian.encoders.pooling import unit_rows
from riparian.errors import Invalid
from riparian.types import Matrix

Vectors = Literal["both", "context"]
"""Token vector: the unit vector of the word itself beside that of its surroundings, or its surroundings alone."""

VECTORS: tuple[str, ...] = get_args(Vectors)


def vectors_named(word: object) -> Vectors:
    """Raises Invalid for a word that names no way to put a token vector together."""
    if word == "both":
        return "both"
    if word == "context":
        return "context"
    raise Invalid(f"context2vec has no vectors {word!r}; give vectors=both or vectors=context")


def joined(targets: Matrix, contexts: Matrix, how: Vectors) -> Matrix:
    """(T, d) words and (T, c) surroundings, each row brought to unit length, side by side; or the latter alone."""
    if how == "context":
        return unit_rows(contexts)
    return np.concatenate([unit_rows(targets), unit_rows(contexts)], axis=1)
