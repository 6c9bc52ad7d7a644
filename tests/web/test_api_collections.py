"""Collections, documents, passages, jobs, encoders and export over HTTP."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import run_all
from web.app import create_app
from web.wiring import Services

V1 = "/api/v1"


def test_a_collection_says_how_much_it_holds(client: FlaskClient) -> None:
    [collection] = client.get(f"{V1}/collections").json["collections"]
    assert collection["name"] == "archive"
    assert (collection["documents"], collection["failures"]) == (26, 1)
    assert collection == client.get(f"{V1}/collections/archive").json


def test_a_failure_has_a_path_and_a_reason(client: FlaskClient) -> None:
    [failure] = client.get(f"{V1}/collections/archive/failures").json["failures"]
    assert failure["path"].endswith("broken.pdf")
    assert failure["reason"]


def test_documents_are_paged_by_cursor_without_gap_or_repetition(client: FlaskClient) -> None:
    seen, address = [], f"{V1}/collections/archive/documents?limit=10"
    while address:
        answer = client.get(address)
        seen += [document["id"] for document in answer.json["documents"]]
        assert answer.json["total"] == 26
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next"] is None)
        address = link[1 : link.index(">")] if link else ""
    assert len(seen) == 26
    assert seen == sorted(set(seen))


def test_documents_meet_their_filters_on_every_page(client: FlaskClient) -> None:
    address = f"{V1}/collections/archive/documents?limit=1&filter=type%3Arow&filter=date%3E%3D2000"
    first = client.get(address)
    second = client.get(first.headers["Link"].split(">")[0][1:])
    titles = [answer.json["documents"][0]["title"] for answer in (first, second)]
    assert titles == ["On barges", "On locks"]
    assert second.json["next"] is None


@pytest.mark.parametrize("cursor", ["x", "djEuLTE", "djIuNA", "é", "djEu" + "OTk5" * 20])
def test_a_cursor_that_no_page_gave_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get(f"{V1}/collections/archive/documents", query_string={"cursor": cursor})
    assert (answer.status_code, answer.json["type"]) == (422, "urn:riparian:bad-cursor")


def test_a_document_has_text_passages_and_topics(client: FlaskClient) -> None:
    [row] = client.get(f"{V1}/collections/archive/documents?filter=author:Ada").json["documents"]
    document = client.get(f"{V1}/documents/{row['id']}").json
    assert document == row
    assert (document["title"], document["date"], document["author"]) == ("On barges", "2001-05-02", "Ada")
    text = client.get(f"{V1}/documents/{row['id']}/text").json
    assert text["anchors"] == [{"kind": "row", "number": 1, "start": 0}]
    [passage] = client.get(f"{V1}/documents/{row['id']}/passages").json["passages"]
    assert passage["text"] == text["text"][passage["start"] : passage["end"]]
    assert passage["place"] == {"kind": "row", "number": 1}
    assert passage == client.get(f"{V1}/passages/{passage['id']}").json
    topics = client.get(f"{V1}/documents/{row['id']}/topics").json["topics"]
    assert sum(topic["weight"] for topic in topics) == pytest.approx(1)
    assert client.get(f"{V1}/documents/{row['id']}/duplicates").json == {"documents": []}


@pytest.mark.parametrize("path", ["documents/999", "documents/999/text", "passages/999", "topics/999", "jobs/999"])
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    assert client.get(f"{V1}/{path}").status_code == 404


def test_an_id_that_is_no_number_is_refused(client: FlaskClient) -> None:
    assert client.get(f"{V1}/documents/one").status_code == 422
    assert client.get(f"{V1}/documents/{2**63}").status_code == 422


def test_a_collection_is_made_filled_searched_and_removed(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    made = client.post(f"{V1}/collections", json={"name": "notes"})
    assert (made.status_code, made.headers["Location"]) == (201, f"{V1}/collections/notes")
    assert client.post(f"{V1}/collections", json={"name": "notes"}).status_code == 409
    documents = [
        {
            "id": "a",
            "text": "Herons stand in the reeds.",
            "title": "Herons",
            "date": "2020-02-02",
            "metadata": {"bird": True},
        },
        {"text": "Otters swim under the ice."},
    ]
    added = client.post(f"{V1}/collections/notes/documents", json={"documents": documents})
    assert added.status_code == 202
    run_all(empty_services)
    job = client.get(added.headers["Location"]).json
    assert (job["id"], job["state"]) == (added.json["id"], "done")
    [hit] = client.get(f"{V1}/collections/notes/search?q=herons&mode=lexical").json["hits"]
    assert (hit["document"]["title"], hit["document"]["date"]) == ("Herons", "2020-02-02")
    assert client.get(f"{V1}/documents/{hit['document']['id']}").json["metadata"]["bird"] is True
    assert client.delete(f"{V1}/collections/notes").status_code == 204
    assert client.get(f"{V1}/collections/notes").status_code == 404


def test_documents_handed_in_again_change_nothing_and_a_new_text_replaces_the_old(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    client.post(f"{V1}/collections", json={"name": "notes"})
    address = f"{V1}/collections/notes/documents"
    for text in ("A first text about herons.", "A first text about herons.", "A second text about otters."):
        headers = {"Idempotency-Key": "k1"}
        assert client.post(address, json={"documents": [{"id": "a", "text": text}]}, headers=headers).status_code == 202
        run_all(empty_services)
    [document] = client.get(address).json["documents"]
    assert client.get(f"{V1}/documents/{document['id']}/text").json["text"] == "A second text about otters."


def test_metadata_cannot_pose_as_a_field(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    client.post(f"{V1}/collections", json={"name": "notes"})
    documents = [{"text": "x", "metadata": {"author": "somebody else"}}]
    answer = client.post(f"{V1}/collections/notes/documents", json={"documents": documents})
    assert answer.status_code == 422
    assert "author" in answer.json["detail"]


def test_files_are_added_and_synced_by_jobs(own_client: FlaskClient, tmp_path: Path, own_services: Services) -> None:
    (tmp_path / "new.txt").write_text("Kingfishers dive for fish.")
    answer = own_client.post(f"{V1}/collections/archive/files", json={"paths": [str(tmp_path / "new.txt")]})
    assert answer.status_code == 202
    assert own_client.post(f"{V1}/collections/archive/sync", json={}).status_code == 202
    run_all(own_services)
    assert own_client.get(f"{V1}/collections/archive").json["documents"] == 27
    missing = own_client.post(f"{V1}/collections/archive/files", json={"paths": [str(tmp_path / "nowhere")]})
    assert (missing.status_code, missing.json["type"]) == (404, "urn:riparian:missing-path")


def test_jobs_are_listed_newest_first_and_cancelled(own_client: FlaskClient) -> None:
    queued = own_client.post(f"{V1}/collections/archive/sync", json={}).json
    listed = own_client.get(f"{V1}/jobs?collection=archive&limit=2").json
    assert listed["jobs"][0]["id"] == queued["id"]
    assert [job["id"] for job in listed["jobs"]] == sorted((job["id"] for job in listed["jobs"]), reverse=True)
    rest = own_client.get(f"{V1}/jobs?collection=archive&limit=2&cursor={listed['next']}").json
    assert rest["jobs"][0]["id"] < listed["jobs"][-1]["id"]
    cancelled = own_client.post(f"{V1}/jobs/{queued['id']}/cancel", json={}).json
    assert (cancelled["state"], cancelled["cancel_requested"]) == ("cancelled", True)


def test_encoders_are_listed_with_their_cards(client: FlaskClient) -> None:
    answer = client.get(f"{V1}/encoders").json
    assert "hashing" in answer["kinds"]
    [used] = answer["encoders"]
    assert (used["kind"], used["dimension"], len(used["fingerprint"])) == ("hashing", 64, 64)


def test_ndjson_holds_every_document_and_passage(client: FlaskClient) -> None:
    for what, wanted in (("documents", 26), ("passages", client.get(f"{V1}/collections/archive").json["passages"])):
        answer = client.get(f"{V1}/collections/archive/export/{what}")
        assert answer.mimetype == "application/x-ndjson"
        assert len([json.loads(line) for line in answer.text.splitlines()]) == wanted


def test_csv_has_a_heading_and_a_row_a_topic(client: FlaskClient) -> None:
    answer = client.get(f"{V1}/collections/archive/export/topics?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    topics = client.get(f"{V1}/collections/archive/topics").json["topics"]
    assert [row["label"] for row in rows] == [topic["label"] for topic in topics]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="riparian-topics.csv"'


def test_no_cell_of_a_csv_runs_as_a_formula(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    client.post(f"{V1}/collections", json={"name": "notes"})
    titles = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "harmless"]
    documents = [{"id": str(n), "title": title, "text": f"text {n}"} for n, title in enumerate(titles)]
    client.post(f"{V1}/collections/notes/documents", json={"documents": documents})
    run_all(empty_services)
    answer = client.get(f"{V1}/collections/notes/export/documents?format=csv")
    found = {row["title"] for row in csv.DictReader(io.StringIO(answer.text))}
    assert found == {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'＝1", "harmless"}
    raw = client.get(f"{V1}/collections/notes/export/documents").text.splitlines()
    assert {json.loads(line)["title"] for line in raw} == set(titles)
