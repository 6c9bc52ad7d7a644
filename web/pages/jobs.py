"""Background work: what runs, how far it is, and stopping it."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from riparian import jobs as queue
from riparian.types import JobId
from web.pages.archive import UNFINISHED
from web.pages.blueprint import blueprint
from web.wiring import services

SHOWN = 100


@blueprint.get("/jobs")
def jobs() -> ResponseReturnValue:
    with services().database.read() as catalog:
        listed = queue.listed(catalog, limit=SHOWN)
        names = {collection.id: collection.name for collection in catalog.collections.all()}
    busy = any(job.state in UNFINISHED for job in listed)
    return render_template("jobs.html", jobs=listed, names=names, busy=busy)


@blueprint.get("/jobs/<int:job>")
def job(job: int) -> ResponseReturnValue:
    with services().database.read() as catalog:
        found = queue.get(catalog, JobId(job))
        collection = catalog.collections.get(found.collection_id) if found.collection_id is not None else None
    return render_template("job.html", job=found, collection=collection)


@blueprint.post("/jobs/<int:job>/cancel")
def cancel(job: int) -> ResponseReturnValue:
    with services().database.write() as catalog:
        queue.cancel(catalog, JobId(job))
    return redirect(url_for(".job", job=job), 303)
