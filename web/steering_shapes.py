"""What people say about an archive, as JSON: judgments, saved searches, the reading list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from riparian.catalog import judgments as kept
from riparian.catalog import reading, saved
from web.shapes import Shape


class JudgmentShape(Shape):
    """How relevant a document was found for a query. `document` is null while it is not in the collection."""

    id: int
    query: str
    document: int | None
    passage: int | None
    source: str
    grade: float = Field(description="0 = not relevant; above 0 = relevant, the more the higher.")
    author: str
    created: datetime


class JudgedQueryShape(Shape):
    query: str
    relevant: int
    irrelevant: int
    latest: datetime


class FreshShape(Shape):
    """A hit whose passage came since somebody last looked."""

    document: int
    passage: int


class SavedSearchShape(Shape):
    """A search under a name; `new` counts its new hits as of the last check."""

    id: int
    collection: str
    name: str
    query: str
    options: Mapping[str, Any]
    author: str
    created: datetime
    looked: datetime
    checked: datetime | None
    new: int
    fresh: list[FreshShape]


class ReadingShape(Shape):
    """Something put aside. `document` is null where it was removed since; `title` and `source` are as of then."""

    id: int
    collection: str
    document: int | None
    passage: int | None
    title: str
    source: str
    query: str
    note: str
    tags: list[str]
    author: str
    created: datetime
    link: str = Field(description="Where it can be read, relative to the server; empty where it was removed.")


def judgment(value: kept.Judgment) -> JudgmentShape:
    return JudgmentShape(
        id=value.id,
        query=value.query,
        document=value.document_id,
        passage=value.passage_id,
        source=value.source,
        grade=value.grade,
        author=value.author,
        created=value.created,
    )


def judged_query(value: kept.JudgedQuery) -> JudgedQueryShape:
    return JudgedQueryShape(
        query=value.query, relevant=value.relevant, irrelevant=value.irrelevant, latest=value.latest
    )


def saved_search(value: saved.SavedSearch, collection: str) -> SavedSearchShape:
    return SavedSearchShape(
        id=value.id,
        collection=collection,
        name=value.name,
        query=value.query,
        options=value.options,
        author=value.author,
        created=value.created,
        looked=value.looked,
        checked=value.checked,
        new=len(value.fresh),
        fresh=[FreshShape(document=hit.document_id, passage=hit.passage_id) for hit in value.fresh],
    )


def reading_item(value: reading.ReadingItem, collection: str) -> ReadingShape:
    return ReadingShape(
        id=value.id,
        collection=collection,
        document=value.document_id,
        passage=value.passage_id,
        title=value.title,
        source=value.source,
        query=value.query,
        note=value.note,
        tags=list(value.tags),
        author=value.author,
        created=value.created,
        link=link(value.document_id, value.passage_id),
    )


def link(document: int | None, passage: int | None) -> str:
    """The short address of a passage, or of a document."""
    if passage is not None:
        return f"/p/{passage}"
    return f"/d/{document}" if document is not None else ""
