"""Encoders: the library, the card of one, and training another."""

from __future__ import annotations

from dataclasses import asdict

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.encoders import registry
from riparian.errors import Invalid
from training.recipes.table import recipes
from training.service import Wish
from training.trainers import trainers
from training.tuning import TuneWish
from web.pages.blueprint import blueprint
from web.wiring import services

DEFAULT_MINUTES = 10


@blueprint.get("/encoders")
def encoders() -> ResponseReturnValue:
    """Every kind, the encoders made here, and those that collections use."""
    parts = services()
    with parts.database.read() as catalog:
        stored = {encoder.id: encoder for encoder in catalog.encoders.all()}
        collections = catalog.collections.all()
    used = {
        encoder.id: [collection.name for collection in collections if collection.encoder_id == encoder.id]
        for encoder in stored.values()
    }
    return render_template(
        "encoders.html",
        installed=[(one, parts.training.users(one)) for one in parts.training.library.installed()],
        used=used,
        stored=list(stored.values()),
        kinds=list(registry.available()),
        trainers=trainers(),
        collections=[collection for collection in collections if collection.documents],
        minutes=DEFAULT_MINUTES,
        recipes=recipes(),
        default=parts.settings.encoder,
    )


@blueprint.post("/encoders")
def train() -> ResponseReturnValue:
    """Queues training an encoder on a collection's documents."""
    form = {key: value.strip() for key, value in request.form.items()}
    wish = Wish(
        kind=form.get("kind", ""),
        name=form.get("name", ""),
        collection=form.get("collection") or None,
        paths=[form["paths"]] if form.get("paths") else [],
        minutes=_minutes(form.get("minutes", "")),
    )
    return redirect(url_for(".job", job=services().training.train(wish)), 303)


@blueprint.post("/encoders/tune")
def tune() -> ResponseReturnValue:
    """Queues fine-tuning an encoder on a collection's documents."""
    form = {key: value.strip() for key, value in request.form.items()}
    wish = TuneWish(
        recipe=form.get("recipe", ""),
        encoder=form.get("encoder", ""),
        name=form.get("name", ""),
        collection=form.get("collection") or None,
    )
    return redirect(url_for(".job", job=services().tuning.tune(wish)), 303)


@blueprint.post("/encoders/compare")
def compare() -> ResponseReturnValue:
    """Queues comparing encoders over a collection."""
    encoders = [name for name in request.form.getlist("encoder") if name.strip()]
    queries = [request.form.get("query", "")]
    job = services().benches.compare(request.form.get("collection", ""), encoders, queries)
    return redirect(url_for(".job", job=job), 303)


@blueprint.get("/encoders/<encoder>")
def encoder(encoder: str) -> ResponseReturnValue:
    """The card of one encoder of the library, with what its training told."""
    training = services().training
    found = training.library.get(encoder)
    info = asdict(services().encoders.load(encoder).info)
    report = info["extra"].get("training") or {}
    return render_template("encoder.html", found=found, info=info, report=report, users=training.users(found))


@blueprint.post("/encoders/<encoder>/remove")
def remove_encoder(encoder: str) -> ResponseReturnValue:
    services().training.remove(encoder)
    return redirect(url_for(".encoders"), 303)


def _minutes(said: str) -> float | None:
    if not said:
        return None
    try:
        return float(said)
    except ValueError:
        raise Invalid(f"{said!r} is no number of minutes") from None
