"""Files that could not be read, and why."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from web.pages.blueprint import blueprint
from web.wiring import services

SHOWN = 1000


@blueprint.get("/c/<collection>/failures")
def failures(collection: str) -> ResponseReturnValue:
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        files = catalog.files.failures(found.id, limit=SHOWN)
    return render_template("failures.html", collection=found, files=files)
