"""How well a collection is searched: the report of the last evaluation, beginning another, using its weight."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.errors import Invalid
from training.quality import EvaluationWish
from web.pages.blueprint import blueprint
from web.wiring import services


@blueprint.get("/c/<collection>/evaluation")
def evaluation(collection: str) -> ResponseReturnValue:
    quality = services().quality
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        judged = len([one for one in catalog.judgments.queries(found.id) if one.relevant])
    return render_template(
        "evaluation.html",
        collection=found,
        report=quality.latest(found.id),
        judged=judged,
        weight=quality.search.usual_weight(collection),
        calibrated=services().calibration.stored(collection),
        configured=services().settings.hybrid_weight,
    )


@blueprint.post("/c/<collection>/evaluation")
def evaluate(collection: str) -> ResponseReturnValue:
    wish = EvaluationWish(collection, label_free="label_free" in request.form)
    return redirect(url_for(".job", job=services().quality.evaluate(wish)), 303)


@blueprint.post("/c/<collection>/weight")
def set_weight(collection: str) -> ResponseReturnValue:
    """Uses a weight from now on; an empty one = as configured."""
    value = request.form.get("weight", "").strip()
    try:
        services().quality.set_weight(collection, float(value) if value else None)
    except ValueError:
        raise Invalid(f"{value[:40]!r} is no weight: a number from 0 to 1 is needed") from None
    return redirect(url_for(".evaluation", collection=collection), 303)
