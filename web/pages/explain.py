"""Why a passage matched, in a fold beside each hit and on a page of its own, and two hits side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue

from riparian.errors import BadQuery
from riparian.types import Document, PassageId
from search.explain.records import Explanation
from search.request import usual_weight
from web.pages import query as queries
from web.pages.blueprint import blueprint
from web.pages.heat import Heat, heat
from web.pages.query import whole
from web.pages.search import request_of
from web.wiring import services


@dataclass(frozen=True, slots=True)
class Side:
    document: Document
    explanation: Explanation
    heat: Heat | None


@blueprint.get("/c/<collection>/explain")
def explain(collection: str) -> ResponseReturnValue:
    """One passage under a query, or two and what tells them apart."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
    query = queries.read(request.args, usual_weight(found, services().settings.hybrid_weight))
    passage, against = (PassageId(whole(request.args, name, 0)) for name in ("passage", "against"))
    if not passage:
        raise BadQuery("say which passage is to be explained: …/explain?q=…&passage=12")
    asked = request_of(collection, query)
    contrast = services().explain.contrast(asked, passage, against) if against else None
    shown = [contrast.first, contrast.second] if contrast else services().explain.passages(asked, [passage])
    sides = _sides(shown, query.text)
    hows = list(dict.fromkeys(one.meaning.how for one in shown if one.meaning is not None))
    return render_template(
        "explain.html", collection=collection, query=query, sides=sides, contrast=contrast, hows=hows
    )


def _sides(shown: Sequence[Explanation], query: str) -> list[Side]:
    with services().database.read() as catalog:
        documents = catalog.documents.many({one.document for one in shown})
    return [Side(documents[one.document], one, heat(one, documents[one.document], query)) for one in shown]
