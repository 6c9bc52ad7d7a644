"""The one table from Riparian's errors to HTTP statuses and exit codes, and their one shape in JSON (RFC 9457)."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from jinja2 import TemplateNotFound
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from werkzeug.exceptions import BadRequest, HTTPException

from riparian.errors import Conflict, Invalid, NotFound, RiparianError, StorageFull, Unavailable

logger = logging.getLogger(__name__)

STATUSES: Mapping[type[RiparianError], int] = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    Unavailable: 503,
    StorageFull: 507,
    RiparianError: 500,
}

EXIT_CODES: Mapping[type[RiparianError], int] = {
    Invalid: 2,
    Unavailable: 3,
    NotFound: 4,
    Conflict: 5,
    RiparianError: 1,
}

PROBLEM_TYPE = "application/problem+json"
_JSON_PATHS = ("/api/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_RETRY_AFTER_S = 5


class FieldProblem(BaseModel):
    """One value that was refused: where it stands in the request, and why."""

    at: list[str | int] = Field(description="The way to the value: query, q.")
    why: str


class ProblemDetails(BaseModel):
    """Every error answer (RFC 9457). `type` names the kind of error and stays the same."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] = Field(default_factory=list)


def status_of(error: RiparianError) -> int:
    """The status of the nearest class in the table."""
    return _nearest(STATUSES, error)


def exit_code_of(error: RiparianError) -> int:
    return _nearest(EXIT_CODES, error)


def _nearest(table: Mapping[type[RiparianError], int], error: RiparianError) -> int:
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


def translated(error: Exception) -> RiparianError | None:
    """The error of ours that a full disk, an absent database, or a value too large for it is; None for what was not
    foreseen."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(error.filename or "the data folder")
    if isinstance(error, OperationalError | InterfaceError):
        said = str(error.orig).strip().splitlines()
        return Unavailable(f"the database does not answer: {said[0] if said else type(error.orig).__name__}")
    if isinstance(error, UnicodeEncodeError):
        return Invalid("a text in it is not valid Unicode")
    if isinstance(error, DataError) or (isinstance(error, OverflowError) and "SQLite" in str(error)):
        return Invalid("a number or a text in it is beyond what the database can hold")
    return None


def register(app: Flask) -> None:
    """Every error of a request ends here: JSON below /api and for programs, a page for people."""
    app.register_error_handler(RiparianError, _riparian_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _riparian_error(error: RiparianError) -> Response:
    status = status_of(error)
    answer = _answer(status, _kebab(type(error).__name__), str(error))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(getattr(error, "retry_after", _RETRY_AFTER_S))
    return answer


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:  # a redirect, or an answer that was made already
        return make_response(error.response)
    status = error.code or 500
    unread = type(error) is BadRequest and error.description == BadRequest.description
    detail = "the request cannot be read; a body must be valid JSON" if unread else error.description or ""
    answer = _answer(status, _kebab(type(error).__name__), detail)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "Location"):
            answer.headers[name] = value
    return answer


def _unexpected(error: Exception) -> Response:
    foreseen = translated(error)
    if foreseen is not None:
        logger.error("%s", foreseen)
        return _riparian_error(foreseen)
    logger.exception("request failed: %s %s", request.method, request.url_rule)
    return _answer(500, "internal-error", "something went wrong on this side; the log says what")


def validation_problem(error: ValidationError) -> Response:
    """What flask-openapi3 answers with when a request does not fit its model."""
    refused = [FieldProblem(at=list(e["loc"]), why=e["msg"]) for e in error.errors(include_url=False)]
    detail = "; ".join(f"{'.'.join(map(str, problem.at)) or 'body'}: {problem.why}" for problem in refused)
    return _problem(422, "invalid-request", detail, refused)


def _answer(status: int, kind: str, detail: str) -> Response:
    return _problem(status, kind, detail) if wants_json() else _page(status, detail)


def wants_json() -> bool:
    """Whether the request stands on the programs' side."""
    if request.path.startswith(_JSON_PATHS):
        return True
    best = request.accept_mimetypes.best_match(("text/html", "application/json", PROBLEM_TYPE))
    return best is not None and best != "text/html"


def _problem(status: int, kind: str, detail: str, errors: list[FieldProblem] | None = None) -> Response:
    details = ProblemDetails(
        type=f"urn:riparian:{kind}",
        title=_phrase(status),
        status=status,
        detail=detail,
        instance=request.path,
        errors=errors or [],
    )
    return Response(details.model_dump_json(), status, mimetype=PROBLEM_TYPE)


def _page(status: int, detail: str) -> Response:
    values: dict[str, Any] = {"status": status, "title": _phrase(status), "detail": detail}
    try:
        return make_response(render_template("error.html", **values), status)
    except (TemplateNotFound, RiparianError):  # a page that needs the database, while the database is the trouble
        return Response(f"{status} {values['title']}\n\n{detail}\n", status, mimetype="text/plain")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
