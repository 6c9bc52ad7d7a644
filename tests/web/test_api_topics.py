"""Topics over HTTP."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import run_all
from web.app import create_app
from web.wiring import Services

V1 = "/api/v1"
TOPICS = f"{V1}/collections/archive/topics"


def test_shares_sum_to_one_and_counts_agree_with_lists(client: FlaskClient) -> None:
    answer = client.get(TOPICS).json
    assert answer["model"]["topics"] == len(answer["topics"]) == 3
    assert sum(topic["share"] for topic in answer["topics"]) == pytest.approx(1)
    for topic in answer["topics"]:
        assert topic["words"] == [term["word"] for term in topic["terms"][:10]]
        assert client.get(f"{V1}/topics/{topic['id']}").json == topic
        passages = client.get(f"{V1}/topics/{topic['id']}/passages?limit=1000").json["passages"]
        documents = client.get(f"{V1}/topics/{topic['id']}/documents?limit=1000").json["documents"]
        assert (len(passages), len(documents)) == (topic["passages"], topic["documents"])
        assert [p["weight"] for p in passages] == sorted((p["weight"] for p in passages), reverse=True)


def test_pages_of_a_topic_continue_each_other(client: FlaskClient) -> None:
    topic = max(client.get(TOPICS).json["topics"], key=lambda topic: topic["passages"])
    whole = client.get(f"{V1}/topics/{topic['id']}/passages?limit=4").json["passages"]
    first = client.get(f"{V1}/topics/{topic['id']}/passages?limit=2")
    second = client.get(first.headers["Link"].split(">")[0][1:])
    assert first.json["passages"] + second.json["passages"] == whole


def test_a_text_that_is_there_already_has_the_topics_it_was_given(client: FlaskClient) -> None:
    hits = client.get(f"{V1}/collections/archive/search?q=garden&k=3").json["hits"]
    answer = client.post(f"{TOPICS}/infer", json={"texts": [hit["passage"]["text"] for hit in hits]})
    labels = {topic["id"]: topic["label"] for topic in client.get(TOPICS).json["topics"]}
    assert [mixture[0]["topic"] for mixture in answer.json["texts"]] == [hit["topic"] for hit in hits]
    for mixture in answer.json["texts"]:
        assert sum(topic["weight"] for topic in mixture) == pytest.approx(1)
        assert all(topic["label"] == labels[topic["topic"]] for topic in mixture)


def test_a_topic_is_renamed(own_client: FlaskClient) -> None:
    topic = own_client.get(TOPICS).json["topics"][0]
    answer = own_client.patch(f"{V1}/topics/{topic['id']}", json={"label": "  Water  "})
    assert answer.json == topic | {"label": "Water", "named": True}
    assert own_client.patch(f"{V1}/topics/{topic['id']}", json={"label": ""}).status_code == 422


def test_topics_are_found_anew_by_a_job(own_client: FlaskClient, own_services: Services) -> None:
    before = own_client.get(TOPICS).json["model"]["id"]
    answer = own_client.post(f"{TOPICS}/fit", json={"topics": 2, "seed": 3})
    assert answer.status_code == 202
    again = own_client.post(f"{TOPICS}/fit", json={"topics": 2, "seed": 3})
    assert again.json["id"] == answer.json["id"]
    run_all(own_services)
    after = own_client.get(TOPICS).json
    assert after["model"]["id"] != before
    assert len(after["topics"]) == 2


def test_without_topics_the_answer_says_how_to_find_them(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    client.post(f"{V1}/collections", json={"name": "notes"})
    answer = client.get(f"{V1}/collections/notes/topics")
    assert (answer.status_code, answer.json["type"]) == (503, "urn:riparian:no-topics-yet")
    assert "riparian topics fit" in answer.json["detail"]


def test_a_fit_takes_a_kind_options_and_a_vocabulary_and_refuses_what_cannot_work(
    own_client: FlaskClient, own_services: Services
) -> None:
    body = {"topics": 2, "kind": "kmeans", "options": {"sharpness": 5.0}, "words": 40}
    assert own_client.post(f"{TOPICS}/fit", json=body).status_code == 202
    run_all(own_services)
    model = own_client.get(TOPICS).json["model"]
    assert (model["kind"], model["topics"]) == ("kmeans", 2)

    refused = own_client.post(f"{TOPICS}/fit", json={"kind": "lda", "labels": "meta.subject"})
    assert refused.status_code == 422
    assert "cannot learn labels" in refused.json["detail"]
