"""Encoders: the kinds that can be asked for, and those that vectors were made with."""

from __future__ import annotations

from flask import Response, jsonify

from riparian.encoders import registry
from web import shapes
from web.api.blueprint import api, tag
from web.shapes import EncoderShape, Shape
from web.wiring import services

ENCODERS = tag("encoders", "What turns texts into vectors.")


class EncodersShape(Shape):
    """`kinds` can be named for a new collection; `encoders` made vectors here, each with its card."""

    default: str
    kinds: list[str]
    encoders: list[EncoderShape]


@api.get("/encoders", tags=ENCODERS, responses={200: EncodersShape})
def list_encoders() -> Response:
    """Kinds of encoders, and the encoders in use with their cards"""
    parts = services()
    with parts.database.read() as catalog:
        stored = [shapes.encoder(encoder) for encoder in catalog.encoders.all()]
    found = EncodersShape(default=parts.settings.encoder, kinds=list(registry.available()), encoders=stored)
    return jsonify(found.json_value())
