"""Answers that several routes give."""

from __future__ import annotations

from flask import Response, jsonify

from riparian.catalog.models import utc_now
from riparian.types import Job
from web import job_shapes
from web.api.blueprint import PREFIX


def accepted(job: Job) -> Response:
    """202: the work is queued; Location says where to ask how far it is."""
    response = jsonify(job_shapes.job(job, utc_now()).json_value())
    response.status_code = 202
    response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
    return response


def no_content() -> Response:
    return Response(status=204)
