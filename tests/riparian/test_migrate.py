from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from riparian.catalog import migrate
from riparian.catalog.engine import connect
from riparian.catalog.models import Base
from riparian.errors import ForeignDatabase


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    else:
        engine = connect(request.getfixturevalue("postgres").new_database())
    yield engine
    engine.dispose()


def test_an_upgraded_empty_database_equals_the_models(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_answers_with_the_newest_revision_and_twice_changes_nothing(empty: Engine) -> None:
    assert migrate.current(empty) is None
    assert migrate.upgrade(empty) == migrate.head()
    assert migrate.upgrade(empty) == migrate.head()


def test_a_newer_database_is_refused_and_left_as_it_is(empty: Engine) -> None:
    migrate.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.NewerDatabase, match="9999"):
        migrate.upgrade(empty)
    assert migrate.current(empty) == "9999"


def test_going_down_leaves_no_table(empty: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    migrate.upgrade(empty)
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    with empty.execution_options(riparian_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(empty).get_table_names() in ([], ["alembic_version"])


def test_ids_that_name_folders_are_never_given_twice(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    migrate.upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"))
        counted = {row[0] for row in rows}
    engine.dispose()
    assert {"collections", "documents", "passages", "vectors", "tombstones", "lexical_changes", "jobs"} <= counted
    assert {"topic_models", "topics"} <= counted


def test_a_database_with_tables_of_another_program_is_refused_and_left_as_it_is(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE documents (words TEXT)"))
    with pytest.raises(ForeignDatabase, match="another program: it holds documents"):
        migrate.upgrade(empty)
    assert inspect(empty).get_table_names() == ["documents"]
