"""Export of everything a collection holds, streamed."""

from __future__ import annotations

from flask import Response
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field

from riparian.catalog.filters import parse
from web import export as exports
from web.api.blueprint import api, tag
from web.api.params import Line, Parameters
from web.export import MEDIA_TYPES, Form, What
from web.wiring import services

EXPORT = tag("export", "Everything a collection holds, row by row.")


class ExportPath(BaseModel):
    name: Line
    what: What


class ExportQuery(Parameters):
    format: Form = Form.NDJSON
    filter: list[Line] = Field(default_factory=list, max_length=20, description="As in a search; not for topics.")


_STREAM: ResponseDict = {
    200: {
        "description": "One JSON object a line, or comma-separated values in which no cell is a formula.",
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
    }
}


@api.get("/collections/<name>/export/<what>", tags=EXPORT, responses=_STREAM)
def export(path: ExportPath, query: ExportQuery) -> Response:
    """Documents, passages or topics as NDJSON or CSV"""
    lines = exports.export(services().database, path.name, path.what, query.format, parse(query.filter))
    response = Response(lines, mimetype=MEDIA_TYPES[query.format])
    # the file name is made of fixed words: a collection's name never reaches this header
    response.headers["Content-Disposition"] = f'attachment; filename="riparian-{path.what}.{query.format}"'
    return response
