"""What the database says of itself reaches a person as one of our errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from riparian.catalog import migrate
from riparian.catalog.engine import Database, connect
from riparian.errors import DamagedDatabase, Invalid, StorageFull


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"these are minutes of a meeting " * 1000)
    before = path.read_bytes()
    engine = connect(f"sqlite:///{path}")
    with pytest.raises(DamagedDatabase, match=r"catalog\.sqlite is damaged \(file is not a database\)"):
        migrate.upgrade(engine)
    engine.dispose()
    assert path.read_bytes() == before


def test_a_database_that_was_cut_is_damaged_and_not_empty(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.write_bytes(path.read_bytes()[:30_000])
    engine = connect(sqlite_url)
    with pytest.raises(DamagedDatabase, match="malformed"), Database(engine).read() as catalog:
        catalog.collections.all()
    engine.dispose()


def test_a_disk_that_is_full_is_told_and_what_was_there_stays(sqlite_url: str) -> None:
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # as a full disk does it
        with pytest.raises(StorageFull, match=r"catalog\.sqlite"):
            connection.execute(text("CREATE TABLE more (words TEXT)"))
            connection.execute(text("INSERT INTO more VALUES (zeroblob(1000000))"))
        connection.rollback()
    with Database(engine).read() as catalog:
        assert catalog.collections.all() == []
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "mysql://ann:secret@host/name", "postgres", "oracle://ann:secret@x/y"])
def test_a_url_of_no_known_database_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(Invalid, match="DATABASE_URL") as caught:
        connect(url)
    assert "secret" not in str(caught.value)
