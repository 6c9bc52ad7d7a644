"""Another encoder for a collection: over HTTP, on its page and on the command line."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from riparian import jobs
from tests.web.conftest import COLLECTION, run_all
from tests.web.html import ASKS_FOR_HTML, said, see, send, texts
from tests.web.test_cli import Terminal
from web.wiring import Services

AT = f"/api/v1/collections/{COLLECTION}"
OTHER = "hashing:32"
FIRST_NAME, OTHER_NAME = (f"hashed character n-grams, {dimension} dimensions" for dimension in (64, 32))


def encoders(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _json(client.get(f"{AT}/encoders"))["encoders"]
    return found


def _json(answer: TestResponse) -> Any:
    return answer.json


def hits(client: FlaskClient) -> Any:
    return client.get(f"{AT}/search?q=boats on the river&mode=semantic").json


def reindexed(client: FlaskClient, services: Services, **more: Any) -> None:
    queued: Any = client.post(f"{AT}/encoders", json={"encoder": OTHER, **more})
    assert (queued.status_code, queued.json["kind"]) == (202, "reindex")
    run_all(services)
    assert _json(client.get(queued.headers["Location"]))["state"] == "done"


def test_a_collection_is_reindexed_switched_and_rolled_back_over_http(
    own_client: FlaskClient, own_services: Services
) -> None:
    before = hits(own_client)
    [first] = encoders(own_client)
    assert (first["name"], first["active"], first["pending"]) == (FIRST_NAME, True, 0)
    reindexed(own_client, own_services)
    after = hits(own_client)
    assert (before["encoder"], after["encoder"]) == (FIRST_NAME, OTHER_NAME)
    active, was = encoders(own_client)
    assert (active["spec"], active["active"], active["vectors"]) == (OTHER, True, first["vectors"])
    assert (was["fingerprint"], was["previous"]) == (first["fingerprint"], True)
    answer: Any = own_client.post(f"{AT}/encoder/rollback", json={})
    assert (answer.status_code, answer.json["encoder"]) == (200, FIRST_NAME)
    assert hits(own_client) == before
    answer = own_client.put(f"{AT}/encoder", json={"encoder": active["fingerprint"]})
    assert (answer.status_code, answer.json["encoder"]) == (200, OTHER_NAME)
    assert hits(own_client) == after


def test_a_switch_that_has_to_embed_first_is_a_job(own_client: FlaskClient, own_services: Services) -> None:
    reindexed(own_client, own_services, switch=False)
    assert hits(own_client)["encoder"] == FIRST_NAME
    own_client.post(f"{AT}/documents", json={"documents": [{"text": "A swan hissed at the ferryman."}]})
    run_all(own_services)
    assert [one["pending"] for one in encoders(own_client)] == [0, 1]
    answer: Any = own_client.put(f"{AT}/encoder", json={"encoder": OTHER})
    assert (answer.status_code, answer.json["kind"]) == (202, "reindex")
    assert hits(own_client)["encoder"] == FIRST_NAME
    run_all(own_services)
    assert hits(own_client)["encoder"] == OTHER_NAME
    assert [one["pending"] for one in encoders(own_client)] == [0, 0]


def test_what_cannot_be_is_refused_over_http(own_client: FlaskClient, own_services: Services) -> None:
    [first] = encoders(own_client)
    for asked, status in (
        (own_client.post(f"{AT}/encoders", json={"encoder": "hashing:64"}), 409),
        (own_client.post(f"{AT}/encoders", json={"encoder": "nothing"}), 404),
        (own_client.post(f"{AT}/encoders", json={}), 422),
        (own_client.put(f"{AT}/encoder", json={"encoder": OTHER}), 404),
        (own_client.post(f"{AT}/encoder/rollback", json={}), 409),
        (own_client.delete(f"{AT}/encoders/{first['fingerprint']}"), 409),
        (own_client.delete(f"{AT}/encoders/00000000"), 404),
        (own_client.get("/api/v1/collections/none/encoders"), 404),
    ):
        assert asked.status_code == status, asked.json


def test_vectors_of_an_encoder_that_is_not_in_use_are_dropped(own_client: FlaskClient, own_services: Services) -> None:
    [first] = encoders(own_client)
    reindexed(own_client, own_services)
    assert own_client.delete(f"{AT}/encoders/{first['fingerprint'][:8]}").status_code == 204
    assert [one["spec"] for one in encoders(own_client)] == [OTHER]
    assert own_client.post(f"{AT}/encoder/rollback", json={}).status_code == 404
    assert own_services.indexer.check() == []


# ---------------------------------------------------------------- the page


def test_on_its_page_a_collection_is_reindexed_rolled_back_and_the_other_encoder_dropped(
    own_client: FlaskClient, own_services: Services
) -> None:
    page = f"/c/{COLLECTION}"
    queued = send(own_client, page, "/encoders", encoder=OTHER)
    assert said(see(own_client, queued.location).css_first("h1")) == "Re-indexing with another encoder"
    run_all(own_services)
    shown = see(own_client, page)
    assert texts(shown, "#encoders ~ .scroll tbody th") == [OTHER_NAME, FIRST_NAME]
    assert [b.attributes["aria-label"] for b in shown.css("#encoders ~ .scroll button")] == [
        f"Roll back to {FIRST_NAME}", f"Drop the vectors of {FIRST_NAME}",
    ]  # fmt: skip
    back = send(own_client, page, "/encoder")
    assert (back.status_code, back.location) == (303, page)
    assert texts(see(own_client, page), "#encoders ~ .scroll tbody th") == [FIRST_NAME, OTHER_NAME]
    dropped = send(own_client, page, "/encoders/forget")
    assert (dropped.status_code, dropped.location) == (303, page)
    assert see(own_client, page).css_first("#encoders ~ .scroll") is None
    assert send(own_client, page, "/encoders", encoder=" ").status_code == 422
    assert send(own_client, page, "/encoders", encoder="nothing").status_code == 404


def test_until_they_are_found_anew_the_page_of_topics_says_whose_vectors_they_come_from(
    own_client: FlaskClient, own_services: Services
) -> None:
    page = f"/c/{COLLECTION}/topics"
    assert see(own_client, page).css_first(".page-head .notice") is None
    own_services.indexer.reindex(COLLECTION, OTHER)
    jobs.run_one(own_services.database, own_services.handlers)
    shown = see(own_client, page)
    assert said(shown.css_first(".page-head .notice")).startswith(f"They were found with {FIRST_NAME}, which")
    assert len(shown.css(".topics-table tbody tr")) == 3
    run_all(own_services)
    shown = see(own_client, page)
    assert shown.css_first(".page-head .notice") is None
    assert len(shown.css(".topics-table tbody tr")) == 3


@pytest.mark.parametrize("address", ["encoders", "encoder", "encoders/forget"])
def test_no_encoder_is_changed_without_the_token_of_the_form(own_client: FlaskClient, address: str) -> None:
    answer = own_client.post(f"/c/{COLLECTION}/{address}", data={"encoder": OTHER}, headers=ASKS_FOR_HTML)
    assert answer.status_code == 403


# ---------------------------------------------------------------- the command line


@pytest.fixture
def own(tmp_path: Path, indexed_data: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """On a copy of the indexed archive."""
    return Terminal(shutil.copytree(indexed_data, tmp_path / "own"), capsys)


def test_reindex_switch_and_rollback_are_one_command_each(own: Terminal) -> None:
    code, out, _ = own("reindex", "--collection", COLLECTION, "--encoder", OTHER, "--json")
    result = json.loads(out)
    assert (code, result["switched"], result["encoder"]) == (0, True, OTHER_NAME)
    _, out, _ = own("topics", "list", "--json")  # those of the new encoder, found by the command too
    assert {job["state"] for job in json.loads(own("jobs", "list", "--json")[1])["jobs"]} == {"done"}
    assert len(json.loads(out)["topics"]) == 3
    code, out, _ = own("rollback")
    assert (code, out) == (0, f"{COLLECTION}: searched with {FIRST_NAME}\n")
    code, out, _ = own("switch", OTHER, "--json")
    assert (code, json.loads(out)["encoder"]) == (0, OTHER_NAME)
    listed = json.loads(own("collections", "encoders", COLLECTION, "--json")[1])["encoders"]
    assert [(one["spec"], one["active"]) for one in listed] == [(OTHER, True), ("hashing:64", False)]
    assert own("check")[0] == 0


def test_without_a_switch_the_command_says_how_to(own: Terminal) -> None:
    _, out, _ = own("reindex", "--encoder", OTHER, "--no-switch")
    first, second = out.splitlines()
    assert first.endswith(f"passages embedded; not searched yet with {OTHER_NAME}")
    assert own(*second.split("riparian ")[1].split())[0] == 0
    assert own("collections", "encoders", COLLECTION)[1].splitlines()[1].startswith(f"*  {OTHER_NAME}")


def test_in_the_background_the_command_names_the_job(own: Terminal) -> None:
    _, out, _ = own("reindex", "--encoder", OTHER, "--background", "--json")
    [job] = [j for j in json.loads(own("jobs", "list", "--json")[1])["jobs"] if j["state"] == "queued"]
    assert json.loads(out) == {"job": job["id"]}


def test_the_command_line_says_what_is_in_the_way(own: Terminal) -> None:
    assert own("reindex", "--encoder", "hashing:64")[0] == 5
    assert own("switch", OTHER)[0] == 4
    assert own("rollback")[0] == 5
    code, _, said_ = own("add", str(Path(__file__)), "--collection", COLLECTION, "--encoder", OTHER)
    assert code == 5
    assert "`riparian reindex` gives a collection another encoder" in said_


def test_vectors_are_dropped_and_collections_removed_only_when_it_is_meant(
    own: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    own("reindex", "--encoder", OTHER)
    for command, said_there in ((("forget-encoder", COLLECTION, "hashing:64"), "n\n"), (("remove", COLLECTION), "")):
        monkeypatch.setattr("sys.stdin", io.StringIO(said_there))
        code, _, said_ = own("collections", *command)
        assert code == 2
        assert "nothing was removed; --yes does it without asking" in said_
    code, out, _ = own("collections", "forget-encoder", COLLECTION, "hashing:64", "--yes")
    assert code == 0
    assert out.startswith("dropped ")
    assert own("collections", "forget-encoder", COLLECTION, OTHER, "--yes")[0] == 5
    assert own("collections", "remove", COLLECTION, "--yes")[:2] == (0, f"removed {COLLECTION}\n")
    assert json.loads(own("collections", "list", "--json")[1]) == {"collections": []}
    assert own("collections", "remove", COLLECTION, "--yes")[0] == 4
