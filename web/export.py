"""Whole collections as NDJSON or CSV, row by row: the same rows over HTTP and on the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.types import EVERYTHING, Collection, Filters, PassageId, TopicId
from web import shapes, topic_shapes

_BATCH = 500
# a spreadsheet runs a cell that begins with one of these as a formula; the last four are their full-width forms
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = Mapping[str, Any]


class What(StrEnum):
    """What is exported."""

    DOCUMENTS = "documents"
    PASSAGES = "passages"
    TOPICS = "topics"


class Form(StrEnum):
    """How: `ndjson` for programs (one JSON object a line), `csv` for spreadsheets."""

    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES = {Form.NDJSON: "application/x-ndjson", Form.CSV: "text/csv"}

COLUMNS: Mapping[What, tuple[str, ...]] = {
    What.DOCUMENTS: (
        "id", "title", "name", "source", "date", "author", "language", "type", "collection", "length", "digest",
        "parent", "duplicate_group", "metadata",
    ),
    What.PASSAGES: ("id", "document", "source", "title", "position", "start", "end", "topic", "topic_label", "text"),
    What.TOPICS: ("id", "number", "label", "words", "share", "passages", "documents", "coherence"),
}  # fmt: skip


def export(database: Database, collection: str, what: What, form: Form, filters: Filters = EVERYTHING) -> Iterator[str]:
    """Lines of text, ends included. UnknownCollection and NoTopicsYet are raised here, not after the first line.

    All rows are of one state of the catalog. Topics know no filters.
    """
    with database.read() as catalog:
        found = catalog.collections.named(collection)
        if what is What.TOPICS:
            catalog.topics.active_model(found.id)
    rows = _rows(database, found, what, filters)
    return ndjson_lines(rows) if form is Form.NDJSON else csv_lines(rows, COLUMNS[what])


def _rows(database: Database, collection: Collection, what: What, filters: Filters) -> Iterator[Row]:
    read: Callable[[Catalog, Collection, Filters], Iterator[Row]] = {
        What.DOCUMENTS: _documents,
        What.PASSAGES: _passages,
        What.TOPICS: _topics,
    }[what]
    with database.read() as catalog:
        yield from read(catalog, collection, filters)


def _documents(catalog: Catalog, collection: Collection, filters: Filters) -> Iterator[Row]:
    after = 0
    while page := catalog.documents.page(collection.id, filters, limit=_BATCH, after=after):
        for document in page:
            yield shapes.document(document, collection.name).json_value()
        after = page[-1].id


def _passages(catalog: Catalog, collection: Collection, filters: Filters) -> Iterator[Row]:
    ids = catalog.passages.ids(collection.id, filters).tolist()
    for begin in range(0, len(ids), _BATCH):
        passages = catalog.passages.many(ids[begin : begin + _BATCH])
        documents = catalog.documents.many({passage.document_id for passage in passages.values()})
        topics, labels = _main_topics(catalog, collection, list(passages))
        for passage in passages.values():
            document, topic = documents[passage.document_id], topics.get(passage.id)
            yield {
                "id": passage.id,
                "document": document.id,
                "source": document.source,
                "title": document.title,
                "position": passage.position,
                "start": passage.start,
                "end": passage.end,
                "topic": topic,
                "topic_label": labels.get(topic, "") if topic is not None else "",
                "text": passage.text,
            }


def _main_topics(
    catalog: Catalog, collection: Collection, passages: list[PassageId]
) -> tuple[Mapping[PassageId, TopicId], Mapping[TopicId, str]]:
    """The main topic of each passage in the active model, and the labels; empty where there is no model."""
    models = [model for model in catalog.topics.models(collection.id) if model.active]
    if not models:
        return {}, {}
    mixtures = catalog.topics.of_passages(models[0].id, passages)
    labels = {topic.id: topic.label for topic in catalog.topics.of_model(models[0].id)}
    return {passage: mixture[0].topic_id for passage, mixture in mixtures.items() if mixture}, labels


def _topics(catalog: Catalog, collection: Collection, _filters: Filters) -> Iterator[Row]:
    for topic in catalog.topics.of_model(catalog.topics.active_model(collection.id).id):
        value = topic_shapes.topic(topic).json_value()
        yield {name: value[name] for name in COLUMNS[What.TOPICS]}


def ndjson_lines(rows: Iterable[Row]) -> Iterator[str]:
    """A JSON object a line."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def csv_lines(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[str]:
    """RFC 4180, with a head; no cell is taken for a formula by a spreadsheet."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    for values in _cells(rows, columns):
        line.seek(0)
        line.truncate()
        writer.writerow(values)
        yield line.getvalue()


def _cells(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[list[str]]:
    yield list(columns)
    for row in rows:
        yield [_cell(row[name]) for name in columns]


def _cell(value: Any) -> str:
    """Text of a cell that no spreadsheet takes for a formula; numbers stay as they are."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        value = " ".join(map(str, value))
    elif isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    return f"'{value}" if str(value).startswith(_FORMULA_STARTS) else str(value)
