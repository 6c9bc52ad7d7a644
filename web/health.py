"""Probes: is the process alive, can it answer, what has it done, and what does its API look like."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from riparian.catalog.catalog import Catalog
from riparian.errors import RiparianError
from riparian.types import Collection
from web.metrics import Metrics
from web.wiring import Services, services


def probes(metrics: Metrics) -> Blueprint:
    """/healthz, /readyz, /metrics and /openapi.json."""
    blueprint = Blueprint("probes", __name__)
    rules: dict[str, Callable[[], ResponseReturnValue]] = {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics.text,
        "/openapi.json": openapi,
        "/api/v1/openapi.json": openapi,
    }
    for rule, view in rules.items():
        blueprint.add_url_rule(rule, endpoint=rule.strip("/").replace("/", "_").replace(".", "_"), view_func=view)
    return blueprint


def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


def readyz() -> ResponseReturnValue:
    """Database, encoders and indexes: 200 when searches are answered, else 503 with what is missing."""
    missing = readiness(services())
    body = jsonify(status="not ready" if missing else "ready", missing=missing)
    return body, 503 if missing else 200


def readiness(parts: Services) -> list[str]:
    """What is missing before every collection can be searched; empty when nothing is."""
    try:
        with parts.database.read() as catalog:
            catalog.ping()
            return [line for c in catalog.collections.all() for line in _missing(catalog, c, parts)]
    except (SQLAlchemyError, RiparianError) as error:
        return [f"database: {type(error).__name__}"]


def _missing(catalog: Catalog, collection: Collection, parts: Services) -> list[str]:
    """A collection that is not embedded to its end can be searched: that is told, and not counted as missing."""
    if collection.encoder_id is None or not collection.passages:
        return []
    stored = catalog.encoders.get(collection.encoder_id)
    found = []
    if not catalog.vectors.count(collection.id, stored.id):
        found.append(f"collection {collection.name!r}: no passage is embedded yet")
    try:
        parts.encoders.of(stored)
    except RiparianError as error:
        found.append(f"encoder of collection {collection.name!r}: {error}")
    return found


def openapi() -> Response:
    """The OpenAPI 3.1 description of /api/v1."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]  # an application made by openapi_app
