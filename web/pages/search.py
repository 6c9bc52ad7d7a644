"""Search pages: the results of a query in a collection, and the door that the home page's form leads through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.catalog.facets import FACETS
from riparian.types import Document, Hit, SearchAnswer
from search.explain.service import Explained
from search.request import SearchRequest, usual_weight
from web import hit_export, topic_mix
from web.pages import archive, extracts, facets, judgments
from web.pages.blueprint import blueprint
from web.pages.heat import Why, whys
from web.pages.marks import Excerpt, excerpt
from web.pages.query import PAGE, Query, read
from web.wiring import services


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit with the part of its passage that is printed, and the near-copies collapsed under it."""

    hit: Hit
    excerpt: Excerpt
    copies: tuple[Document, ...]
    why: Why | None = None


@blueprint.get("/search")
def find() -> ResponseReturnValue:
    """Sends a search to its collection's own address (a form can only send the name as a parameter)."""
    largest = archive.largest(services().collections())
    if largest is None:
        return redirect(url_for(".collections"))
    name = request.args.get("collection", "") or largest.name
    rest = {key: values for key, values in request.args.lists() if key != "collection"}
    return redirect(url_for(".results", collection=name, **rest))  # type: ignore[arg-type]


@blueprint.get("/c/<collection>/search")
def results(collection: str) -> ResponseReturnValue:
    """The hits of a query; without words, only the form."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        states = judgments.states(catalog, found.id, request.args.get("q", "").strip())
    query = read(request.args, usual_weight(found, services().settings.hybrid_weight))
    asked = request_of(collection, query)
    explained = services().explain.search(asked, first=PAGE) if query.text else None
    answer = explained.answer if explained else None
    return render_template(
        "search.html",
        collection=collection,
        query=query,
        answer=answer,
        hits=_explained(explained, query.text) if explained else [],
        more=answer is not None and len(answer.hits) > PAGE,
        size=PAGE,
        mix=topic_mix.of_answer(services(), found.id, answer) if answer else None,
        groups=facets.groups(answer.facets, query) if answer else [],
        chosen=facets.chosen(answer.facets if answer else {}, query),
        states=states,
        forms=hit_export.NAMES.items(),
        asked=asked,
        answers=extracts.answers(explained, explained.answer.hits[:PAGE], asked) if explained else None,
    )


def request_of(collection: str, query: Query) -> SearchRequest:
    """A page of what the address asks for, and one hit more."""
    return SearchRequest(
        collection=collection,
        query=query.text,
        mode=query.mode,
        weight=query.weight,
        filters=query.conditions(),
        facets=FACETS,
        offset=query.offset,
        k=PAGE + 1,  # one more tells whether there is another page
        within=query.within,
        feedback=query.steered,
        fuzzy=query.fuzzy,
    )


def _explained(found: Explained, query: str) -> list[ShownHit]:
    hits = shown(found.answer)
    reasons = whys([one.hit for one in hits], found.explanations[: len(hits)], query)
    return [replace(one, why=why) for one, why in zip(hits, reasons, strict=True)]


def shown(answer: SearchAnswer, size: int = PAGE) -> list[ShownHit]:
    """The hits of a page, each with its excerpt and near-copies."""
    hits = answer.hits[:size]
    with services().database.read() as catalog:
        copies = {hit.document.id: catalog.documents.duplicates(hit.document.id) for hit in hits if hit.duplicates}
    return [ShownHit(hit, excerpt(hit), tuple(copies.get(hit.document.id, ()))) for hit in hits]
