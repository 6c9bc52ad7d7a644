"""`riparian collections`."""

from __future__ import annotations

import click

from web.api.collections import shape_of
from web.commands.edge import Edge, json_option, print_json, subcommand, table


@click.group("collections")
def collections_command() -> None:
    """Named sets of documents that are searched together."""


@subcommand(collections_command, "list")
@json_option
def list_collections(edge: Edge, as_json: bool) -> None:
    """Every collection with its counts and encoder."""
    with edge.services.database.read() as catalog:
        found = [shape_of(catalog, collection) for collection in catalog.collections.all()]
    if as_json:
        print_json({"collections": [shape.json_value() for shape in found]})
        return
    rows = [(c.name, c.documents, c.passages, c.failures, c.encoder or "-") for c in found]
    table(("name", "documents", "passages", "failures", "encoder"), rows).print()
