"""The reading list: hits, passages and documents put aside, with notes and tags."""

from __future__ import annotations

from flask import Response, jsonify, request
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from riparian.catalog.reading import LONGEST_NOTE, MOST_TAGS
from riparian.errors import Invalid
from riparian.types import DocumentId, PassageId
from web import reading, steering_shapes
from web.api.answers import no_content
from web.api.blueprint import api, tag
from web.api.params import CollectionPath, Id, Line, Parameters, Text
from web.reading import MEDIA_TYPES, ReadingForm
from web.shapes import Shape
from web.steering_shapes import ReadingShape
from web.wiring import services

READING = tag("reading list", "What was put aside, with notes and tags.")


class ReadingListShape(Shape):
    """The item put aside last first; `tags` with how many items of the collection carry each."""

    items: list[ReadingShape]
    tags: dict[str, int]


class ReadingPath(BaseModel):
    item_id: Id


class ReadingQuery(Parameters):
    tag: Line = Field("", max_length=100, description="Only what carries this tag.")


class ReadingExport(ReadingQuery):
    format: ReadingForm = ReadingForm.CSV


class ReadingBody(Parameters):
    """A passage, whose document comes with it, or a document."""

    document: Id | None = None
    passage: Id | None = None
    query: Text = Field("", max_length=10_000, description="The search that found it.")
    note: Text = Field("", max_length=LONGEST_NOTE)
    tags: list[Line] = Field(default_factory=list, max_length=MOST_TAGS)
    author: Line = Field("", max_length=100)


class ReadingChange(Parameters):
    note: Text | None = Field(None, max_length=LONGEST_NOTE)
    tags: list[Line] | None = Field(None, max_length=MOST_TAGS)


_FILE: ResponseDict = {
    200: {
        "description": "The list as a file.",
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
    }
}


@api.get("/collections/<name>/reading", tags=READING, responses={200: ReadingListShape})
def list_reading(path: CollectionPath, query: ReadingQuery) -> Response:
    """The reading list of a collection"""
    with services().database.read() as catalog:
        collection = catalog.collections.named(path.name).id
        items, tags = catalog.reading.all(collection, query.tag), catalog.reading.tags(collection)
    shapes = [steering_shapes.reading_item(one, path.name) for one in items]
    return jsonify(ReadingListShape(items=shapes, tags=tags).json_value())


@api.post("/collections/<name>/reading", tags=READING, responses={201: ReadingShape})
def put_aside(path: CollectionPath, body: ReadingBody) -> Response:
    """Put a passage or document aside"""
    with services().database.write() as catalog:
        collection = catalog.collections.named(path.name).id
        item = catalog.reading.add(
            DocumentId(body.document) if body.document is not None else None,
            PassageId(body.passage) if body.passage is not None else None,
            query=body.query,
            note=body.note,
            tags=body.tags,
            author=body.author,
        )
        if item.collection_id != collection:
            raise Invalid(f"that belongs to another collection than {path.name!r}")
    response = jsonify(steering_shapes.reading_item(item, path.name).json_value())
    response.status_code = 201
    return response


@api.get("/collections/<name>/reading/export", tags=READING, responses=_FILE)
def export_reading(path: CollectionPath, query: ReadingExport) -> Response:
    """The reading list as CSV, JSONL, BibTeX, RIS or Markdown"""
    with services().database.read() as catalog:
        items = reading.shelved(catalog, catalog.collections.named(path.name).id, query.tag)
    text = reading.written(items, query.format, request.host_url.rstrip("/"))
    response = Response(text, mimetype=MEDIA_TYPES[query.format])
    ending = reading.ENDINGS.get(query.format, query.format.value)
    response.headers["Content-Disposition"] = f'attachment; filename="riparian-reading.{ending}"'
    return response


@api.get("/reading/<item_id>", tags=READING, responses={200: ReadingShape})
def get_reading_item(path: ReadingPath) -> Response:
    """One item"""
    with services().database.read() as catalog:
        item = catalog.reading.get(path.item_id)
        collection = catalog.collections.get(item.collection_id).name
    return jsonify(steering_shapes.reading_item(item, collection).json_value())


@api.patch("/reading/<item_id>", tags=READING, responses={200: ReadingShape})
def change_reading_item(path: ReadingPath, body: ReadingChange) -> Response:
    """Give an item another note or other tags"""
    with services().database.write() as catalog:
        item = catalog.reading.change(path.item_id, note=body.note, tags=body.tags)
        collection = catalog.collections.get(item.collection_id).name
    return jsonify(steering_shapes.reading_item(item, collection).json_value())


@api.delete("/reading/<item_id>", tags=READING, responses={204: None})
def remove_reading_item(path: ReadingPath) -> Response:
    """Take an item off the list"""
    with services().database.write() as catalog:
        catalog.reading.remove(path.item_id)
    return no_content()
