"""Where a collection is in a language that its encoder does not know, another is suggested: everywhere the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from riparian import jobs
from riparian.config import Settings
from riparian.types import Job, JobState
from tests.web.conftest import COLLECTION, run_all
from tests.web.html import said, see
from web.app import create_app
from web.cli import run
from web.commands.progress import Hints
from web.commands.summary import summarise
from web.languages import told, told_of
from web.wiring import Services, build

GERMAN = {
    "fluss": "Der Fluss trägt Wasser und Schlick an der Böschung vorbei, wo die Kähne auf das Ende der Flut warten.",
    "bank": "Die Notenbank hat die Zinsen erhöht, und die Gläubiger verlangten höhere Zahlungen als im Jahr zuvor.",
    "garten": "Im Garten wachsen Rosen und Bohnen, und der Gärtner gießt jeden Abend die frisch gesäten Beete.",
}
ENGLISH = {"ships": "The lock lifts ships slowly, and the barges drift down the river until they reach the sea."}
SENTENCE = (
    "3 of 4 documents are in German, which GloVe 6B, 50 dimensions is not made for; the encoder 'use' is, for German "
    "and 15 other languages."
)
COMMAND = "To switch: riparian reindex --collection 'Mein Archiv' --encoder use"
NAME = "Mein Archiv"


def write(folder: Path) -> Path:
    folder.mkdir()
    for name, text in {**GERMAN, **ENGLISH}.items():
        (folder / f"{name}.txt").write_text(text * 2, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def german_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("german") / "data"


@pytest.fixture(scope="module")
def german(german_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = build(Settings(data_dir=german_data, encoder="glove", log_level="ERROR"))
    services.indexer.add(NAME, [write(tmp_path_factory.mktemp("texts") / "texte")])
    run_all(services)
    yield services
    services.database.engine.dispose()


@pytest.fixture
def german_client(german: Services) -> FlaskClient:
    return create_app(german).test_client()


def index_job(services: Services) -> Job:
    with services.database.read() as catalog:
        return next(job for job in jobs.listed(catalog) if job.kind == "index")


def test_the_job_tells_the_languages_and_what_the_encoder_makes_of_them(german: Services) -> None:
    result = index_job(german).result
    assert {code: one["documents"] for code, one in result["languages"].items()} == {"de": 3, "en": 1}
    assert result["languages"]["de"]["verdict"] == "does not know it"
    assert result["languages"]["de"]["unknown"] > 0.15
    assert result["advice"]["suggestion"] == "use"


def test_the_advice_was_there_before_embedding_began(german: Services) -> None:
    """The job's checkpoint holds it, which is written before the first passage is embedded."""
    assert index_job(german).checkpoint["advice"]["sentence"] == SENTENCE


def test_the_api_tells_languages_and_advice(german_client: FlaskClient) -> None:
    found = german_client.get(f"/api/v1/collections/{NAME}").json
    assert found["languages"] == {"de": 3, "en": 1}
    assert found["advice"]["sentence"] == SENTENCE
    assert (found["advice"]["documents"], found["advice"]["told"]) == (3, 4)


def test_a_collection_that_its_encoder_knows_has_no_advice(client: FlaskClient) -> None:
    found = client.get(f"/api/v1/collections/{COLLECTION}").json
    assert found["advice"] is None
    assert 'id="advice"' not in client.get(f"/c/{COLLECTION}").text


def test_the_page_offers_the_other_encoder(german_client: FlaskClient) -> None:
    page = see(german_client, f"/c/{NAME}")
    assert SENTENCE in said(page.body)
    assert page.css_first("#advice input[name=encoder]").attributes["value"] == "use"


def test_the_page_of_the_job_says_it(german: Services, german_client: FlaskClient) -> None:
    assert SENTENCE in said(see(german_client, f"/jobs/{index_job(german).id}").body)


def test_adding_says_it_after_the_summary_with_the_command(
    german: Services, german_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["add", str(write(tmp_path / "mehr")), "-c", NAME, "--data-dir", str(german_data)]) == 0
    summary, advice = capsys.readouterr().out.splitlines()
    assert summary == f"{NAME}: 8 documents, 8 passages"
    assert advice == f"{SENTENCE.replace('3 of 4', '6 of 8')} {COMMAND}"


def test_opening_says_it_in_its_summary(german: Services, capsys: pytest.CaptureFixture[str]) -> None:
    summarise(german, NAME, {}).print(0.0)
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith(COMMAND) and "are in German" in line for line in lines[:-1])
    assert "advice" not in json.loads(lines[-1])


def test_a_terminal_says_it_once_while_the_job_runs(german: Services, capsys: pytest.CaptureFixture[str]) -> None:
    hints, running = Hints(german), replace(index_job(german), state=JobState.RUNNING)
    assert hints.seen(replace(running, checkpoint={})).checkpoint == {}
    assert capsys.readouterr().err == ""
    assert hints.seen(running) is running
    assert capsys.readouterr().err.count(COMMAND) == 1
    hints.seen(running)
    assert COMMAND not in capsys.readouterr().err


def test_without_a_suggestion_no_command_is_told() -> None:
    assert told("None will do.", "", NAME) == "None will do."
    assert told_of(None, NAME) == ""
