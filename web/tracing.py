"""One id a request, in and out, in every log line of it; and one line a request when it is done."""

from __future__ import annotations

import logging
import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
    g.request_began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" in g:
        response.headers["X-Request-ID"] = g.request_id
        # the rule, not the address: an address holds what was searched for
        facts = {
            "method": request.method,
            "rule": request.url_rule.rule if request.url_rule else "",
            "status": response.status_code,
            "ms": round(1000 * (time.perf_counter() - g.request_began), 1),
        }
        logger.info("request", extra=facts)
    return response
