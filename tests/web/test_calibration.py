"""Measuring what scores mean, by command, API and page; who reads an answer knows what its relevance rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION, run_all
from tests.web.html import said, see, send, texts
from web.cli import run
from web.wiring import Services

V1 = f"/api/v1/collections/{COLLECTION}"
PAGE = f"/c/{COLLECTION}/evaluation"
QUERIES = [f"{word} {number}" for word in ("river", "garden") for number in range(6)]


def judge(client: FlaskClient) -> None:
    """Of the first eight hits of each query those whose file is of its theme are relevant."""
    for query in QUERIES:
        hits = client.get(f"{V1}/search", query_string={"q": query, "k": 8}).json["hits"]
        sides: dict[str, list[int]] = {"relevant": [], "irrelevant": []}
        for hit in hits:
            is_right = f"{query.split()[0]}-" in hit["document"]["source"]
            sides["relevant" if is_right else "irrelevant"].append(hit["passage"]["id"])
        client.post(f"{V1}/judgments", json={"query": query, **sides})


def test_the_page_measures_fits_to_the_ticks_and_takes_them_back(
    own_client: FlaskClient, own_services: Services
) -> None:
    assert own_client.get(f"{V1}/calibration").json == {"label_free": None, "judgments": None}
    assert "Not measured" in said(see(own_client, PAGE).css_first("#relevance"))
    assert send(own_client, PAGE, "/calibration").status_code == 303
    run_all(own_services)
    found = own_client.get(f"{V1}/calibration").json
    assert (found["label_free"]["passages"], found["judgments"]) == (26, None)
    basis = own_client.get(f"{V1}/search?q=river").json["basis"]
    assert (basis["kind"], basis["passages"], basis["queries"], basis["error"]) == ("label-free", 26, 0, None)
    assert any(
        "measured without labels" in one for one in texts(see(own_client, f"/c/{COLLECTION}/search?q=river"), "p")
    )
    assert send(own_client, PAGE, "/calibration", from_judgments="on").status_code == 422  # nobody judged anything
    judge(own_client)
    assert send(own_client, PAGE, "/calibration", from_judgments="on").status_code == 303
    run_all(own_services)
    fitted = own_client.get(f"{V1}/calibration").json["judgments"]
    assert (fitted["source"], fitted["queries"], fitted["hits"]) == ("ticks", 12, 96)
    basis = own_client.get(f"{V1}/search?q=river").json["basis"]
    assert (basis["kind"], basis["accepted"]) == ("judgments", fitted["accepted"])
    assert basis["error"] == [fitted["error"][end] for end in ("mean", "low", "high")]
    shown = said(see(own_client, PAGE).css_first("#relevance"))
    assert f"fitted to 96 hits of 12 judged queries, {fitted['accepted']} of them relevant." in shown
    search = texts(see(own_client, f"/c/{COLLECTION}/search?q=river"), "p")
    assert any("the chance that a judge accepts the hit, by 12 judged queries" in one for one in search)
    assert send(own_client, PAGE, "/calibration/forget").status_code == 303
    assert own_client.get(f"{V1}/search?q=river").json["basis"]["kind"] == "label-free"


def test_the_api_refuses_what_asks_for_two_things_or_is_not_there(own_client: FlaskClient) -> None:
    for body, status in (({"judgments": "/none", "from_judgments": True}, 422), ({"judgments": "/no/such"}, 404)):
        assert own_client.post(f"{V1}/calibration", json=body).status_code == status
    assert own_client.delete(f"{V1}/calibration/judgments").status_code == 200


def test_the_command_fits_to_a_file(
    own_client: FlaskClient, own_services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(own_client)
    file = tmp_path / "judged.jsonl"
    with own_services.database.read() as catalog:
        judgments = catalog.judgments.all(catalog.collections.named(COLLECTION).id)
    rows = [{"query": one.query, "document": str(one.document_id), "grade": one.grade} for one in judgments]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    asked = ["calibrate", "--collection", COLLECTION, "--data-dir", str(own_services.settings.data_dir)]
    capsys.readouterr()
    assert run([*asked, "--judgments", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("measured with 18")
    assert lines[1].startswith("fitted to 120 hits of 12 judged queries, ")
    basis = own_client.get(f"{V1}/search?q=river").json["basis"]
    assert (basis["kind"], basis["hits"]) == ("judgments", 120)
