"""Jobs: what works in the background, how far it is, and stopping it."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian import jobs
from riparian.catalog.models import utc_now
from riparian.types import JobId
from web import job_shapes
from web.api import paging
from web.api.blueprint import api, tag
from web.api.params import JobPath, Line, Nothing, Paging
from web.job_shapes import JobShape
from web.shapes import Shape
from web.wiring import services

JOBS = tag("jobs", "Background work with its progress.")


class JobsQuery(Paging):
    collection: Line = Field("", description="Only those of this collection.")


class JobsPage(Shape):
    jobs: list[JobShape]
    next: str | None


@api.get("/jobs", tags=JOBS, responses={200: JobsPage})
def list_jobs(query: JobsQuery) -> Response:
    """Jobs, the newest first"""
    before = paging.decode(query.cursor) or None
    with services().database.read() as catalog:
        collection = catalog.collections.named(query.collection).id if query.collection else None
        found = jobs.listed(catalog, collection_id=collection, limit=query.limit + 1, before=before)
    kept = found[: query.limit]
    cursor = paging.encode(kept[-1].id) if len(found) > len(kept) else None
    page = JobsPage(jobs=[job_shapes.job(job, utc_now()) for job in kept], next=cursor)
    return paging.link_next(jsonify(page.json_value()), cursor)


@api.get("/jobs/<job_id>", tags=JOBS, responses={200: JobShape})
def get_job(path: JobPath) -> Response:
    """One job, with its rate and the seconds left"""
    with services().database.read() as catalog:
        return jsonify(job_shapes.job(jobs.get(catalog, JobId(path.job_id)), utc_now()).json_value())


@api.post("/jobs/<job_id>/cancel", tags=JOBS, responses={200: JobShape})
def cancel_job(path: JobPath, body: Nothing) -> Response:
    """Stops a waiting job at once, a running one at its next batch"""
    with services().database.write() as catalog:
        return jsonify(job_shapes.job(jobs.cancel(catalog, JobId(path.job_id)), utc_now()).json_value())
