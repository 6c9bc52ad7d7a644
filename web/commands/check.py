"""`riparian check`."""

from __future__ import annotations

import click

from riparian.errors import RiparianError
from web import collection_shapes
from web.commands.edge import Edge, command, json_option, print_json


class NotClean(RiparianError):
    """Problems were found and are still there."""


@command("check")
@click.option("--collection", "-c", "collections", multiple=True, metavar="NAME", help="Only this one [default: all].")
@click.option("--repair", is_flag=True, help="Make what is derived from the database agree with it again.")
@json_option
def check_command(edge: Edge, collections: tuple[str, ...], repair: bool, as_json: bool) -> None:
    """Prove that database, vectors and lexical index say the same. Exit code 0 only if they do."""
    found = edge.services.indexer.check(collections or None, repair=repair)
    left = [problem for problem in found if not problem.repaired]
    if as_json:
        print_json(
            {"clean": not left, "problems": [collection_shapes.problem(problem).json_value() for problem in found]}
        )
    else:
        for problem in found:
            click.echo(
                f"{problem.collection}: {problem.part}: {problem.detail}{' (repaired)' if problem.repaired else ''}"
            )
        click.echo("clean" if not left else f"{len(left)} problems", err=bool(left))
    if left:
        raise NotClean(
            "not clean; run `riparian check --repair`" if not repair else "some problems could not be repaired"
        )
