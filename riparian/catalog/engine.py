"""One database, two kinds of transaction: `read` and `write`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from riparian.catalog.catalog import Catalog
from riparian.errors import DamagedDatabase, Invalid, MissingExtra, RiparianError, StorageFull

BUSY_SECONDS = 60  # a writer waits this long for another writer of the same SQLite file


def connect(url: str) -> Engine:
    """An engine for the catalog's URL. SQLite: WAL, foreign keys on, synchronous=FULL; its folder is made.

    MissingExtra where the database's driver is not installed; Invalid for a URL of no database that is known.
    Statements raise StorageFull and DamagedDatabase for what SQLite finds of its file.
    """
    if not url.startswith("sqlite"):
        return _connect_to_server(url)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    if engine.url.database and engine.url.database != ":memory:":
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _told, retval=True)
    return engine


def _connect_to_server(url: str) -> Engine:
    try:
        parsed = _with_driver(url)
    except ArgumentError as error:
        raise _no_database("what was given is no URL") from error
    if parsed.get_backend_name() != "postgresql":
        raise _no_database(f"there is no support for {parsed.drivername!r}")
    try:
        return create_engine(parsed, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "psycopg", "postgres") from error


def _no_database(why: str) -> Invalid:
    """Without the URL itself, which may hold a password."""
    return Invalid(f"DATABASE_URL: {why}; write postgresql://USER@HOST/NAME or sqlite:////PATH")


def _told(context: ExceptionContext) -> RiparianError | None:
    """What SQLite says of its own file, as our error; None leaves the error as it is."""
    said, engine = str(context.original_exception), context.engine
    path = (engine and engine.url.database) or "the data folder"
    if "disk is full" in said or "No space left" in said:
        return StorageFull(path)
    if "not a database" in said or "malformed" in said:
        return DamagedDatabase(path, said)
    return None


def _with_driver(url: str) -> URL:
    """The URL as people write it (`postgres://`, `postgresql://`), with the driver that the extra installs."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own rule would start too late
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # a write transaction takes the lock at its start, so that it never fails half way for having read first
    write = connection.get_execution_options().get("riparian_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@dataclass(frozen=True, slots=True)
class Database:
    """Gives transactions over one engine: `with database.write() as catalog: …` commits at the end and rolls back
    on any error; `read` never writes and sees one state of the database throughout. Keep slow work (encoding, reading
    files) outside."""

    engine: Engine

    def read(self) -> AbstractContextManager[Catalog]:
        return self._transaction(write=False)

    def write(self) -> AbstractContextManager[Catalog]:
        return self._transaction(write=True)

    def faults(self) -> list[str]:
        """What the database itself finds damaged in its file; [] for a server, which looks after its own."""
        if self.engine.dialect.name != "sqlite":
            return []
        with self.engine.connect() as connection:
            lines = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check")]
        return [line for line in lines if line != "ok"]

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Catalog]:
        with Session(self._bound(write=write), expire_on_commit=False) as session, session.begin():
            yield Catalog(session)

    def _bound(self, *, write: bool) -> Engine:
        if self.engine.dialect.name == "postgresql" and not write:
            # by default PostgreSQL shows each statement a newer state than the one before
            return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return self.engine.execution_options(riparian_write=write)
