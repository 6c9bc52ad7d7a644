"""What scores mean in a collection: measured as a job, label-free or fitted to judgments."""

from __future__ import annotations

from datetime import datetime

from flask import Response, jsonify
from pydantic import Field

from riparian.catalog.relevance import StoredCalibration
from riparian.errors import Invalid
from search.calibration import TICKS
from search.relevance import JUDGMENTS, LABEL_FREE
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, Line, Parameters
from web.job_shapes import JobShape
from web.shapes import Shape
from web.wiring import services

CALIBRATION = tag("calibration", "What the scores of a collection mean: relevance, and whether anything is close.")


class ErrorShape(Shape):
    """An expected calibration error with the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


class LabelFreeShape(Shape):
    passages: int = Field(description="Passages the collection had then; 0 = unknown.")
    created: datetime
    threshold: float = Field(description="Spreads above chance from which a hit is close.")


class FittedShape(Shape):
    """The map to judgments. The errors are on queries that it was not fitted to."""

    source: str = Field(description="ticks or file.")
    passages: int
    created: datetime
    queries: int
    hits: int
    accepted: int
    error: ErrorShape
    label_free_error: ErrorShape


class CalibrationShape(Shape):
    """`label_free` is null before the first measurement; `judgments` where relevance is not fitted to any."""

    label_free: LabelFreeShape | None
    judgments: FittedShape | None


class CalibrateBody(Parameters):
    judgments: Line = Field(
        "", description="A path on the machine that serves: BEIR folder, TREC or JSONL file to fit relevance to."
    )
    from_judgments: bool = Field(False, description="Fit relevance to the ticks and crosses kept here.")


@api.get("/collections/<name>/calibration", tags=CALIBRATION, responses={200: CalibrationShape})
def get_calibration(path: CollectionPath) -> Response:
    """What was measured with the collection's encoder"""
    return jsonify(_shape(path.name).json_value())


@api.post("/collections/<name>/calibration", tags=CALIBRATION, responses={202: JobShape})
def calibrate(path: CollectionPath, body: CalibrateBody) -> Response:
    """Queue measuring what scores mean, and fitting relevance to judgments"""
    if body.judgments and body.from_judgments:
        raise Invalid("judgments and from_judgments ask for two things; give one of them")
    source = TICKS if body.from_judgments else body.judgments
    return accepted(job_of(services().calibration.calibrate(path.name, source)))


@api.delete("/collections/<name>/calibration/judgments", tags=CALIBRATION, responses={200: CalibrationShape})
def forget_judgments(path: CollectionPath) -> Response:
    """Relevance is label-free again"""
    services().calibration.forget_judgments(path.name)
    return jsonify(_shape(path.name).json_value())


def _shape(name: str) -> CalibrationShape:
    found = services().calibration.stored(name)
    free, judged = found.get(LABEL_FREE), found.get(JUDGMENTS)
    return CalibrationShape(
        label_free=_label_free(free) if free is not None else None,
        judgments=_fitted(judged) if judged is not None else None,
    )


def _label_free(one: StoredCalibration) -> LabelFreeShape:
    return LabelFreeShape(passages=one.passages, created=one.created, threshold=one.curve["threshold"])


def _fitted(one: StoredCalibration) -> FittedShape:
    told = {name: one.curve[name] for name in ("source", "queries", "hits", "accepted", "error", "label_free_error")}
    return FittedShape(passages=one.passages, created=one.created, **told)
