"""The encoders of a collection: which it has vectors of, re-indexing with another, the switch and the way back."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import BaseModel, Field

from indexer.bindings import Switched
from web import encoder_shapes
from web.api.answers import accepted, no_content
from web.api.blueprint import api, problems
from web.api.collections import COLLECTIONS, job_of, shape_of
from web.api.params import CollectionPath, Line, Nothing, Parameters
from web.collection_shapes import CollectionShape
from web.encoder_shapes import BindingShape
from web.job_shapes import JobShape
from web.shapes import Shape
from web.wiring import services


class BindingsShape(Shape):
    """The active encoder first."""

    encoders: list[BindingShape]


class Reindexing(Parameters):
    encoder: Line = Field(min_length=1, description="An encoder's kind, name, folder or hub id.")
    switch: bool = Field(True, description="Search with it once it is done; off: only make its vectors.")


class Choice(Parameters):
    encoder: Line = Field(
        min_length=1, description="Of those that the collection has vectors of: a name, a spec or a fingerprint."
    )


class BindingPath(BaseModel):
    name: Line
    fingerprint: Line = Field(description="Of the encoder; its first 8 digits are enough.")


@api.get("/collections/<name>/encoders", tags=COLLECTIONS, responses={200: BindingsShape})
def list_bindings(path: CollectionPath) -> Response:
    """The encoders that a collection has vectors of, and which of them searches use"""
    found = [encoder_shapes.binding(one) for one in services().indexer.encoders(path.name)]
    return jsonify(BindingsShape(encoders=found).json_value())


@api.post("/collections/<name>/encoders", tags=COLLECTIONS, responses={202: JobShape, **problems(409)})
def reindex_collection(path: CollectionPath, body: Reindexing) -> Response:
    """Queue embedding every passage with another encoder; searches use the one before until that is done"""
    return accepted(job_of(services().indexer.reindex(path.name, body.encoder, switch=body.switch)))


@api.put("/collections/<name>/encoder", tags=COLLECTIONS, responses={200: CollectionShape, 202: JobShape})
def switch_encoder(path: CollectionPath, body: Choice) -> Response:
    """Search with another of the collection's encoders: at once (200), or by a job that first embeds what came since
    (202)"""
    return _switched(path.name, services().indexer.switch(path.name, body.encoder))


@api.post("/collections/<name>/encoder/rollback", tags=COLLECTIONS, responses={200: CollectionShape, 202: JobShape})
def roll_back_encoder(path: CollectionPath, body: Nothing) -> Response:
    """Search with the encoder before the last switch again: at once (200), or by a job that first embeds what came
    since (202)"""
    return _switched(path.name, services().indexer.rollback(path.name))


@api.post("/collections/<name>/token-states", tags=COLLECTIONS, responses={202: JobShape})
def make_token_states(path: CollectionPath, body: Nothing) -> Response:
    """Queue making what re-ranking compares for the passages that have none of it"""
    return accepted(job_of(services().indexer.make_states(path.name)))


@api.delete("/collections/<name>/encoders/<fingerprint>", tags=COLLECTIONS, responses={204: None, **problems(409)})
def forget_encoder(path: BindingPath) -> Response:
    """Drop the vectors of an encoder that searches do not use"""
    services().indexer.forget_encoder(path.name, path.fingerprint)
    return no_content()


def _switched(name: str, done: Switched) -> Response:
    if done.job is not None:
        return accepted(job_of(done.job))
    with services().database.read() as catalog:
        return jsonify(shape_of(catalog, catalog.collections.named(name)).json_value())
