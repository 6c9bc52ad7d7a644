"""How to ask: the search language, filters, keys."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from web.pages.blueprint import blueprint


@blueprint.get("/about")
def about() -> ResponseReturnValue:
    return render_template("about.html")
