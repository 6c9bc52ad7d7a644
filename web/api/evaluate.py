"""How well a collection is searched: measured as a job, and the weight that it found."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import Field

from training.quality import EvaluationWish
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, Line, Parameters
from web.job_shapes import JobShape
from web.shapes import Shape
from web.wiring import services

EVALUATION = tag("evaluation", "How well a collection is searched.")


class EvaluationShape(Shape):
    """The last evaluation; `report` is null before the first. `weight` is what searches use now."""

    weight: float
    report: dict[str, Any] | None


class EvaluateBody(Parameters):
    judgments: Line = Field(
        "", description="A path on the machine that serves: BEIR folder, TREC or JSONL file; empty = those kept here."
    )
    label_free: bool = Field(True, description="Ask a sample of the documents for themselves, too.")
    apply: bool = Field(False, description="Use the weight that was found, where it is better beyond chance.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class WeightBody(Parameters):
    weight: float | None = Field(ge=0, le=1, description="null = as configured.")


@api.get("/collections/<name>/evaluation", tags=EVALUATION, responses={200: EvaluationShape})
def get_evaluation(path: CollectionPath) -> Response:
    """What the last evaluation found"""
    return jsonify(_shape(path.name).json_value())


@api.post("/collections/<name>/evaluation", tags=EVALUATION, responses={202: JobShape})
def evaluate(path: CollectionPath, body: EvaluateBody) -> Response:
    """Queue measuring lexical, semantic and hybrid search, and choosing the weight of meaning"""
    wish = EvaluationWish(path.name, body.judgments, body.label_free, body.apply, body.seed)
    return accepted(job_of(services().quality.evaluate(wish)))


@api.put("/collections/<name>/weight", tags=EVALUATION, responses={200: EvaluationShape})
def set_weight(path: CollectionPath, body: WeightBody) -> Response:
    """The share of the semantic score in hybrid searches of this collection that name none"""
    services().quality.set_weight(path.name, body.weight)
    return jsonify(_shape(path.name).json_value())


def _shape(name: str) -> EvaluationShape:
    quality = services().quality
    with services().database.read() as catalog:
        collection = catalog.collections.named(name).id
    report = quality.latest(collection)
    return EvaluationShape(weight=quality.search.usual_weight(name), report=dict(report) if report else None)
