"""What the card of an encoder says about its weights, whatever the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from riparian.encoders.storage import CARD, Card
from riparian.errors import BadWeights

Origin = Literal["published", "trained-here", "fine-tuned"]


@dataclass(frozen=True, slots=True)
class Facts:
    """`training` is the report of the training, empty for published weights."""

    name: str
    spec: str
    origin: Origin
    licence: str
    provenance: str
    languages: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)

    def extra(self) -> dict[str, Any]:
        """The report as a part of `EncoderInfo.extra`; nothing where there is none."""
        return {"training": dict(self.training)} if self.training else {}


def saved_facts(card: Card, spec: str, folder: Path) -> Facts:
    """The facts of a saved folder; one without a report was not trained here. Raises BadWeights for a card that cannot
    be."""
    path = folder / CARD
    training = card.settings.get("training", {})
    if card.origin not in get_args(Origin):
        raise BadWeights(path, "the origin of the weights", repr(card.origin))
    if not isinstance(training, dict):
        raise BadWeights(path, "an object under settings.training", repr(training))
    origin: Any = card.origin
    return Facts(card.name, spec, origin, card.licence, card.provenance, card.languages, training)
