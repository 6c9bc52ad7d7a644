"""Saved searches: kept under a name, run again, and what is new in them."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, jsonify
from pydantic import BaseModel, Field

from riparian.types import Mode
from search.request import MOST_WITHIN, SearchRequest
from search.saved import queued, request_of
from web import shapes, steering_shapes
from web.api.answers import accepted, no_content
from web.api.blueprint import api, problems, tag
from web.api.collections import job_of
from web.api.params import FILTERS, CollectionPath, Id, Line, Nothing, Parameters, Text
from web.job_shapes import JobShape
from web.shapes import AnswerShape, Shape
from web.steering_shapes import SavedSearchShape
from web.wiring import services

SAVED = tag("saved searches", "Searches under a name, and what is new in them.")

LONGEST_QUERY = 10_000


class SavedSearchesShape(Shape):
    """By name."""

    searches: list[SavedSearchShape]


class SavedPath(BaseModel):
    saved_id: Id


class SaveBody(Parameters):
    name: Line = Field(min_length=1, max_length=200)
    q: Text = Field(min_length=1, max_length=LONGEST_QUERY, description="What is looked for.")
    mode: Mode = Mode.HYBRID
    filter: list[Line] = Field(default_factory=list, max_length=20, description=FILTERS)
    weight: float | None = Field(None, ge=0, le=1)
    within: list[Text] = Field(default_factory=list, max_length=MOST_WITHIN)
    feedback: bool = True
    author: Line = Field("", max_length=100)


class RunQuery(Parameters):
    k: int = Field(10, ge=1, le=1000)
    look: bool = Field(False, description="From now on, only what comes later is new.")


@api.get("/collections/<name>/saved", tags=SAVED, responses={200: SavedSearchesShape})
def list_saved(path: CollectionPath) -> Response:
    """The saved searches of a collection, with how many new hits each has"""
    with services().database.read() as catalog:
        found = catalog.saved.all(catalog.collections.named(path.name).id)
    kept = [steering_shapes.saved_search(one, path.name) for one in found]
    return jsonify(SavedSearchesShape(searches=kept).json_value())


@api.post("/collections/<name>/saved", tags=SAVED, responses={201: SavedSearchShape, **problems(409)})
def save_search(path: CollectionPath, body: SaveBody) -> Response:
    """Save a search under a name; what it finds now counts as seen"""
    request = SearchRequest(
        path.name, body.q, body.mode, weight=body.weight, within=tuple(body.within), feedback=body.feedback
    )
    saved = services().saved.save(body.name, request, body.filter, author=body.author)
    response = jsonify(steering_shapes.saved_search(saved, path.name).json_value())
    response.status_code = 201
    return response


@api.post("/collections/<name>/saved/check", tags=SAVED, responses={202: JobShape})
def check_saved(path: CollectionPath, body: Nothing) -> Response:
    """Queue looking for new hits of every saved search; indexing does so by itself"""
    with services().database.write() as catalog:
        job = queued(catalog, catalog.collections.named(path.name).id)
    return accepted(job_of(job))


@api.get("/saved/<saved_id>", tags=SAVED, responses={200: SavedSearchShape})
def get_saved(path: SavedPath) -> Response:
    """One saved search"""
    with services().database.read() as catalog:
        saved = catalog.saved.get(path.saved_id)
        collection = catalog.collections.get(saved.collection_id).name
    return jsonify(steering_shapes.saved_search(saved, collection).json_value())


@api.post("/saved/<saved_id>/run", tags=SAVED, responses={200: AnswerShape})
def run_saved(path: SavedPath, body: RunQuery) -> Response:
    """The hits of a saved search as of now"""
    with services().database.read() as catalog:
        saved = catalog.saved.get(path.saved_id)
        collection = catalog.collections.get(saved.collection_id).name
    answer = services().search.search(replace(request_of(collection, saved), k=body.k))
    if body.look:
        with services().database.write() as catalog:
            catalog.saved.look(saved.id)
    return jsonify(shapes.answer(answer).json_value())


@api.post("/saved/<saved_id>/look", tags=SAVED, responses={200: SavedSearchShape})
def look_at_saved(path: SavedPath, body: Nothing) -> Response:
    """Count what is there as seen"""
    with services().database.write() as catalog:
        catalog.saved.look(path.saved_id)
        saved = catalog.saved.get(path.saved_id)
        collection = catalog.collections.get(saved.collection_id).name
    return jsonify(steering_shapes.saved_search(saved, collection).json_value())


@api.delete("/saved/<saved_id>", tags=SAVED, responses={204: None})
def remove_saved(path: SavedPath) -> Response:
    """Forget a saved search"""
    with services().database.write() as catalog:
        catalog.saved.remove(path.saved_id)
    return no_content()
