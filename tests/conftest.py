"""Fixtures that every room shares: real parts, small."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from riparian.catalog import migrate
from riparian.catalog.engine import Database, connect
from riparian.encoders.pool import EncoderPool
from tests.postgres import CannotStart, PostgresServer, running_server

ENCODER = "hashing:64"
"""The encoder of the tests: instant, no model."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; the tests that need it are skipped with the reason where none can be started."""
    try:
        server = running_server()
        started = server.__enter__()
    except CannotStart as error:
        pytest.skip(str(error))
    yield started
    server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database that is migrated, to be copied."""
    url = postgres.new_database()
    engine = connect(url)
    migrate.upgrade(engine)
    engine.dispose()
    return make_url(url).database or ""


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "catalog.sqlite"
    engine = connect(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def sqlite_url(data_dir: Path, sqlite_template: Path) -> str:
    """The URL of an empty, migrated SQLite catalog in the data folder."""
    shutil.copy(sqlite_template, data_dir / "catalog.sqlite")
    return f"sqlite:///{data_dir / 'catalog.sqlite'}"


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """An empty, migrated SQLite catalog."""
    engine = connect(sqlite_url)
    yield Database(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty, migrated catalog, once as SQLite and once as PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database(request.getfixturevalue("postgres_template"))
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, migrated catalog, once as SQLite and once as PostgreSQL."""
    engine = connect(database_url)
    yield Database(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> EncoderPool:
    """Loads encoders; `hashing:64` needs no model."""
    return EncoderPool(tmp_path_factory.mktemp("encoder-cache"))
