"""Saved searches: the page of a collection's, saving one, running one, forgetting one; and hits as files."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from riparian.catalog.saved import SavedSearch
from riparian.errors import BadQuery
from search.request import LONGEST_PAGE, usual_weight
from search.saved import queued, request_of
from web import hit_export
from web.api.batch import attachment
from web.hit_export import HitForm
from web.pages import search
from web.pages.blueprint import blueprint
from web.pages.query import Query, read
from web.wiring import services

_LONGEST_ADDRESS = 20_000


@blueprint.get("/c/<collection>/saved")
def saved_searches(collection: str) -> ResponseReturnValue:
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        searches = catalog.saved.all(found.id)
        fresh = {hit.document_id for one in searches for hit in one.fresh}
        documents = catalog.documents.many(fresh)
    return render_template("saved.html", collection=found, searches=searches, documents=documents)


@blueprint.post("/c/<collection>/saved")
def save_search(collection: str) -> ResponseReturnValue:
    """Saves the search whose address the form holds."""
    query = _asked(collection, request.form.get("back", "")[:_LONGEST_ADDRESS])
    asked = replace(search.request_of(collection, query), offset=0)
    services().saved.save(request.form.get("name", ""), asked, query.expressions)
    return redirect(url_for(".saved_searches", collection=collection), 303)


@blueprint.post("/c/<collection>/saved/check")
def check_saved(collection: str) -> ResponseReturnValue:
    with services().database.write() as catalog:
        job = queued(catalog, catalog.collections.named(collection).id)
    return redirect(url_for(".job", job=job), 303)


@blueprint.post("/saved/<int:saved>/run")
def run_saved(saved: int) -> ResponseReturnValue:
    """Opens the answer; from now on, only what comes later is new."""
    with services().database.write() as catalog:
        found = catalog.saved.get(saved)
        catalog.saved.look(saved)
        collection = catalog.collections.get(found.collection_id)
        usual = usual_weight(collection, services().settings.hybrid_weight)
    return redirect(url_for(".results", collection=collection.name, **_address(collection.name, found, usual)), 303)  # type: ignore[arg-type]


@blueprint.post("/saved/<int:saved>/remove")
def remove_saved(saved: int) -> ResponseReturnValue:
    with services().database.write() as catalog:
        found = catalog.saved.get(saved)
        catalog.saved.remove(saved)
        collection = catalog.collections.get(found.collection_id).name
    return redirect(url_for(".saved_searches", collection=collection), 303)


@blueprint.get("/c/<collection>/search/export/<form>")
def export_hits(collection: str, form: str) -> ResponseReturnValue:
    """The first hits of a search as a file."""
    if form not in list(HitForm):
        raise BadQuery(f"no form {form!r}; forms: {', '.join(HitForm)}")
    query = _asked(collection, request.query_string.decode())
    asked = replace(search.request_of(collection, query), offset=0, k=LONGEST_PAGE, facets=(), sentences=False)
    answer = services().search.search(asked)
    return attachment(hit_export.written(answer, HitForm(form), request.host_url.rstrip("/")), HitForm(form))


def _asked(collection: str, string: str) -> Query:
    """The search that an address names. BadQuery for one without a query."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
    query = read(MultiDict(parse_qs(string)), usual_weight(found, services().settings.hybrid_weight))
    if not query.text:
        raise BadQuery("there is no query in it; search for something first")
    return query


def _address(collection: str, saved: SavedSearch, usual: float) -> dict[str, str | list[str]]:
    asked = request_of(collection, saved)
    weight = usual if asked.weight is None else asked.weight
    filters = tuple(saved.options.get("filters", ()))
    query = Query(
        saved.query, asked.mode, weight, filters, within=asked.within, steered=asked.feedback, fuzzy=asked.fuzzy
    )
    return query.address()
