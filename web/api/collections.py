"""Collections: list, make, look at, remove; bring up to date; what could not be read."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, jsonify
from pydantic import Field

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.errors import AlreadyExists
from riparian.types import Collection, Job, JobId
from web import collection_shapes
from web.api import paging
from web.api.answers import accepted, no_content
from web.api.blueprint import PREFIX, api, problems, tag
from web.api.params import CollectionPath, Line, Nothing, Paging, Parameters
from web.collection_shapes import CollectionShape, FailureShape
from web.job_shapes import JobShape
from web.languages import advice_on
from web.shapes import Shape
from web.wiring import services

COLLECTIONS = tag("collections", "Named sets of documents that are searched together.")


class CollectionsPage(Shape):
    collections: list[CollectionShape]


class FailuresPage(Shape):
    failures: list[FailureShape]
    next: str | None


class NewCollection(Parameters):
    name: Line = Field(min_length=1, max_length=100, description="Letters, digits, space, - _ . ; not taken yet.")
    encoder: Line | None = Field(
        None, description="An encoder's kind, folder or hub id; the configured one by default."
    )


class NewPaths(Parameters):
    paths: list[Line] = Field(min_length=1, max_length=100, description="Files and folders of the machine that serves.")


def shape_of(catalog: Catalog, collection: Collection) -> CollectionShape:
    encoder = catalog.encoders.get(collection.encoder_id).name if collection.encoder_id is not None else None
    return collection_shapes.collection(
        collection, encoder, catalog.documents.languages(collection.id), advice_on(catalog, collection)
    )


@api.get("/collections", tags=COLLECTIONS, responses={200: CollectionsPage})
def list_collections() -> Response:
    """Every collection by name"""
    with services().database.read() as catalog:
        found = [shape_of(catalog, collection) for collection in catalog.collections.all()]
    return jsonify(CollectionsPage(collections=found).json_value())


@api.get("/collections/<name>", tags=COLLECTIONS, responses={200: CollectionShape})
def get_collection(path: CollectionPath) -> Response:
    """One collection with its counts"""
    with services().database.read() as catalog:
        return jsonify(shape_of(catalog, catalog.collections.named(path.name)).json_value())


@api.get("/collections/<name>/failures", tags=COLLECTIONS, responses={200: FailuresPage})
def list_failures(path: CollectionPath, query: Paging) -> Response:
    """Files and members of files that could not be read, each with its reason"""
    begin = paging.decode(query.cursor)
    with services().database.read() as catalog:
        collection = catalog.collections.named(path.name)
        wanted = min(begin, collection.failures) + query.limit + 1
        found = catalog.files.failures(collection.id, limit=wanted)[begin:]
    cursor = paging.encode(begin + query.limit) if len(found) > query.limit else None
    page = FailuresPage(failures=[collection_shapes.failure(row) for row in found[: query.limit]], next=cursor)
    return paging.link_next(jsonify(page.json_value()), cursor)


@api.post("/collections", tags=COLLECTIONS, responses={201: CollectionShape, **problems(409)})
def create_collection(body: NewCollection) -> Response:
    """Make an empty collection"""
    parts = services()
    if body.name.strip() in {collection.name for collection in parts.collections()}:
        raise AlreadyExists(f"a collection named {body.name.strip()!r} exists already")
    made = parts.indexer.ensure_collection(body.name, body.encoder)
    with parts.database.read() as catalog:
        response = jsonify(shape_of(catalog, made).json_value())
    response.status_code = 201
    response.headers["Location"] = f"{PREFIX}/collections/{quote(made.name, safe='')}"
    return response


@api.delete("/collections/<name>", tags=COLLECTIONS, responses={204: None})
def remove_collection(path: CollectionPath) -> Response:
    """Remove a collection with all that was derived from it; the files it was made from stay"""
    services().indexer.remove(path.name)
    return no_content()


@api.post("/collections/<name>/files", tags=COLLECTIONS, responses={202: JobShape})
def add_files(path: CollectionPath, body: NewPaths) -> Response:
    """Queue the indexing of files and folders of the machine that serves"""
    with services().database.read() as catalog:
        catalog.collections.named(path.name)
    return accepted(job_of(services().indexer.add(path.name, body.paths)))


@api.post("/collections/<name>/sync", tags=COLLECTIONS, responses={202: JobShape})
def sync_collection(path: CollectionPath, body: Nothing) -> Response:
    """Queue a look at every path that was added: what is new, changed, renamed, gone"""
    return accepted(job_of(services().indexer.sync(path.name)))


def job_of(job_id: JobId) -> Job:
    with services().database.read() as catalog:
        return jobs.get(catalog, job_id)
