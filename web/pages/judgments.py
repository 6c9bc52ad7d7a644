"""Ticks and crosses: forms beside every hit, and the page of what was judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.catalog.catalog import Catalog
from riparian.catalog.judgments import IRRELEVANT, RELEVANT, JudgedQuery, Judgment
from riparian.errors import Invalid
from riparian.types import CollectionId, Document, DocumentId, PassageId
from web import judging
from web.pages.blueprint import blueprint
from web.wiring import services

_GRADES = {"tick": RELEVANT, "cross": IRRELEVANT}
_LONGEST_ADDRESS = 20_000


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A judgment with its document; None where that is not in the collection."""

    judgment: Judgment
    document: Document | None


@dataclass(frozen=True, slots=True)
class Judged:
    query: JudgedQuery
    documents: tuple[JudgedDocument, ...]


@blueprint.post("/c/<collection>/judgments")
def judge(collection: str) -> ResponseReturnValue:
    """Ticks or crosses a hit, or takes that back; the answer is shown again as it is now."""
    query, said = request.form.get("query", "").strip(), request.form.get("said", "")
    if said in _GRADES:
        passage = PassageId(_number("passage"))
        given = judging.Given(query, passage=passage, grade=_GRADES[said])
        judging.judge(services().database, collection, [given])
    elif said in ("nothing", "undo"):
        documents = [DocumentId(_number("document"))] if said == "nothing" else []
        with services().database.write() as catalog:
            catalog.judgments.remove(catalog.collections.named(collection).id, query, documents)
    else:
        raise Invalid(f"a hit is ticked or crossed, or that is taken back; {said[:40]!r} is none of these")
    return redirect(_back(collection), 303)


@blueprint.get("/c/<collection>/judgments")
def judgments(collection: str) -> ResponseReturnValue:
    """Every judged query with the documents that were judged for it."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        queries = catalog.judgments.queries(found.id)
        given = catalog.judgments.all(found.id)
        documents = catalog.documents.many({one.document_id for one in given if one.document_id is not None})
    return render_template("judgments.html", collection=found, judged=_by_query(queries, given, documents))


def states(catalog: Catalog, collection_id: CollectionId, query: str) -> dict[DocumentId, str]:
    """What was said of documents for the query: tick or cross."""
    found = catalog.judgments.of_query(collection_id, query) if query else []
    return {one.document_id: "tick" if one.is_relevant else "cross" for one in found if one.document_id is not None}


def _by_query(
    queries: list[JudgedQuery], given: list[Judgment], documents: Mapping[DocumentId, Document]
) -> list[Judged]:
    by_query: dict[str, list[JudgedDocument]] = {}
    for one in given:
        document = documents.get(one.document_id) if one.document_id is not None else None
        by_query.setdefault(one.query.casefold(), []).append(JudgedDocument(one, document))
    return [Judged(query, tuple(by_query.get(query.query.casefold(), ()))) for query in queries]


def _number(name: str) -> int:
    value = request.form.get(name, "")
    if not value.isdecimal() or len(value) > 18:
        raise Invalid(f"{name} {value[:40]!r} is no number")
    return int(value)


def _back(collection: str) -> str:
    """The address that the form stood at: of a search where it says which, else the page of judgments."""
    pairs = parse_qsl(request.form.get("back", "")[:_LONGEST_ADDRESS])
    if not any(name == "q" for name, _ in pairs):
        return url_for(".judgments", collection=collection)
    values: dict[str, list[str]] = {}
    for name, value in (pair for pair in pairs if not pair[0].startswith("_")):  # those are url_for's own
        values.setdefault(name, []).append(value)
    return url_for(".results", **values | {"collection": collection})  # type: ignore[arg-type]
