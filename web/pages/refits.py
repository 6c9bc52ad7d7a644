"""Refits to look at, and what came since the topics were found."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.errors import Invalid
from riparian.types import Collection
from topics.asked import AskedAgain
from topics.refit.service import NoProposal, Proposal
from web.pages.blueprint import blueprint
from web.wiring import services


@blueprint.get("/c/<collection>/topics/refit")
def topic_proposal(collection: str) -> ResponseReturnValue:
    """The refit that waits, with what it would change, and forms to decide."""
    found = _collection(collection)
    with services().database.read() as catalog:
        before = any(model.state == "before" for model in catalog.topics.models(found.id))
    return render_template("topic_proposal.html", collection=found, proposal=_proposal(found), before=before)


@blueprint.post("/c/<collection>/topics/refit")
def refit_topics(collection: str) -> ResponseReturnValue:
    """Queues a refit; its job tells how far it is."""
    number = request.form.get("number", "").strip()
    if number and not (number.isdecimal() and len(number) <= 3):
        raise Invalid(f"{number!r} is no number of topics; leave it empty for as many as now")
    job = services().refits.queue(_collection(collection).id, AskedAgain(topics=int(number) if number else None))
    return redirect(url_for(".job", job=job), 303)


@blueprint.post("/c/<collection>/topics/apply")
def apply_topics(collection: str) -> ResponseReturnValue:
    parts = services()
    reason = " ".join(request.form.get("reason", "").split())[:1000]
    parts.apply_refit(_collection(collection).id, author=parts.settings.author, reason=reason)
    return redirect(url_for(".topics", collection=collection), 303)


@blueprint.post("/c/<collection>/topics/discard")
def discard_topics(collection: str) -> ResponseReturnValue:
    services().refits.discard(_collection(collection).id)
    return redirect(url_for(".topic_proposal", collection=collection), 303)


@blueprint.post("/c/<collection>/topics/rollback")
def roll_topics_back(collection: str) -> ResponseReturnValue:
    parts = services()
    parts.refits.rollback(_collection(collection).id, author=parts.settings.author)
    return redirect(url_for(".topics", collection=collection), 303)


@blueprint.get("/c/<collection>/topics/drift")
def topic_drift(collection: str) -> ResponseReturnValue:
    """How what came since the fit differs, and the themes that the topics lack."""
    found, parts = _collection(collection), services()
    with parts.gate:
        drift = parts.drift.drift(found.id)
    with parts.database.read() as catalog:
        owners = catalog.passages.documents_of(p for theme in drift.themes for p in theme.passages)
        documents = catalog.documents.many(set(owners.values()))
    return render_template(
        "topic_drift.html",
        collection=found,
        drift=drift,
        documents={p: documents[owner] for p, owner in owners.items() if owner in documents},
        wished=parts.curation.curated(found.id).wished,
    )


def _proposal(collection: Collection) -> Proposal | None:
    try:
        return services().refits.proposal(collection.id)
    except NoProposal:
        return None


def _collection(name: str) -> Collection:
    with services().database.read() as catalog:
        return catalog.collections.named(name)
