"""`riparian evaluate`, its page and its routes, on a small archive."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION, run_all
from tests.web.html import said, see, send, texts
from web.wiring import Services

V1 = f"/api/v1/collections/{COLLECTION}"


def judge_all(client: FlaskClient, queries: int) -> None:
    """Queries about rivers and money, by which documents of that theme are relevant."""
    hits = client.get(f"{V1}/search?q=river&k=100&mode=lexical").json["hits"]
    rivers = [hit["passage"]["id"] for hit in hits][:3]
    for number in range(queries):
        answer = client.post(f"{V1}/judgments", json={"query": f"river {number}", "relevant": rivers})
        assert answer.json == {"written": len(rivers)}


def test_an_evaluation_compares_the_ways_by_judgments_and_without_and_nothing_is_applied_unasked(
    own_client: FlaskClient, own_services: Services
) -> None:
    assert own_client.get(f"{V1}/evaluation").json == {"weight": 0.5, "report": None}
    judge_all(own_client, 6)
    answer = own_client.post(f"{V1}/evaluation", json={})
    assert answer.status_code == 202
    run_all(own_services)
    found = own_client.get(f"{V1}/evaluation").json
    report = found["report"]
    assert found["weight"] == 0.5 and report["applied"] is None
    assert list(report["sets"]) == ["judgments", "sentence"]  # no document has a title that asks for it
    assert report["sets"]["judgments"]["questions"] == report["judged_queries"] == 6
    for found in report["sets"].values():
        assert list(found["ways"]) == ["lexical", "semantic", "hybrid"]
        assert list(found["differences"]) == ["hybrid - lexical", "hybrid - semantic"]
        for way in found["ways"].values():
            assert all(0 <= one["low"] <= one["mean"] <= one["high"] <= 1 for one in way["measures"].values())
    page = see(own_client, f"/c/{COLLECTION}/evaluation")
    asked = report["sets"]["sentence"]["questions"]
    assert texts(page, "h2")[:2] == ["By judgments 6 questions", f"Sentences {asked} questions"]
    assert report["conclusion"] in said(page.css_first("main"))


def test_a_weight_of_the_collection_is_what_its_searches_use(own_client: FlaskClient) -> None:
    asked = f"{V1}/search?q=boats+on+the+river"
    usual = own_client.get(asked).json["hits"]
    assert own_client.put(f"{V1}/weight", json={"weight": 0.0}).json["weight"] == 0.0
    by_words = own_client.get(f"{asked}&weight=0").json["hits"]
    assert own_client.get(asked).json["hits"] == by_words != usual
    assert 'value="0"' in see(own_client, f"/c/{COLLECTION}/search?q=boats").css_first("#weight").html
    assert send(own_client, f"/c/{COLLECTION}/evaluation", "/weight", weight="").status_code == 303
    assert own_client.get(asked).json["hits"] == usual
    assert send(own_client, f"/c/{COLLECTION}/evaluation", "/weight", weight="much").status_code == 422


@pytest.mark.parametrize("path", ["/nowhere/at/all", "relative"])
def test_judgments_that_are_not_there_are_refused_at_once(client: FlaskClient, path: str) -> None:
    answer = client.post(f"{V1}/evaluation", json={"judgments": path})
    assert answer.status_code == 404 and path in json.dumps(answer.json)
