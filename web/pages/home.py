"""The front page: one box to search, and what is in the archive."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from web.pages import archive
from web.pages.blueprint import blueprint
from web.wiring import services


@blueprint.get("/")
def home() -> ResponseReturnValue:
    with services().database.read() as catalog:
        largest_first = sorted(catalog.collections.all(), key=lambda collection: -collection.documents)
        overviews = [archive.overview(catalog, collection) for collection in largest_first]
        jobs = archive.running(catalog)
    return render_template(
        "home.html",
        overviews=overviews,
        jobs=jobs,
        tries=archive.to_try(overviews[0].topics) if overviews else [],
    )
