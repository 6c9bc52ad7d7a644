"""The search routes: the contract's shape, filters, paging, refusals, and the likes of things."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from search.request import LONGEST_PAGE
from tests.web.conftest import THEMES

SEARCH = "/api/v1/collections/archive/search"


def test_a_hit_says_document_passage_and_score(client: FlaskClient) -> None:
    answer = client.get(SEARCH, query_string={"q": "reserve bank interest", "k": "3"}).json
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    for hit in answer["hits"]:
        assert {"score", "document", "passage"} <= hit.keys()
        assert {"id", "title", "source"} <= hit["document"].keys()
        assert {"id", "start", "end", "text"} <= hit["passage"].keys()
        assert "reserve bank" in hit["passage"]["text"]
        text = client.get(f"/api/v1/documents/{hit['document']['id']}/text").json["text"]
        assert text[hit["passage"]["start"] : hit["passage"]["end"]] == hit["passage"]["text"]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_a_body_and_an_address_are_answered_alike(client: FlaskClient, mode: str) -> None:
    asked = {"q": "boats in a flood", "mode": mode, "k": 4, "facets": ["type"]}
    assert client.post(SEARCH, json=asked).json == client.get(SEARCH, query_string=asked).json


def test_pages_of_hits_continue_each_other(client: FlaskClient) -> None:
    whole = client.get(SEARCH, query_string={"q": "bank", "k": 6}).json["hits"]
    second = client.get(SEARCH, query_string={"q": "bank", "k": 3, "offset": 3}).json["hits"]
    assert [hit["passage"]["id"] for hit in second] == [hit["passage"]["id"] for hit in whole[3:]]


def test_filters_are_conditions_that_all_hold(client: FlaskClient) -> None:
    asked = {"q": "ships and barges", "filter": ["author:Ada", "date>=2001"]}
    hits = client.get(SEARCH, query_string=asked).json["hits"]
    assert [hit["document"]["title"] for hit in hits] == ["On barges"]


def test_as_many_hits_may_be_asked_for_as_on_the_command_line(client: FlaskClient) -> None:
    answer = client.get(SEARCH, query_string={"q": "bank", "k": LONGEST_PAGE, "mode": "lexical"}).json
    assert len(answer["hits"]) == answer["total"] > 10


def test_facets_count_documents(client: FlaskClient) -> None:
    answer = client.get(SEARCH, query_string={"q": "gardener", "mode": "lexical", "facets": "type"}).json
    assert answer["total"] == 8
    assert [(facet["value"], facet["count"]) for facet in answer["facets"]["type"]] == [("txt", 8)]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"q": "  "}, "empty"),
        ({"q": "x", "k": "0"}, "k"),
        ({"q": "x", "k": str(LONGEST_PAGE + 1)}, "k"),
        ({"q": "x", "mode": "psychic"}, "mode"),
        ({"q": "x", "weight": "2"}, "weight"),
        ({"q": "x", "filter": "colour:red"}, "colour"),
        ({"q": "x", "facets": "colour"}, "facets"),
        ({"q": "x", "page": "2"}, "page"),
        ({}, "q"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_word_that_is_wrong(
    client: FlaskClient, query: dict[str, str], word: str
) -> None:
    answer = client.get(SEARCH, query_string=query)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert word in answer.json["detail"]


def test_a_document_leaves_itself_out_of_its_like(client: FlaskClient) -> None:
    [first] = client.get(SEARCH, query_string={"q": "gardener", "k": 1}).json["hits"]
    hits = client.get(f"/api/v1/documents/{first['document']['id']}/similar", query_string={"k": 3}).json["hits"]
    assert first["document"]["id"] not in {hit["document"]["id"] for hit in hits}
    assert all("garden" in hit["passage"]["text"] for hit in hits)


def test_a_passage_has_its_like(client: FlaskClient) -> None:
    [first] = client.get(SEARCH, query_string={"q": "lenders of money", "k": 1}).json["hits"]
    hits = client.get(f"/api/v1/passages/{first['passage']['id']}/similar", query_string={"k": 2}).json["hits"]
    assert all("money" in hit["passage"]["text"] for hit in hits)


def test_a_pasted_text_has_its_like(client: FlaskClient) -> None:
    text = THEMES["river"].format(n=99)
    hits = client.post("/api/v1/collections/archive/similar", json={"text": text, "k": 2}).json["hits"]
    assert all("silt" in hit["passage"]["text"] for hit in hits)


def test_an_uploaded_file_has_its_like(client: FlaskClient, archive: Path) -> None:
    upload = (io.BytesIO((archive / "garden-3.txt").read_bytes()), "mine.txt")
    answer = client.post("/api/v1/collections/archive/similar/upload", data={"file": upload, "k": "1"})
    assert answer.status_code == 200, answer.text
    assert "garden" in answer.json["hits"][0]["passage"]["text"]


def test_an_upload_that_cannot_be_read_says_why(client: FlaskClient) -> None:
    upload = (io.BytesIO(b"\x00\x01\x02" * 100), "mine.bin")
    answer = client.post("/api/v1/collections/archive/similar/upload", data={"file": upload})
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:riparian:unreadable-file"
    assert answer.json["detail"].startswith("mine.bin: ")
