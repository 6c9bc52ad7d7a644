"""Encoders: the kinds that can be asked for, the library of those made here, and those that vectors were made with."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from training.service import Wish
from web import encoder_shapes, shapes
from web.api.answers import accepted, no_content
from web.api.blueprint import api, problems, tag
from web.api.collections import job_of
from web.api.params import Line, Parameters
from web.encoder_shapes import InstalledShape, KindShape
from web.shapes import EncoderShape, JobShape, Shape
from web.wiring import services

ENCODERS = tag("encoders", "What turns texts into vectors.")


class EncodersShape(Shape):
    """`kinds` can be named for a new collection, `installed` too, by their names; `encoders` made vectors here."""

    default: str
    kinds: list[str]
    trainable: list[KindShape]
    installed: list[InstalledShape]
    encoders: list[EncoderShape]


class EncoderPath(BaseModel):
    encoder: Line = Field(description="The name of an encoder of the library.")


class TrainBody(Parameters):
    kind: Line = Field(description="A kind that is trained from text.")
    name: Line = Field(min_length=1, max_length=64, description="What to call the new encoder.")
    collection: Line | None = Field(None, description="Learn from its documents.")
    paths: list[Line] = Field(
        default_factory=list, max_length=100, description="Learn from files and folders of the machine that serves."
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="See `trainable` of the list of encoders.")
    minutes: float | None = Field(None, gt=0, le=24 * 60, description="About how long it may take.")
    base: Line = Field("", description="The encoder to build on, where the kind builds on one.")
    tags: list[Line] = Field(default_factory=list, max_length=100, description="cvt: files of tagged words.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


@api.get("/encoders", tags=ENCODERS, responses={200: EncodersShape})
def list_encoders() -> Response:
    """Kinds of encoders, those trained or added here, and those in use with their cards"""
    parts = services()
    with parts.database.read() as catalog:
        stored = [shapes.encoder(encoder) for encoder in catalog.encoders.all()]
    kinds = encoder_shapes.kinds()
    found = EncodersShape(
        default=parts.settings.encoder,
        kinds=[kind.kind for kind in kinds],
        trainable=[kind for kind in kinds if kind.trained_from],
        installed=[
            encoder_shapes.installed(one, parts.training.users(one)) for one in parts.training.library.installed()
        ],
        encoders=stored,
    )
    return jsonify(found.json_value())


@api.get("/encoders/<encoder>", tags=ENCODERS, responses={200: InstalledShape})
def get_encoder(path: EncoderPath) -> Response:
    """One encoder of the library"""
    training = services().training
    found = training.library.get(path.encoder)
    return jsonify(encoder_shapes.installed(found, training.users(found)).json_value())


@api.delete("/encoders/<encoder>", tags=ENCODERS, responses={204: None, **problems(409)})
def remove_encoder(path: EncoderPath) -> Response:
    """Delete an encoder of the library that no collection uses"""
    services().training.remove(path.encoder)
    return no_content()


@api.post("/encoders/train", tags=ENCODERS, responses={202: JobShape})
def train_encoder(body: TrainBody) -> Response:
    """Queue training a new encoder; asked again after a stop, it goes on where it was"""
    return accepted(job_of(services().training.train(Wish(**body.model_dump()))))
