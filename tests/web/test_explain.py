"""Explanations over HTTP, on the command line and on the pages."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.web.html import links, said, see, texts
from web.cli import run
from web.pages.heat import LEVELS, level

SEARCH = "/api/v1/collections/archive/search"
EXPLAIN = "/api/v1/collections/archive/explain"
QUERY = "reserve bank interest"


@pytest.fixture
def hits(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(SEARCH, query_string={"q": QUERY, "k": 4}).json["hits"]
    return found


def adds_up(explanation: dict[str, Any]) -> bool:
    meaning, terms, placing = (explanation[name] for name in ("meaning", "terms", "placing"))
    words = sum(word["share"] for word in meaning["passage"]) + meaning["rest"]
    return (
        math.isclose(words, meaning["cosine"], abs_tol=1e-5)
        and math.isclose(sum(term["score"] for term in terms["terms"]), terms["score"], rel_tol=1e-6)
        and math.isclose(sum(given["adds"] for given in placing["given"]), placing["score"], abs_tol=1e-6)
    )


def test_a_search_explains_its_hits_where_asked_to(client: FlaskClient, hits: list[dict[str, Any]]) -> None:
    answer = client.get(SEARCH, query_string={"q": QUERY, "k": 4, "explain": "true"}).json
    assert answer["hits"] == hits
    for hit, one in zip(hits, answer["explanations"], strict=True):
        assert one["passage"] == hit["passage"]["id"] and adds_up(one)
        assert math.isclose(one["placing"]["score"], hit["score"], abs_tol=1e-9)


def test_a_search_explains_nothing_unasked(client: FlaskClient) -> None:
    assert "explanations" not in client.get(SEARCH, query_string={"q": QUERY}).json


def test_a_passage_is_explained_by_words_that_stand_where_it_says(
    client: FlaskClient, hits: list[dict[str, Any]]
) -> None:
    asked = {"q": QUERY, "passage": hits[0]["passage"]["id"]}
    found = client.get(EXPLAIN, query_string=asked).json["explanation"]
    assert adds_up(found) and found["meaning"]["method"] == "exact"
    text = client.get(f"/api/v1/documents/{hits[0]['document']['id']}/text").json["text"]
    for word in found["meaning"]["passage"]:
        if word["place"] == "text":
            assert text[word["start"] : word["end"]] == word["text"]
    assert {tuple(term["words"]) for term in found["terms"]["terms"]} == {("reserve",), ("bank",), ("interest",)}


def test_two_passages_are_told_apart(client: FlaskClient, hits: list[dict[str, Any]]) -> None:
    first, last = (hit["passage"]["id"] for hit in (hits[0], hits[-1]))
    found = client.get(EXPLAIN, query_string={"q": QUERY, "passage": first, "against": last}).json
    gap = found["explanation"]["meaning"]["cosine"] - found["against"]["meaning"]["cosine"]
    assert math.isclose(sum(part["gap"] for part in found["contrast"]["by_query"]), gap, abs_tol=1e-5)
    assert math.isclose(sum(part["gap"] for part in found["contrast"]["by_word"]), gap, abs_tol=1e-5)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"q": QUERY, "passage": 9999}, 404),
        ({"q": QUERY}, 422),
        ({"q": " ", "passage": 1}, 422),
        ({"q": QUERY, "passage": 1, "against": 9999}, 404),
    ],
)
def test_what_cannot_be_explained_is_refused(client: FlaskClient, asked: dict[str, object], status: int) -> None:
    assert client.get(EXPLAIN, query_string=asked).status_code == status


def test_the_command_line_explains_as_the_api_does(
    client: FlaskClient, hits: list[dict[str, Any]], indexed_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = (hit["passage"]["id"] for hit in (hits[0], hits[-1]))
    where = ["--data-dir", str(indexed_data)]
    assert run(["explain", QUERY, "--passage", str(first), "--against", str(last), "--json", *where]) == 0
    asked = {"q": QUERY, "passage": first, "against": last}
    assert json.loads(capsys.readouterr().out) == client.get(EXPLAIN, query_string=asked).json
    assert run(["explain", QUERY, "--passage", str(first), *where]) == 0
    said = capsys.readouterr().out
    assert "cosine" in said and "BM25" in said and "exact" in said and "interest" in said
    assert run(["explain", QUERY, "--passage", str(first), "--against", str(last), *where]) == 0
    assert "BM25, by words of the query" in capsys.readouterr().out


def test_every_hit_of_the_page_says_why_it_matched(client: FlaskClient) -> None:
    page = see(client, f"/c/archive/search?q={QUERY}")
    folds = page.css("details.why")
    assert len(folds) == len(page.css("li.hit")) == 10
    said_of_first = said(folds[0])
    assert all(word in said_of_first for word in ("interest", "cosine", "BM25", "exact", "Strongest"))
    assert folds[0].css("span.heat-5") and not folds[0].attributes.get("open")


def test_the_coloured_passage_is_the_passage(client: FlaskClient, hits: list[dict[str, Any]]) -> None:
    passage = hits[0]["passage"]
    page = see(client, f"/c/archive/explain?q={QUERY}&passage={passage['id']}")
    assert said(page.css_first("p.passage.heated")) == " ".join(passage["text"].split())
    [strongest] = [word for word in texts(page, "span.heat-5") if word in passage["text"]][:1]
    assert strongest in said(page.css_first("p.passage.heated + p"))


def test_two_hits_are_compared_on_a_page_that_the_hits_link_to(client: FlaskClient) -> None:
    page = see(client, f"/c/archive/search?q={QUERY}")
    [where] = [link for link in links(page, "li.hit details.why a") if "against" in link][:1]
    compared = see(client, where)
    assert len(compared.css(".explained.two > section")) == 2
    captions = texts(compared, "caption")
    assert "The scores" in captions and "BM25, by words of the query" in captions


def test_the_page_asks_which_passage(client: FlaskClient) -> None:
    assert "passage" in see(client, f"/c/archive/explain?q={QUERY}", status=422).text()


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_levels_follow_the_shares(shares: list[float]) -> None:
    top = max(map(abs, shares))
    levels = [level(share, top) for share in sorted(shares)]
    assert levels == sorted(levels)
    assert all(-LEVELS <= one <= LEVELS for one in levels)
    assert not top or max(map(abs, levels)) == LEVELS
