"""The application factory. It takes finished services, so that a test hands in small real ones."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request
from flask.json.provider import JSONProvider

from web import errors, health, metrics, security, tracing
from web.api import api
from web.api.blueprint import openapi_app
from web.pages import blueprint as pages
from web.wiring import EXTENSION, Services


class OrjsonProvider(JSONProvider):
    """JSON by orjson: fast, and a float that is no number becomes null, never invalid JSON."""

    def dumps(self, obj: object, **_options: object) -> str:
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()

    def loads(self, s: str | bytes, **_options: object) -> object:
        return orjson.loads(s)


def create_app(services: Services, *, trusted_hosts: tuple[str, ...] | None = security.LOOPBACK_HOSTS) -> Flask:
    """Pages at /, JSON at /api/v1, probes beside them. `trusted_hosts` None answers to any Host header."""
    app: Flask = openapi_app("web")
    app.json = OrjsonProvider(app)
    app.extensions[EXTENSION] = services
    tracing.register(app)
    security.register(app, secret=security.load_secret(services.settings.data_dir), trusted_hosts=trusted_hosts)
    errors.register(app)
    counted = metrics.Metrics(services.database)
    counted.register(app)
    app.after_request(_tag)
    app.register_api(api)  # type: ignore[attr-defined]  # what openapi_app gives is a Flask with this one method more
    app.register_blueprint(health.probes(counted))
    app.register_blueprint(pages)
    return app


def _tag(response: Response) -> Response:
    """An ETag on every JSON answer to a question, and 304 where the asker has it already."""
    if request.method == "GET" and response.status_code == 200 and response.mimetype == "application/json":
        response.add_etag()
        response.make_conditional(request)
    return response
