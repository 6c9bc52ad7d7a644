"""Senses of words over HTTP and as a page, under an encoder that cannot tell them apart."""

from __future__ import annotations

from flask.testing import FlaskClient

V1 = "/api/v1"


def test_the_page_asks_for_a_word_and_says_when_the_encoder_cannot_tell_senses(client: FlaskClient) -> None:
    assert b"Find its senses" in client.get("/c/archive/senses").data
    answer = client.get("/c/archive/senses?word=bank")
    assert answer.status_code == 200
    assert b"cannot tell its senses apart" in answer.data or b"none of single words" in answer.data


def test_the_api_refuses_and_says_why(client: FlaskClient) -> None:
    answer = client.get(f"{V1}/collections/archive/senses?word=bank")
    assert answer.status_code == 503
    assert "senses" in answer.json["detail"]
    assert client.get(f"{V1}/collections/nowhere/senses?word=bank").status_code == 404
    assert client.get(f"{V1}/senses/9").status_code == 404
    assert client.get(f"{V1}/collections/archive/senses").status_code == 422


def test_a_search_by_a_sense_that_is_not_there_finds_nothing(client: FlaskClient) -> None:
    answer = client.get(f"{V1}/collections/archive/search?q=bank&sense=9&facets=sense").json
    assert (answer["total"], answer["hits"], answer["facets"]) == (0, [], {"sense": []})
