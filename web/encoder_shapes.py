"""Encoders as JSON: what is in the library, how kinds are trained; the same in the API and in `--json`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import Field

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.library import Installed
from training.trainers import trainers
from web.shapes import Shape


class KindShape(Shape):
    """A kind of encoder. `trained_from` is "" where it is only loaded."""

    kind: str
    trained_from: str = Field(description="texts, translations, views, or empty where it is not trained here.")
    summary: str
    base: str = Field(description="The encoder that training builds on by default.")
    settings: dict[str, Any] = Field(description="What training may be told, with the defaults.")


class InstalledShape(Shape):
    """An encoder of the library, asked for by its name."""

    name: str
    kind: str
    title: str
    fingerprint: str
    origin: str
    licence: str
    provenance: str
    languages: list[str]
    bytes: int
    created: datetime
    collections: list[str] = Field(description="Those that have vectors of it.")


class CardShape(Shape):
    """A loaded encoder's facts."""

    fingerprint: str
    card: dict[str, Any]


def kinds() -> list[KindShape]:
    """Every kind, in order of name."""
    trained = trainers()
    return [
        KindShape(
            kind=kind,
            trained_from=trained[kind].reads if kind in trained else "",
            summary=trained[kind].summary if kind in trained else "",
            base=trained[kind].base if kind in trained else "",
            settings=trained[kind].defaults if kind in trained else {},
        )
        for kind in registry.available()
    ]


def installed(found: Installed, collections: list[str]) -> InstalledShape:
    card = found.card
    return InstalledShape(
        name=found.name,
        kind=card.kind,
        title=card.name,
        fingerprint=card.fingerprint,
        origin=card.origin,
        licence=card.licence,
        provenance=card.provenance,
        languages=list(card.languages),
        bytes=found.bytes,
        created=found.created,
        collections=collections,
    )


def card(encoder: Encoder) -> CardShape:
    return CardShape(fingerprint=encoder.fingerprint(), card=asdict(encoder.info))
