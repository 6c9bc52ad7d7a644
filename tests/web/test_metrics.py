"""What Prometheus reads."""

from __future__ import annotations

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from web.app import create_app
from web.wiring import Services


def samples(client: FlaskClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def test_the_catalog_is_counted(client: FlaskClient) -> None:
    found = samples(client)
    name = frozenset({("collection", "archive")})
    assert found["riparian_documents", name] == 26
    assert found["riparian_failures", name] == 1
    assert found["riparian_jobs", frozenset({("state", "failed")})] == 0


def test_requests_are_counted_by_rule_and_not_by_address(services: Services) -> None:
    client = create_app(services).test_client()
    for number in (1, 2, 3):
        client.get(f"/api/v1/documents/{number}")
        client.get(f"/nowhere/{number}")
    found = samples(client)
    rule = {("rule", "/api/v1/documents/<document_id>"), ("method", "GET"), ("status", "200")}
    assert found["riparian_requests_total", frozenset(rule)] == 3
    assert found["riparian_requests_total", frozenset({("rule", "none"), ("method", "any"), ("status", "404")})] == 3
    assert found["riparian_request_seconds_count", frozenset({("rule", "none")})] == 3
