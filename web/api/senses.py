"""Senses of a word in a collection: finding them, dividing them otherwise, saving one, change over time."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.catalog.senses import SenseId, SenseWordId
from senses.service import Found
from web import sense_shapes
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, Line, Parameters, SmallId
from web.job_shapes import JobShape
from web.sense_shapes import SenseShape, SensesShape
from web.shapes import Shape
from web.wiring import services

SENSES = tag("senses", "What a word means in a collection.")
AT_ONCE = 500
"""Sentences that a request encodes itself; more are a job."""


class WordQuery(Parameters):
    word: Line = Field(min_length=1, description="A word form, or a term of up to five words.")
    lemma: bool = Field(False, description="All forms of the word.")


class FindBody(Parameters):
    word: Line = Field(min_length=1, description="A word form, or a term of up to five words.")
    lemma: bool = Field(False, description="All forms of the word.")
    senses: int | None = Field(None, ge=1, le=100, description="Divide into so many.")
    anew: bool = Field(False, description="Find them again; names and divisions made by hand are lost.")


class SensePath(Parameters):
    sense_id: SmallId


class SenseWordPath(Parameters):
    word_id: SmallId


class SaveBody(Parameters):
    name: Line = Field(max_length=200, description='Keeps the sense under this name; "" forgets it.')


class MergeBody(Parameters):
    senses: list[SmallId] = Field(min_length=2, max_length=100)


class SavedShape(Shape):
    senses: list[SenseShape]


@api.get("/collections/<name>/senses", tags=SENSES, responses={200: SensesShape, 202: JobShape})
def get_senses(path: CollectionPath, query: WordQuery) -> Response:
    """The senses of a word; 202 with a job where many sentences have to be encoded first"""
    parts = services()
    known = parts.senses.known(path.name, query.word, lemma=query.lemma)
    if known is not None:
        return _answer(known)
    with parts.gate:
        if parts.senses.to_encode(path.name, query.word, lemma=query.lemma) <= AT_ONCE:
            return _answer(parts.senses.find(path.name, query.word, lemma=query.lemma))
    return accepted(job_of(parts.senses.queue(path.name, query.word, lemma=query.lemma)))


@api.post("/collections/<name>/senses", tags=SENSES, responses={202: JobShape})
def find_senses(path: CollectionPath, body: FindBody) -> Response:
    """Queue finding the senses of a word, or dividing them into so many"""
    job = services().senses.queue(path.name, body.word, lemma=body.lemma, senses=body.senses, anew=body.anew)
    return accepted(job_of(job))


@api.get("/collections/<name>/senses/saved", tags=SENSES, responses={200: SavedShape})
def list_saved_senses(path: CollectionPath) -> Response:
    """Senses that were saved under a name"""
    with services().database.read() as catalog:
        found = catalog.senses.saved(catalog.collections.named(path.name).id)
        return jsonify(SavedShape(senses=sense_shapes.many(catalog, found)).json_value())


@api.get("/senses/<sense_id>", tags=SENSES, responses={200: SenseShape})
def get_sense(path: SensePath) -> Response:
    """One sense with its company and examples"""
    return _one(SenseId(path.sense_id))


@api.patch("/senses/<sense_id>", tags=SENSES, responses={200: SenseShape})
def save_sense(path: SensePath, body: SaveBody) -> Response:
    """Save a sense under a name: new documents are given it from now on"""
    services().senses.save(SenseId(path.sense_id), body.name)
    return _one(SenseId(path.sense_id))


@api.post("/senses/merge", tags=SENSES, responses={200: SensesShape})
def merge_senses(body: MergeBody) -> Response:
    """Take senses of one word for one"""
    parts = services()
    with parts.gate:
        return _answer(parts.senses.merge([SenseId(one) for one in body.senses]))


@api.post("/senses/<sense_id>/split", tags=SENSES, responses={200: SensesShape})
def split_sense(path: SensePath) -> Response:
    """Divide a sense in two, where it was joined last"""
    parts = services()
    with parts.gate:
        return _answer(parts.senses.split(SenseId(path.sense_id)))


@api.post("/senses/words/<word_id>/undo", tags=SENSES, responses={200: SensesShape})
def undo_senses(path: SenseWordPath) -> Response:
    """Take back the last division of a word that was made by hand"""
    return _answer(services().senses.undo(SenseWordId(path.word_id)))


def _one(sense_id: SenseId) -> Response:
    with services().database.read() as catalog:
        sense = catalog.senses.get(sense_id)
        total = sum(one.count for one in catalog.senses.of_word(sense.word_id))
        [shape] = sense_shapes.many(catalog, [sense], total)
        return jsonify(shape.json_value())


def _answer(found: Found) -> Response:
    parts = services()
    changed = parts.senses.change(found.word.id)
    with parts.database.read() as catalog:
        return jsonify(sense_shapes.senses(catalog, found, changed).json_value())
