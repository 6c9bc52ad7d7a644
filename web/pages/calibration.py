"""What scores mean in a collection: measuring it, fitting it to judgments, taking that back."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from search.calibration import TICKS
from web.pages.blueprint import blueprint
from web.wiring import services


@blueprint.post("/c/<collection>/calibration")
def calibrate(collection: str) -> ResponseReturnValue:
    source = TICKS if "from_judgments" in request.form else ""
    return redirect(url_for(".job", job=services().calibration.calibrate(collection, source)), 303)


@blueprint.post("/c/<collection>/calibration/forget")
def forget_calibration_judgments(collection: str) -> ResponseReturnValue:
    services().calibration.forget_judgments(collection)
    return redirect(url_for(".evaluation", collection=collection), 303)
