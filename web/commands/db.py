"""`riparian db`."""

from __future__ import annotations

import click

from riparian.catalog import migrate
from riparian.catalog.engine import connect
from web.commands.edge import Edge, json_option, print_json, subcommand


@click.group("db")
def db_command() -> None:
    """The database: SQLite in the data folder, or the one DATABASE_URL names."""


@subcommand(db_command, "upgrade")
@json_option
def upgrade(edge: Edge, as_json: bool) -> None:
    """Bring the database to the schema of this program. Every other command does so by itself."""
    engine = connect(edge.settings.catalog_url)
    before, reached = migrate.current(engine), migrate.upgrade(engine)
    if as_json:
        print_json({"before": before, "now": reached})
    else:
        click.echo(f"the database is at {reached}" + ("" if before == reached else f" (was {before or 'empty'})"))
