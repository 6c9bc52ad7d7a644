"""The same application over PostgreSQL: the same hits, and no request that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from riparian.config import Settings
from tests.conftest import ENCODER
from tests.postgres import PostgresServer
from tests.web.conftest import COLLECTION, run_all
from tests.web.test_openapi import OPERATIONS, fuzz
from web.app import create_app
from web.wiring import build


@pytest.fixture(scope="module")
def on_postgres(
    postgres: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory, archive: Path
) -> Iterator[Flask]:
    url = postgres.new_database(postgres_template)
    folder = tmp_path_factory.mktemp("postgres-data")
    services = build(Settings(data_dir=folder, RIPARIAN_DATABASE_URL=url, encoder=ENCODER))  # type: ignore[call-arg]
    services.indexer.add(COLLECTION, [archive])
    run_all(services)
    services.fit_topics(COLLECTION, topics=3)
    run_all(services)
    yield create_app(services)
    services.database.engine.dispose()
    postgres.drop(url)


def test_hits_and_facets_are_those_of_sqlite(on_postgres: Flask, client: FlaskClient) -> None:
    asked = {"q": "boats on the river", "k": 5, "facets": ["type", "author"], "filter": "type:txt"}
    here = client.get(f"/api/v1/collections/{COLLECTION}/search", query_string=asked).json
    there = on_postgres.test_client().get(f"/api/v1/collections/{COLLECTION}/search", query_string=asked).json
    assert on_postgres.extensions["riparian"].database.engine.dialect.name == "postgresql"
    assert [hit["document"]["source"] for hit in there["hits"]] == [hit["document"]["source"] for hit in here["hits"]]
    assert there["facets"] == here["facets"]
    assert there["total"] == here["total"]


@pytest.fixture(scope="module")
def schema(on_postgres: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", on_postgres)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_no_request_breaks_it(schema: Any, method: str, path: str) -> None:
    fuzz(schema, method, path, 2)
