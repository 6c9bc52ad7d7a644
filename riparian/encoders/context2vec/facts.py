"""What the card of either kind says, and how a token vector is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from riparian.encoders.pooling import unit_rows
from riparian.encoders.storage import CARD, Card
from riparian.errors import BadWeights, Invalid
from riparian.types import Matrix

Vectors = Literal["both", "context"]
"""Token vector: the unit vector of the word itself beside that of its surroundings, or its surroundings alone."""

VECTORS: tuple[str, ...] = get_args(Vectors)

Origin = Literal["published", "trained-here", "fine-tuned"]


@dataclass(frozen=True, slots=True)
class Facts:
    """`training` is empty for published weights."""

    name: str
    spec: str
    origin: Origin
    licence: str
    provenance: str
    languages: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)


def saved_facts(card: Card, spec: str, folder: Path) -> Facts:
    """The facts of a saved folder. Raises BadWeights for a card that holds others."""
    path = folder / CARD
    training = card.settings.get("training")
    if card.origin not in get_args(Origin):
        raise BadWeights(path, "the origin of the weights", repr(card.origin))
    if not isinstance(training, dict):
        raise BadWeights(path, "an object under settings.training", repr(training))
    origin: Any = card.origin
    return Facts(card.name, spec, origin, card.licence, card.provenance, card.languages, training)


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
