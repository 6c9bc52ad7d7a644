"""Labels that the topics learned: how well, and how many documents are told to have each."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from web import learned_wording
from web.pages.blueprint import blueprint
from web.wiring import services


@blueprint.get("/c/<collection>/topics/learned")
def topic_learned(collection: str) -> ResponseReturnValue:
    """NoLabels, with how to learn some, where the topics learned none."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
    learned = services().learned.learned(found.id)
    said = learned_wording.how_well(learned.accuracy, learned.guess, learned.held_out)
    return render_template("topic_learned.html", collection=found, learned=learned, said=said)
