"""Judgments: which hits of a query were relevant. They move the answers to that query, measure and tune the search."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.catalog.judgments import HIGHEST_GRADE, IRRELEVANT, RELEVANT
from riparian.types import DocumentId, PassageId
from web import judging, steering_shapes
from web.api import paging
from web.api.blueprint import api, tag
from web.api.params import CollectionPath, Id, Line, Paging, Parameters, Text
from web.shapes import Shape
from web.steering_shapes import JudgedQueryShape, JudgmentShape
from web.wiring import services

JUDGMENTS = tag("judgments", "Which hits of a query were relevant.")

LONGEST_QUERY = 10_000
MOST = 10_000


class JudgmentsShape(Shape):
    judgments: list[JudgmentShape]
    next: str | None


class JudgedQueriesShape(Shape):
    """The query judged last first."""

    queries: list[JudgedQueryShape]


class Written(Shape):
    written: int


class Removed(Shape):
    removed: int


class JudgmentsQuery(Paging):
    query: Text = Field("", max_length=LONGEST_QUERY, description="Only those of this query.")


class JudgedItem(Parameters):
    """One judgment: of a passage, whose document is judged with it, or of a document."""

    query: Text = Field(min_length=1, max_length=LONGEST_QUERY)
    document: Id | None = None
    passage: Id | None = None
    grade: float = Field(RELEVANT, ge=IRRELEVANT, le=HIGHEST_GRADE, description="0 = not relevant.")


class JudgmentsBody(Parameters):
    """Ticks and crosses of a query by the numbers of passages, or any judgments."""

    query: Text = Field("", max_length=LONGEST_QUERY)
    relevant: list[Id] = Field(default_factory=list, max_length=MOST, description="Passages that were ticked.")
    irrelevant: list[Id] = Field(default_factory=list, max_length=MOST, description="Passages that were crossed.")
    judgments: list[JudgedItem] = Field(default_factory=list, max_length=MOST)
    author: Line = Field("", max_length=100)


class Retracted(Parameters):
    query: Text = Field(min_length=1, max_length=LONGEST_QUERY)
    document: list[Id] = Field(default_factory=list, max_length=1000, description="Only those of these documents.")


@api.get("/collections/<name>/judgments", tags=JUDGMENTS, responses={200: JudgmentsShape})
def list_judgments(path: CollectionPath, query: JudgmentsQuery) -> Response:
    """Judgments, in the order they were given"""
    after = paging.decode(query.cursor)
    with services().database.read() as catalog:
        collection = catalog.collections.named(path.name).id
        found = catalog.judgments.page(collection, after=after, limit=query.limit + 1, query=query.query)
    kept = found[: query.limit]
    cursor = paging.encode(kept[-1].id) if len(found) > query.limit else None
    shapes = [steering_shapes.judgment(one) for one in kept]
    return paging.link_next(jsonify(JudgmentsShape(judgments=shapes, next=cursor).json_value()), cursor)


@api.get("/collections/<name>/judgments/queries", tags=JUDGMENTS, responses={200: JudgedQueriesShape})
def list_judged_queries(path: CollectionPath) -> Response:
    """The queries that were judged"""
    with services().database.read() as catalog:
        found = catalog.judgments.queries(catalog.collections.named(path.name).id)
    return jsonify(JudgedQueriesShape(queries=[steering_shapes.judged_query(one) for one in found]).json_value())


@api.post("/collections/<name>/judgments", tags=JUDGMENTS, responses={200: Written})
def judge(path: CollectionPath, body: JudgmentsBody) -> Response:
    """Tick and cross; what the same author said of the same query and document before is replaced"""
    sides = [(one, RELEVANT) for one in body.relevant] + [(one, IRRELEVANT) for one in body.irrelevant]
    given = [judging.Given(body.query, passage=PassageId(one), grade=grade) for one, grade in sides]
    given += [
        judging.Given(
            one.query,
            document=DocumentId(one.document) if one.document is not None else None,
            passage=PassageId(one.passage) if one.passage is not None else None,
            grade=one.grade,
        )
        for one in body.judgments
    ]
    return jsonify(Written(written=judging.judge(services().database, path.name, given, body.author)).json_value())


@api.delete("/collections/<name>/judgments", tags=JUDGMENTS, responses={200: Removed})
def take_back(path: CollectionPath, query: Retracted) -> Response:
    """Take judgments of a query back"""
    with services().database.write() as catalog:
        collection = catalog.collections.named(path.name).id
        removed = catalog.judgments.remove(collection, query.query, query.document)
    return jsonify(Removed(removed=removed).json_value())
