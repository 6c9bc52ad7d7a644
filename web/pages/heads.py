"""Heads: those that were learnt, and putting one to use on a text."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from web.pages.blueprint import blueprint
from web.wiring import services

LONGEST = 20_000


@blueprint.get("/heads")
def heads() -> ResponseReturnValue:
    return render_template("heads.html", heads=services().heads.kept())


@blueprint.route("/heads/<head>", methods=["GET", "POST"])
def head(head: str) -> ResponseReturnValue:
    """What it was learnt from, how well it did, and a form to try it; the answer stands below the form."""
    found = services().heads.get(head)
    text, question = (" ".join(request.form.get(name, "").split()) for name in ("text", "question"))
    answer = services().heads.apply(head, [text[:LONGEST]], question)[0] if text else None
    return render_template("head.html", found=found, text=text, question=question, answer=answer)
