"""Encoders: the kinds that can be asked for, the library of those made here, and those that vectors were made with."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from training.service import Wish
from training.tuning import TuneWish
from web import encoder_shapes
from web.api.answers import accepted, no_content
from web.api.blueprint import api, problems, tag
from web.api.collections import job_of
from web.api.params import Line, Parameters
from web.encoder_shapes import EncoderShape, InstalledShape, KindShape
from web.job_shapes import JobShape
from web.shapes import Shape
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


class TuneBody(Parameters):
    encoder: Line = Field(min_length=1, description="What is tuned: a kind, a name, a folder or a hub id.")
    name: Line = Field(min_length=1, max_length=64, description="What to call the new encoder.")
    recipe: Line = Field("mirror", description="mirror, simcse, tsdae, mlm or pairs.")
    collection: Line | None = Field(None, description="Learn from its documents.")
    paths: list[Line] = Field(
        default_factory=list, max_length=100, description="Learn from files and folders of the machine that serves."
    )
    pairs: list[Line] = Field(
        default_factory=list, max_length=100, description="Files of pairs: columns first, second."
    )
    judgments: bool = Field(False, description="Recipe pairs: learn from what was judged relevant in the collection.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Of the recipe.")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    force: bool = Field(False, description="Keep the result although it is not better.")


class CompareBody(Parameters):
    encoders: list[Line] = Field(min_length=1, max_length=4, description="One is judged, two to four are compared.")
    collection: Line
    queries: list[Line] = Field(default_factory=list, max_length=20, description="Show what each finds first.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class BankBody(Parameters):
    encoders: list[Line] = Field(min_length=1, max_length=20)
    occurrences: Line = Field("", description="A file of labelled occurrences; sentences that come along without one.")
    words: list[Line] = Field(default_factory=list, max_length=100, description="Only these words of the file.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class EstimateBody(Parameters):
    encoders: list[Line] = Field(min_length=1, max_length=20)
    collection: Line | None = None
    paths: list[Line] = Field(default_factory=list, max_length=100)


@api.get("/encoders", tags=ENCODERS, responses={200: EncodersShape})
def list_encoders() -> Response:
    """Kinds of encoders, those trained or added here, and those in use with their cards"""
    parts = services()
    with parts.database.read() as catalog:
        stored = [encoder_shapes.encoder(encoder) for encoder in catalog.encoders.all()]
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


@api.post("/encoders/tune", tags=ENCODERS, responses={202: JobShape})
def tune_encoder(body: TuneBody) -> Response:
    """Queue fine-tuning an encoder; the result is kept if it is better on held-out documents"""
    return accepted(job_of(services().tuning.tune(TuneWish(**body.model_dump()))))


@api.post("/encoders/compare", tags=ENCODERS, responses={202: JobShape})
def compare_encoders(body: CompareBody) -> Response:
    """Queue comparing encoders over a collection without labels"""
    benches = services().benches
    if len(set(body.encoders)) == 1:
        return accepted(job_of(benches.evaluate(body.collection, body.encoders[0], body.queries, body.seed)))
    return accepted(job_of(benches.compare(body.collection, body.encoders, body.queries, body.seed)))


@api.post("/encoders/bank", tags=ENCODERS, responses={202: JobShape})
def bank_encoders(body: BankBody) -> Response:
    """Queue the bank bench: does an encoder tell the meanings of a word apart?"""
    benches = services().benches
    return accepted(job_of(benches.bank(body.encoders, body.occurrences, body.words, body.seed)))


@api.post("/encoders/estimate", tags=ENCODERS, responses={202: JobShape})
def estimate_encoders(body: EstimateBody) -> Response:
    """Queue telling the time and room that indexing with encoders would take"""
    job = services().benches.estimate(body.encoders, collection=body.collection, paths=body.paths)
    return accepted(job_of(job))
