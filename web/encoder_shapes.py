"""Encoders as JSON: what is in the library, how kinds are trained; the same in the API and in `--json`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import Field

from indexer.bindings import Binding
from riparian.catalog.encoders import StoredEncoder
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.library import Installed
from training.trainers import trainers
from web.shapes import Shape


class EncoderShape(Shape):
    """An encoder that vectors were made with: the fingerprint binds, the card explains."""

    name: str
    kind: str
    spec: str
    fingerprint: str
    dimension: int
    card: dict[str, Any]


class BindingShape(Shape):
    """An encoder that a collection has vectors of. `active`: searches use it; `previous`: a rollback goes to it."""

    name: str
    kind: str
    spec: str
    fingerprint: str
    dimension: int
    vectors: int = Field(description="Passages that are embedded with it.")
    pending: int = Field(description="Passages that are not yet; a switch embeds them first.")
    generation: int | None
    active: bool
    previous: bool


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


def encoder(value: StoredEncoder) -> EncoderShape:
    return EncoderShape(
        name=value.name,
        kind=value.kind,
        spec=value.spec,
        fingerprint=value.fingerprint,
        dimension=value.dimension,
        card=dict(value.card),
    )


def binding(value: Binding) -> BindingShape:
    return BindingShape(
        name=value.encoder.name,
        kind=value.encoder.kind,
        spec=value.encoder.spec,
        fingerprint=value.encoder.fingerprint,
        dimension=value.encoder.dimension,
        vectors=value.vectors,
        pending=value.pending,
        generation=value.generation,
        active=value.active,
        previous=value.previous,
    )
