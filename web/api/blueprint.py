"""The blueprint that every route below /api/v1 hangs on: a thin wrapper around the one library that knows OpenAPI."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.types import ResponseDict

from web.errors import PROBLEM_TYPE, ProblemDetails, validation_problem

PREFIX = "/api/v1"

_ERRORS = (400, 403, 404, 409, 413, 415, 422, 500, 503, 507)


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }


def problems(*statuses: int) -> ResponseDict:
    return {status: _problem(status) for status in statuses}


api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_responses=problems(*_ERRORS))


def tag(name: str, description: str) -> list[Tag]:
    return [Tag(name=name, description=description)]


def openapi_app(import_name: str, **options: Any) -> OpenAPI:
    """A Flask application that writes its own OpenAPI description."""
    info = Info(
        title="Riparian",
        version=version("riparian"),
        description="Search a document archive by meaning in context, and see what it is about.",
    )
    return OpenAPI(
        import_name,
        info=info,
        # one has to be named: without any the library writes a null, which is not valid
        security_schemes={
            "none": SecurityScheme(type="http", scheme="basic", description="Not asked for on loopback.")
        },
        validation_error_model=ProblemDetails,
        validation_error_callback=validation_problem,
        doc_ui=False,
        **options,
    )
