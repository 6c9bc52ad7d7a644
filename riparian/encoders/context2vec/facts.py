"""What stands behind the path of either kind's spec, and how a token vector is put together."""

from __future__ import annotations

from collections.abc import Mapping
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


def settings_of(kind: str, query: str, known: tuple[str, ...]) -> dict[str, str]:
    """``a=b&c=d`` behind the ``?`` of a spec. Raises Invalid for a setting that the kind does not have."""
    found = {key: value for key, _, value in (part.partition("=") for part in query.split("&") if part)}
    for key in found:
        if key not in known:
            raise Invalid(f"{kind} has no setting {key!r}; there is: {', '.join(known)}")
    return found


def spec_of(base: str, settings: Mapping[str, str]) -> str:
    """The spec that loads the same encoder again."""
    query = "&".join(f"{key}={value}" for key, value in sorted(settings.items()))
    return f"{base}?{query}" if query else base
