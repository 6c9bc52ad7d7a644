"""Why a passage answers a query, and why one stands above another."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.types import PassageId
from web import explain_shapes
from web.api.blueprint import api
from web.api.params import CollectionPath, Id
from web.api.search import SEARCH, Query, request_of
from web.explain_shapes import ExplainedShape
from web.wiring import services


class ExplainQuery(Query):
    """A query as in a search, and the passage to explain."""

    passage: Id = Field(description="Its number.")
    against: Id | None = Field(None, description="Another passage, to be told apart from it.")


@api.get("/collections/<name>/explain", tags=SEARCH, responses={200: ExplainedShape})
def explain(path: CollectionPath, query: ExplainQuery) -> Response:
    """Why a passage answers a query: the words that its scores come from"""
    request, passage = request_of(path.name, query), PassageId(query.passage)
    if query.against is not None:
        found = services().explain.contrast(request, passage, PassageId(query.against))
        return jsonify(explain_shapes.contrast(query.q, found).json_value())
    [one] = services().explain.passages(request, [passage])
    return jsonify(ExplainedShape(query=query.q, explanation=explain_shapes.explanation(one)).json_value())
