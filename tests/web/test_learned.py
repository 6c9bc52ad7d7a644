"""Labels that topics learned, on the command line, over HTTP and on pages: the same everywhere."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION, run_all
from tests.web.html import said, see, send
from tests.web.test_cli import Terminal
from web.wiring import Services

V1 = "/api/v1"
TOPICS = f"{V1}/collections/{COLLECTION}/topics"
PAGES = f"/c/{COLLECTION}/topics"


def test_labels_are_told_the_same_everywhere(
    own_services: Services, own_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    riparian = Terminal(own_services.settings.data_dir, capsys)
    document = own_client.get(f"{V1}/collections/{COLLECTION}/documents?limit=1").json["documents"][0]["id"]
    assert own_client.get(f"{TOPICS}/learned").status_code == 404
    assert own_client.get(f"{V1}/documents/{document}/topics/learned").status_code == 404
    assert "by its topics" not in said(see(own_client, f"/d/{document}/topics").css_first("main"))

    options = ("--kind", "zeroshot", "--option", "epochs=2")
    code, out, err = riparian("topics", "fit", *options, "--labels", "type", "--topics", "3")
    assert code == 0, err
    assert "labels: too few documents carry one to hold any out" in out

    found = own_client.get(f"{TOPICS}/learned").json
    assert (found["field"], found["accuracy"], found["held_out"]) == ("type", None, 0)
    assert sum(one["given"] for one in found["labels"]) == sum(one["told"] for one in found["labels"]) == 26
    assert json.loads(riparian("topics", "learned", "--json")[1]) == found
    assert riparian("topics", "learned")[1].startswith("labels of type: too few")
    assert "Labels learned from type" in said(see(own_client, f"{PAGES}/learned").css_first("h1"))
    assert "Labels of type" in said(see(own_client, PAGES).css_first(".page-head"))

    one = own_client.get(f"{V1}/documents/{document}/topics/learned").json
    assert sum(label["probability"] for label in one["labels"]) == pytest.approx(1)
    assert json.loads(riparian("topics", "learned", str(document), "--json")[1]) == one
    page = said(see(own_client, f"/d/{document}/topics").css_first("main"))
    assert f"type by its topics: {one['labels'][0]['label']} {one['labels'][0]['probability']:.0%}" in page

    text = "The river carries water and silt past the bank"
    inferred = own_client.post(f"{TOPICS}/infer", json={"texts": [text]}).json["labels"][0]
    assert sum(label["probability"] for label in inferred) == pytest.approx(1)
    assert json.loads(riparian("topics", "infer", text, "--json")[1])["labels"] == inferred
    assert "\ntype: " in riparian("topics", "infer", text)[1]
    answer = send(own_client, f"{PAGES}/text", "/text", text=text)
    assert "type by its topics:" in answer.text

    own_client.post(f"{TOPICS}/fit", json={"topics": 2, "kind": "kmeans"})
    run_all(own_services)
    assert own_client.post(f"{TOPICS}/infer", json={"texts": [text]}).json["labels"] == [[]]
