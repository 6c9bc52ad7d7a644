"""A small archive, indexed and with topics, behind the real application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from riparian import jobs
from riparian.config import Settings
from riparian.types import JobState
from tests.conftest import ENCODER
from web.app import create_app
from web.wiring import Services, build

COLLECTION = "archive"

THEMES = {
    "river": "The river {n} carries water and silt past the bank, where boats wait for the flood to fall",
    "money": "The reserve bank {n} raised interest rates, and lenders of money asked for higher payments",
    "garden": "The garden {n} grows roses and beans in the soil, and the gardener waters every seed bed",
}


def write_archive(folder: Path) -> Path:
    """24 texts about three things, a table of two rows, and a file that is no PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme, sentence in THEMES.items():
        for number in range(8):
            text = (
                f"{theme.capitalize()} {number}\n\n" + ". ".join(sentence.format(n=number + i) for i in range(3)) + "."
            )
            (folder / f"{theme}-{number}.txt").write_text(text, encoding="utf-8")
    rows = (
        "title,text,author,date\n"
        "On barges,Barges drift slowly to the sea,Ada,2001-05-02\n"
        "On locks,A lock lifts ships,Bo,2003-01-01\n"
    )
    (folder / "boats.csv").write_text(rows, encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nthis is no PDF")
    return folder


def run_all(services: Services) -> None:
    """Runs every job that waits; each must end well."""
    while (job := jobs.run_one(services.database, services.handlers)) is not None:
        assert job.state is JobState.DONE, job.message


def indexed(data_dir: Path, archive: Path) -> Services:
    services = build(Settings(data_dir=data_dir, encoder=ENCODER, log_level="ERROR"))
    services.indexer.add(COLLECTION, [archive])
    run_all(services)
    services.fit_topics(COLLECTION, topics=3)
    run_all(services)
    return services


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("files") / "archive")


@pytest.fixture(scope="session")
def indexed_data(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Path:
    """A data folder with the archive in it, to be copied."""
    folder = tmp_path_factory.mktemp("indexed")
    services = indexed(folder, archive)
    services.database.engine.dispose()
    return folder


def _services(folder: Path) -> Iterator[Services]:
    services = build(Settings(data_dir=folder, encoder=ENCODER, log_level="ERROR"))
    yield services
    services.database.engine.dispose()


@pytest.fixture(scope="session")
def services(indexed_data: Path) -> Iterator[Services]:
    """The archive, for tests that change nothing."""
    yield from _services(indexed_data)


@pytest.fixture(scope="session")
def app(services: Services) -> Flask:
    return create_app(services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def own_services(tmp_path: Path, indexed_data: Path) -> Iterator[Services]:
    """A copy of the archive, for a test that changes it."""
    yield from _services(shutil.copytree(indexed_data, tmp_path / "own"))


@pytest.fixture
def own_client(own_services: Services) -> FlaskClient:
    return create_app(own_services).test_client()


@pytest.fixture
def empty_services(tmp_path: Path) -> Iterator[Services]:
    """No collection at all."""
    yield from _services(tmp_path / "empty")
