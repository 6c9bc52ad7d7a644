"""Pages and API of encoders: the library, training from a form, a card, removal."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from riparian import jobs
from riparian.types import JobState
from tests.riparian.trained_models import grammar
from tests.web.conftest import COLLECTION
from tests.web.html import said, see, send, texts
from training.service import Wish
from web.wiring import Services

V1 = "/api/v1"
TINY = {"trim": 1, "dimension": 16, "epochs": 1}


def trained(services: Services, tmp_path: Path, name: str = "windows") -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(grammar(60)), encoding="utf-8")
    services.training.train(Wish("context2vec-awe", name, paths=[str(text)], settings=TINY))
    job = jobs.run_one(services.database, services.handlers)
    assert job is not None and job.state is JobState.DONE


def test_an_encoder_is_trained_from_the_page_and_stands_in_the_library(
    own_client: FlaskClient, own_services: Services
) -> None:
    asked = {"kind": "context2vec-awe", "name": "windows", "collection": COLLECTION, "minutes": "0.05"}
    answer = send(own_client, "/encoders", "/encoders", **asked)
    assert answer.status_code == 303
    assert said(see(own_client, answer.location).css_first("h1")) == "Training an encoder"
    job = jobs.run_one(own_services.database, own_services.handlers)
    assert job is not None
    assert job.state is JobState.DONE, job.message
    assert said(see(own_client, answer.location).css_first("[role=status]")) == "Done"
    assert "windows" in texts(see(own_client, "/encoders"), "#own ~ .scroll th[scope=row]")
    card = see(own_client, "/encoders/windows")
    assert said(card.css_first("h1")) == "windows"
    assert "trained here on" in said(card.css_first(".page-head"))
    send(own_client, "/encoders/windows", "/remove")
    assert own_client.get("/encoders/windows").status_code == 404


def test_the_api_trains_lists_and_removes(own_client: FlaskClient, own_services: Services) -> None:
    body = {"kind": "context2vec-awe", "name": "mine", "collection": COLLECTION, "settings": TINY}
    answer = own_client.post(f"{V1}/encoders/train", json=body)
    assert answer.status_code == 202
    assert jobs.run_one(own_services.database, own_services.handlers).state is JobState.DONE  # type: ignore[union-attr]
    result = own_client.get(answer.headers["Location"]).json["result"]
    [listed] = own_client.get(f"{V1}/encoders").json["installed"]
    assert listed["fingerprint"] == result["fingerprint"]
    assert own_client.get(f"{V1}/encoders/mine").json == listed
    assert own_client.delete(f"{V1}/encoders/mine").status_code == 204
    assert own_client.get(f"{V1}/encoders/mine").status_code == 404


def test_what_cannot_be_trained_says_what_can(own_client: FlaskClient) -> None:
    answer = own_client.post(f"{V1}/encoders/train", json={"kind": "use", "name": "x", "collection": COLLECTION})
    assert answer.status_code == 422
    assert "trained from text are: bert" in answer.json["detail"]
    answer = own_client.post(f"{V1}/encoders/train", json={"kind": "elmo", "name": "x"})
    assert "name a collection or files" in answer.json["detail"]


def test_an_encoder_in_use_is_not_removed(own_client: FlaskClient, own_services: Services, tmp_path: Path) -> None:
    trained(own_services, tmp_path)
    own_services.indexer.ensure_collection("other", "windows")
    answer = own_client.delete(f"{V1}/encoders/windows")
    assert answer.status_code == 409
    assert "has vectors in other" in answer.json["detail"]


def test_encoders_are_compared_from_the_page_and_the_job_shows_the_table(
    own_client: FlaskClient, own_services: Services
) -> None:
    asked = {"encoder": ["hashing:64", "hashing:8", "", ""], "collection": COLLECTION, "query": "silt at the bank"}
    answer = send(own_client, "/encoders", "/compare", **asked)
    assert answer.status_code == 303
    job = jobs.run_one(own_services.database, own_services.handlers)
    assert job is not None
    assert job.state is JobState.DONE, job.message
    shown = see(own_client, answer.location)
    heads = texts(shown, "table:first-of-type tbody th")
    assert heads[:3] == ["hashing:64", "hashing:8", "words BM25"]
    assert "silt at the bank" in texts(shown, "h2")
    mean = job.result["rows"][0]["scores"]["main"]["mean"]
    assert f"{mean:.3f}" in said(shown.css_first("table tbody tr td"))


def test_a_head_is_learnt_shown_and_put_to_use(own_client: FlaskClient, own_services: Services, tmp_path: Path) -> None:
    rows = [f'"the {"river and its silt" if n % 2 else "rate and its money"} number {n}",{"water" if n % 2 else "bank"}'
            for n in range(80)]  # fmt: skip
    (tmp_path / "examples.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    body = {"head": "classification", "name": "themes", "examples": str(tmp_path / "examples.csv")}
    answer = own_client.post(f"{V1}/heads", json=body)
    assert answer.status_code == 202, answer.text
    job = jobs.run_one(own_services.database, own_services.handlers)
    assert job is not None
    assert job.state is JobState.DONE, job.message
    [listed] = own_client.get(f"{V1}/heads").json["heads"]
    assert (listed["name"], listed["labels"]) == ("themes", ["bank", "water"])
    applied = own_client.post(f"{V1}/heads/themes/apply", json={"texts": ["silt of the river", "money at a rate"]})
    assert [one["label"] for one in applied.json["answers"]] == ["water", "bank"]
    assert "themes" in texts(see(own_client, "/heads"), "tbody th")
    tried = send(own_client, "/heads/themes", "/heads/themes", text="silt of the river")
    assert "water" in tried.text
    assert own_client.post(f"{V1}/heads/themes/apply", json={"texts": ["x"], "question": "y"}).status_code == 422
    assert own_client.delete(f"{V1}/heads/themes").status_code == 204
    assert own_client.get(f"{V1}/heads/themes").status_code == 404
