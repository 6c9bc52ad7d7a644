"""Answers and summaries over HTTP, on the command line and on the pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from riparian.errors import Invalid
from tests.riparian.encoder_models import tiny_bert
from tests.web.html import links, said, see, texts
from training.heads.card import HeadCard
from training.heads.service import KeptHead, UnknownHead
from web.cli import run
from web.span_readers import SpanReaders

ANSWER = "/api/v1/collections/archive/answer"
QUESTION = "who asked for higher payments?"


def text_of(client: FlaskClient, document: int) -> str:
    found: str = client.get(f"/api/v1/documents/{document}/text").json["text"]
    return found


def stands(client: FlaskClient, one: dict[str, Any]) -> bool:
    text = text_of(client, one["document"]["id"])[one["start"] : one["end"]]
    return " ".join(text.split()) == " ".join(one["text"].split())


def test_a_question_is_answered_by_sentences_that_stand_where_it_says(client: FlaskClient) -> None:
    found = client.get(ANSWER, query_string={"q": QUESTION, "most": 2}).json
    assert len(found["answers"]) == 2 and found["no_answer"] is None
    assert "higher payments" in found["answers"][0]["text"]
    assert all(stands(client, one) for one in found["answers"])


def test_a_model_that_is_nowhere_is_refused(client: FlaskClient) -> None:
    assert client.get(ANSWER, query_string={"q": QUESTION, "model": "/no/such/model"}).status_code == 404
    assert client.get(ANSWER, query_string={"q": QUESTION, "most": 0}).status_code == 422


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("/api/v1/documents/1/summary", 1),
        ("/api/v1/topics/1/summary", 4),
        ("/api/v1/collections/archive/summary?q=boats+on+the+river&count=3", 3),
    ],
)
def test_a_summary_is_made_of_sentences_of_the_archive(client: FlaskClient, address: str, count: int) -> None:
    found = client.get(address).json
    assert len(found["sentences"]) >= count
    assert all(stands(client, one) for one in found["sentences"])
    assert all(0 < one["score"] <= 1 for one in found["sentences"])


@pytest.mark.parametrize("address", ["/api/v1/documents/999/summary", "/api/v1/topics/999/summary"])
def test_there_is_no_summary_of_what_is_not_there(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_page_answers_a_question_and_no_other_query(client: FlaskClient) -> None:
    asked = see(client, f"/c/archive/search?q={QUESTION}")
    assert "higher payments" in said(asked.css_first("section.extracts li"))
    assert any("passage=" in link for link in links(asked, "section.extracts li a"))
    assert not see(client, "/c/archive/search?q=higher+payments").css("section.extracts")


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/d/1", "In its own sentences"),
        ("/t/1", "In its own sentences"),
        ("/c/archive/search?q=boats", "What the first hits say"),
    ],
)
def test_pages_sum_up_on_request(client: FlaskClient, address: str, title: str) -> None:
    page = see(client, address)
    assert not page.css("#summary")
    [ask] = [link for link in links(page, "a") if "summary=1" in link]
    summed = see(client, ask)
    assert texts(summed, "#summary li p.passage")
    assert said(summed.css_first("#summary-title")) == title


def test_the_command_line_says_what_the_api_says(
    client: FlaskClient, indexed_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data-dir", str(indexed_data)]
    assert run(["answer", QUESTION, "--collection", "archive", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out) == client.get(ANSWER, query_string={"q": QUESTION}).json
    assert run(["summary", "--topic", "1", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out) == client.get("/api/v1/topics/1/summary").json
    assert run(["answer", QUESTION, *where]) == 0
    assert "higher payments" in capsys.readouterr().out
    assert run(["summary", "--query", "boats", *where]) == 0
    assert "river" in capsys.readouterr().out
    assert run(["summary", *where]) == 2


# ------------------------------------------------------------------------------ models that point


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT with a question-answering head."""
    import torch
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    body = tiny_bert(tmp_path_factory.mktemp("body"))
    target = tmp_path_factory.mktemp("head") / "answers"
    torch.manual_seed(5)
    AutoModelForQuestionAnswering.from_config(AutoConfig.from_pretrained(body)).save_pretrained(target)
    shutil.copy(body / "tokenizer.json", target / "tokenizer.json")
    return target


def test_a_model_answers_with_spans_and_how_likely_there_is_none(client: FlaskClient, model: Path) -> None:
    found = client.get(ANSWER, query_string={"q": QUESTION, "model": str(model)}).json
    assert found["model"] == str(model) and 0 <= found["no_answer"] <= 1
    for one in found["answers"]:
        assert one["kind"] == "span" and stands(client, one) and 0 <= one["score"] <= 1
        assert one["sentence"]["start"] <= one["start"] < one["end"] <= one["sentence"]["end"]
    page = see(client, f"/c/archive/search?q={QUESTION}&model={model}")
    assert texts(page, "section.extracts mark.best") == [" ".join(one["text"].split()) for one in found["answers"]]


class TwoHeads:
    """A head that points at the first word, and one for something else."""

    def get(self, name: str) -> KeptHead:
        tasks = {"mine": "answers", "tone": "sentiment"}
        if name not in tasks:
            raise UnknownHead(name, list(tasks))
        return KeptHead(name, Path(name), HeadCard(tasks[name], (), {}, {}, {}), datetime.now(UTC))

    def apply(self, name: str, texts: Sequence[str], question: str = "") -> list[dict[str, Any]]:
        return [{"start": 0, "end": len(text.split()[0]), "text": "", "margin": 1.5} for text in texts]


def test_a_head_is_asked_by_its_name_and_only_one_for_answers() -> None:
    readers = SpanReaders(TwoHeads(), "cpu")
    [found] = readers.of("mine")("Who?", ["Ducks left."])
    assert (found.start, found.end, found.margin) == (0, 5, 1.5)
    with pytest.raises(Invalid, match="sentiment"):
        readers.of("tone")
