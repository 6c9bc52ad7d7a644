"""`riparian export`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from riparian.catalog.filters import parse
from web import export as exports
from web.commands.edge import Edge, collection_option, command, only_collection
from web.commands.search import FILTER_HELP
from web.export import Form, What


@command("export")
@click.argument("what", type=click.Choice([what.value for what in What]))
@collection_option
@click.option(
    "--format",
    "form",
    default=Form.NDJSON.value,
    show_default=True,
    type=click.Choice([form.value for form in Form]),
    help="ndjson: one JSON object a line; csv: for spreadsheets (cells that would run as formulas are quoted).",
)
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write here [default: standard output]."
)
def export_command(
    edge: Edge, what: str, collection: str | None, form: str, filters: tuple[str, ...], output: Path | None
) -> None:
    """Write out all documents, passages or topics of a collection.

    \b
    riparian export passages --collection papers > passages.ndjson
    riparian export topics --collection papers --format csv -o topics.csv
    """
    name = only_collection(edge, collection)
    lines = exports.export(edge.services.database, name, What(what), Form(form), parse(filters))
    if output is None:
        sys.stdout.writelines(lines)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
