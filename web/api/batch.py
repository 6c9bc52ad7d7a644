"""Many queries at once, and hits as files."""

from __future__ import annotations

from flask import Response, request
from flask_openapi3.models.file import FileStorage
from flask_openapi3.types import ResponseDict
from pydantic import ConfigDict, Field

from riparian.catalog.filters import parse
from riparian.errors import UnreadableFile
from riparian.types import Mode
from search.request import LONGEST_PAGE, SearchRequest
from web import batch, hit_export
from web.api.blueprint import api
from web.api.params import FILTERS, CollectionPath, Line, Parameters, Text
from web.api.search import LONGEST_QUERY, SEARCH, Query, request_of
from web.batch import BatchForm, BatchQuery
from web.hit_export import HitForm
from web.wiring import services


class BatchItem(Parameters):
    id: Line = Field("", max_length=200, description="What the answer calls it; its number in order where empty.")
    q: Text = Field(min_length=1, max_length=LONGEST_QUERY)
    mode: Mode | None = None
    filter: list[Line] = Field(default_factory=list, max_length=20)


class Asking(Parameters):
    k: int = Field(10, ge=1, le=LONGEST_PAGE, description="Hits of a query at most.")
    mode: Mode = Mode.HYBRID
    format: BatchForm = Field(BatchForm.JSONL, description="csv: a row a hit; jsonl: a line a query; trec: a run.")


class BatchBody(Asking):
    queries: list[BatchItem] = Field(min_length=1, max_length=batch.MOST)
    filter: list[Line] = Field(default_factory=list, max_length=20, description=FILTERS)


class BatchUpload(Asking):
    """A CSV with a column `query`, and `id`, `mode`, `filter` where wanted."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: FileStorage


class HitExport(Query):
    format: HitForm = HitForm.CSV


def _file(media: dict[str, str] | list[str], binary: bool = False) -> ResponseDict:
    schema = {"type": "string", "format": "binary"} if binary else {"type": "string"}
    return {200: {"description": "A file.", "content": {one: {"schema": schema} for one in media}}}


@api.get(
    "/collections/<name>/search/export",
    tags=SEARCH,
    responses=_file(list(hit_export.MEDIA_TYPES.values()), binary=True),
)
def export_hits(path: CollectionPath, query: HitExport) -> Response:
    """Hits of a query as CSV, JSONL, Parquet, BibTeX, RIS or a TREC run"""
    answer = services().search.search(request_of(path.name, query))
    return attachment(hit_export.written(answer, query.format, request.host_url.rstrip("/")), query.format)


@api.post("/collections/<name>/batch", tags=SEARCH, responses=_file(list(batch.MEDIA_TYPES.values())))
def search_batch(path: CollectionPath, body: BatchBody) -> Response:
    """Hits of many queries, written as they are answered"""
    queries = [
        BatchQuery(one.id or str(number), one.q, one.mode, tuple(one.filter))
        for number, one in enumerate(body.queries, start=1)
    ]
    return _streamed(path.name, body, batch.checked(queries), body.filter)


@api.post("/collections/<name>/batch/upload", tags=SEARCH, responses=_file(list(batch.MEDIA_TYPES.values())))
def upload_batch(path: CollectionPath, form: BatchUpload) -> Response:
    """The same of an uploaded CSV (multipart/form-data)"""
    try:
        text = form.file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(form.file.filename or "upload", f"no text in UTF-8: {error}") from error
    return _streamed(path.name, form, batch.read_table(text.replace("\x00", "")), [])


def attachment(content: bytes, form: HitForm) -> Response:
    response = Response(content, mimetype=hit_export.MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="riparian-hits.{hit_export.ending(form)}"'
    return response


def _streamed(name: str, asking: Asking, queries: list[BatchQuery], filters: list[str]) -> Response:
    parts = services()
    with parts.database.read() as catalog:
        catalog.collections.named(name)
    usual = SearchRequest(name, "", asking.mode, k=asking.k, sentences=False)
    asked = batch.ask(parts.search.search, usual, queries, parse(filters))
    lines = batch.lines(asked, asking.format, request.host_url.rstrip("/"))
    response = Response(lines, mimetype=batch.MEDIA_TYPES[asking.format])
    response.headers["Content-Disposition"] = f'attachment; filename="riparian-batch.{asking.format}"'
    return response
