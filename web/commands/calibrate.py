"""`riparian calibrate`."""

from __future__ import annotations

import click

from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json


@command("calibrate")
@collection_option
@json_option
def calibrate_command(edge: Edge, collection: str | None, as_json: bool) -> None:
    """Measure what scores mean in a collection: hits then carry a relevance between 0 and 1, and a query that finds
    nothing close is told so. It asks some hundred questions about everyday things, and needs no judgments."""
    from web.commands.progress import run_job

    name = only_collection(edge, collection)
    result = run_job(edge.services, edge.services.calibration.calibrate(name)).result
    if as_json:
        print_json(dict(result))
    else:
        click.echo(f"measured with {result['questions']} questions")
