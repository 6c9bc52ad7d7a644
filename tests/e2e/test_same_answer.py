"""The same question has the same hits in the pages, the API and the command line: on real news and the default encoder,
each in the way a person or a program meets it (a browserless GET over HTTP, and a process of its own)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from indexer.sample import sample_documents
from riparian.config import Settings
from tests.e2e.serving import served
from tests.web.conftest import run_all
from tests.web.html import links, texts
from web.wiring import Services, build

ROOT = Path(__file__).parents[2]
COLLECTION = "news of the day"
STORIES = 60

QUESTIONS = [
    {"q": "forest on fire near houses"},
    {"q": "bank", "mode": "lexical"},
    {"q": "people killed in fighting", "mode": "semantic"},
    {"q": '"prime minister" OR government', "mode": "hybrid"},
    {"q": "police AND NOT bank", "mode": "lexical"},
    {"q": "Größe & <tags> \"of the\" 100% 'x'", "mode": "hybrid"},
    {"q": "money", "weight": "0.9", "filter": "type:txt"},
]

BY_PROCESS = [
    pytest.param(question, marks=() if number in (0, 1, 6) else pytest.mark.slow, id=question["q"][:20])
    for number, question in enumerate(QUESTIONS)
]
"""Each starts a process that loads the encoder: a question by words and meaning, one by words, one with options."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("same-answer")
    (folder / "news").mkdir()
    for number, story in enumerate(islice(sample_documents(), STORIES)):
        (folder / "news" / f"{number:02}.txt").write_text(story.text, encoding="utf-8")
    found = build(Settings(data_dir=folder / "data", log_level="ERROR"))
    found.indexer.add(COLLECTION, [folder / "news"])
    run_all(found)
    yield found
    found.database.engine.dispose()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    with served(services) as found:
        yield found


def fetched(address: str, accept: str) -> str:
    with urlopen(Request(address, headers={"Accept": accept}), timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def asked_of_the_api(address: str, question: dict[str, str]) -> Any:
    place = f"{address}/api/v1/collections/{COLLECTION.replace(' ', '%20')}/search"
    return timeless(json.loads(fetched(f"{place}?{urlencode(question)}", "application/json")))


def asked_of_the_pages(address: str, question: dict[str, str]) -> HTMLParser:
    return HTMLParser(
        fetched(f"{address}/c/{COLLECTION.replace(' ', '%20')}/search?{urlencode(question)}", "text/html")
    )


def asked_on_the_command_line(data_dir: Path, question: dict[str, str]) -> Any:
    options = [f"--{name}={value}" for name, value in question.items() if name != "q"]
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "search", question["q"], "--collection", COLLECTION, "-k", "10", "--json",
         *options, "--data-dir", str(data_dir)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120, env=os.environ,
    )  # fmt: skip
    return timeless(json.loads(done.stdout))


def timeless(answer: Any) -> Any:
    """Without the milliseconds that re-ranking took."""
    assert answer.pop("rerank_ms") >= 0
    return answer


def identity(answer: Any) -> list[tuple[int, int, float]]:
    return [(hit["document"]["id"], hit["passage"]["id"], hit["score"]) for hit in answer["hits"]]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["q"][:20])
def test_pages_and_api_give_the_same_hits(address: str, question: dict[str, str]) -> None:
    told = asked_of_the_api(address, question)
    page = asked_of_the_pages(address, question)
    assert identity(told)
    shown = [tuple(map(int, re.findall(r"^/d/(\d+)\?passage=(\d+)", link)[0])) for link in links(page, ".hit h2 a")]
    assert shown == [(document, passage) for document, passage, _ in identity(told)]
    assert [texts(hit, ".parts li") for hit in page.css(".hit")] == [
        [f"{part['retriever']}{part['scaled']:.2f}" for part in hit["parts"]] for hit in told["hits"]
    ]
    assert texts(page, ".hit .rank") == [str(hit["rank"]) for hit in told["hits"]]


@pytest.mark.parametrize("question", BY_PROCESS)
def test_the_command_line_gives_the_hits_of_the_api(services: Services, address: str, question: dict[str, str]) -> None:
    told = asked_of_the_api(address, question)
    said = asked_on_the_command_line(services.settings.data_dir, question)
    assert identity(told)
    assert identity(said) == identity(told)
    assert said == told


def test_a_hit_has_the_keys_that_programs_rely_on(address: str) -> None:
    told = asked_of_the_api(address, QUESTIONS[0])
    assert len(told["hits"]) == 10
    for hit in told["hits"]:
        assert {"score", "document", "passage"} <= hit.keys()
        assert {"id", "title", "source"} <= hit["document"].keys()
        assert {"id", "start", "end", "text"} <= hit["passage"].keys()
        assert len(hit["passage"]["text"]) == hit["passage"]["end"] - hit["passage"]["start"]


def test_asked_again_the_answer_is_the_same(address: str) -> None:
    first = asked_of_the_api(address, QUESTIONS[0])
    assert asked_of_the_api(address, QUESTIONS[0]) == first
