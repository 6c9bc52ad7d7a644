"""Brings a database to the schema of this program; finds its scripts in a checkout or in the wheel."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect

from riparian.catalog.models import Base
from riparian.errors import Conflict, ForeignDatabase


class NewerDatabase(Conflict):
    """The database was written by a newer Riparian; going down is refused."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(
            f"the database is at schema {revision}, which this Riparian does not know; install a newer one"
        )


def scripts() -> Path:
    """The folder of migration scripts."""
    packaged = Path(__file__).parent.parent / "_migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "migrations"


def upgrade(engine: Engine, revision: str = "head") -> str:
    """Upgrades to `revision` and answers with the revision reached. NewerDatabase when the database is ahead,
    ForeignDatabase when another program made it."""
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    _refuse_newer(engine, config)
    # SQLite must not check foreign keys while tables are rebuilt, and its DDL is transactional only under our BEGIN
    bound = engine.execution_options(riparian_write=True)
    with bound.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return current(engine) or ""


def current(engine: Engine) -> str | None:
    """The schema revision of a database, None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest schema revision this program knows."""
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _refuse_newer(engine: Engine, config: Config) -> None:
    revision = current(engine)
    if revision is None:
        taken = Base.metadata.tables.keys() & set(inspect(engine).get_table_names())
        if taken:
            raise ForeignDatabase(taken)
        return
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise NewerDatabase(revision) from error
