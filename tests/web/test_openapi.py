"""The description of the API: complete, valid, and true under random requests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from riparian.config import Settings
from tests.conftest import ENCODER
from web.api import api
from web.app import create_app
from web.wiring import build

METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [(m.upper(), path) for path, item in api.paths.items() for m in METHODS if getattr(item, m) is not None]
CHECKS = (status_code_conformance, response_schema_conformance)


@pytest.fixture(scope="session")
def changing_app(tmp_path_factory: pytest.TempPathFactory, indexed_data: Path) -> Flask:
    """The application over a copy of the archive, which requests may change."""
    folder = shutil.copytree(indexed_data, tmp_path_factory.mktemp("fuzz") / "data")
    return create_app(build(Settings(data_dir=folder, encoder=ENCODER, log_level="ERROR")))


@pytest.fixture(scope="session")
def schema(changing_app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", changing_app)


def fuzz(schema: Any, method: str, path: str, cases: int) -> None:
    quiet = settings(
        max_examples=cases, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )

    @quiet
    @given(case=schema[path][method].as_strategy())
    def check(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Host": "localhost"})
        # 503 is said on purpose: no topics yet, a model that is not on the machine
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        case.validate_response(answer, checks=CHECKS)

    check()


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_no_request_breaks_it(schema: Any, method: str, path: str) -> None:
    fuzz(schema, method, path, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_many_requests_do_not_break_it(schema: Any, method: str, path: str) -> None:
    fuzz(schema, method, path, 300)


def test_it_is_openapi_3_1_at_two_addresses(client: FlaskClient) -> None:
    description = client.get("/openapi.json").json
    assert description["openapi"] == "3.1.0"
    assert description == client.get("/api/v1/openapi.json").json
    assert None not in description["components"].values()


def test_every_route_below_the_api_is_described(client: FlaskClient, app: Flask) -> None:
    described = {
        (method.upper(), path)
        for path, operations in client.get("/openapi.json").json["paths"].items()
        for method in operations
    }
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.rule != "/api/v1/openapi.json"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
