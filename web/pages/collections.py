"""Collections: what there is, making one of a folder, bringing one up to date, and what one holds."""

from __future__ import annotations

from pathlib import Path

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian import jobs as queue
from riparian.catalog.filters import parse
from riparian.errors import Invalid
from web.languages import advice_on
from web.pages import archive
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.wiring import services

LISTED = 50


@blueprint.get("/collections")
def collections() -> ResponseReturnValue:
    with services().database.read() as catalog:
        found = [(collection, catalog.collections.roots(collection.id)) for collection in catalog.collections.all()]
    return render_template("collections.html", collections=found)


@blueprint.post("/collections")
def add() -> ResponseReturnValue:
    """Queues the indexing of a folder or file, in a collection that is made if it is not there."""
    path = request.form.get("path", "").strip()
    if not path:
        raise Invalid("a path is needed: the folder or file on the machine that runs Riparian")
    name = request.form.get("name", "").strip() or Path(path).expanduser().name
    job = services().indexer.add(name, [path])
    return redirect(url_for(".job", job=job), 303)


@blueprint.post("/c/<collection>/sync")
def sync(collection: str) -> ResponseReturnValue:
    job = services().indexer.sync(collection)
    return redirect(url_for(".job", job=job), 303)


@blueprint.get("/c/<collection>")
def collection(collection: str) -> ResponseReturnValue:
    """What a collection holds, what it is about, and what happens to it."""
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        roots = catalog.collections.roots(found.id)
        recent = queue.listed(catalog, collection_id=found.id, limit=5)
        languages = catalog.documents.languages(found.id)
        topics = archive.topics_of(catalog, found.id)
        advice = advice_on(catalog, found)
        saved = catalog.saved.all(found.id)
        work = {
            "saved": len(saved),
            "fresh": sum(len(one.fresh) for one in saved),
            "reading": len(catalog.reading.all(found.id)),
            "judgments": catalog.judgments.count(found.id),
        }
    return render_template(
        "collection.html",
        collection=found,
        roots=roots,
        jobs=recent,
        languages=sorted(languages.items(), key=lambda pair: (-pair[1], pair[0])),
        encoders=services().indexer.encoders(collection),
        advice=advice,
        work=work,
        topics=topics,
        tints=archive.tints(topics),
    )


@blueprint.post("/c/<collection>/encoders")
def reindex(collection: str) -> ResponseReturnValue:
    """Queues embedding the collection with another encoder, and the switch to it."""
    encoder = request.form.get("encoder", "").strip()
    if not encoder:
        raise Invalid("an encoder is needed: a kind, a name of the library, a model folder or a hub id")
    job = services().indexer.reindex(collection, encoder)
    return redirect(url_for(".job", job=job), 303)


@blueprint.post("/c/<collection>/encoder")
def switch(collection: str) -> ResponseReturnValue:
    """Searches with another of the collection's encoders, which `encoder` names by its fingerprint."""
    done = services().indexer.switch(collection, request.form.get("encoder", ""))
    return redirect(
        url_for(".collection", collection=collection) if done.job is None else url_for(".job", job=done.job), 303
    )


@blueprint.post("/c/<collection>/encoders/forget")
def forget_encoder(collection: str) -> ResponseReturnValue:
    """Drops the vectors of an encoder that searches do not use."""
    services().indexer.forget_encoder(collection, request.form.get("encoder", ""))
    return redirect(url_for(".collection", collection=collection), 303)


@blueprint.get("/c/<collection>/documents")
def documents(collection: str) -> ResponseReturnValue:
    """Documents one after another, narrowed by filters."""
    expressions = [e for e in request.args.getlist("filter") if e.strip()]
    after = whole(request.args, "after", 0)
    filters = parse(expressions)
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        total = catalog.documents.count(found.id, filters)
        listed = catalog.documents.page(found.id, filters, limit=LISTED + 1, after=after)
    return render_template(
        "documents.html",
        collection=found,
        documents=listed[:LISTED],
        more=len(listed) > LISTED,
        total=total,
        expressions=expressions,
        after=after,
    )
