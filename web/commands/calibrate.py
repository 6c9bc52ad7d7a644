"""`riparian calibrate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from riparian.errors import Invalid
from search.calibration import TICKS
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json


@command("calibrate")
@collection_option
@click.option("--judgments", type=click.Path(path_type=Path), metavar="PATH", help="Then fit relevance to these: a "
    "BEIR folder, a TREC file with queries.tsv beside it, or a .jsonl with query, document and grade. Hits that nobody "
    "judged count as not relevant.")  # fmt: skip
@click.option("--from-judgments", is_flag=True, help="Then fit relevance to the ticks and crosses kept with the "
    "collection; hits that nobody judged count for nothing.")  # fmt: skip
@click.option("--forget-judgments", is_flag=True, help="Measure nothing; relevance is label-free again.")
@json_option
def calibrate_command(
    edge: Edge,
    collection: str | None,
    judgments: Path | None,
    from_judgments: bool,
    forget_judgments: bool,
    as_json: bool,
) -> None:
    """Measure what scores mean in a collection: hits then carry a relevance between 0 and 1, and a query that finds
    nothing close is told so. It asks some hundred questions about everyday things, and needs no judgments.

    With judgments, relevance is the chance that a judge accepts the hit, and how far off that is, is told on queries
    that it was not fitted to.

    \b
    riparian calibrate --collection papers
    riparian calibrate --collection papers --from-judgments
    riparian calibrate --collection scifact --judgments ~/beir/scifact
    """
    from web.commands.progress import run_job

    if (judgments is not None) + from_judgments + forget_judgments > 1:
        raise Invalid("give one of --judgments, --from-judgments and --forget-judgments")
    name = only_collection(edge, collection)
    calibration = edge.services.calibration
    if forget_judgments:
        calibration.forget_judgments(name)
        print_json({"collection": name}) if as_json else click.echo(f"relevance in {name} is label-free")
        return
    source = TICKS if from_judgments else str(judgments.expanduser().resolve()) if judgments is not None else ""
    result = run_job(edge.services, calibration.calibrate(name, source)).result
    if as_json:
        print_json(dict(result))
    else:
        _say(result)


def _say(result: Mapping[str, Any]) -> None:
    if result["questions"]:
        click.echo(f"measured with {result['questions']} questions in {result['seconds']:.0f} s")
    if fitted := result.get("fitted"):
        click.echo(
            f"fitted to {fitted['hits']} hits of {fitted['queries']} judged queries, {fitted['accepted']} of them "
            f"relevant; on queries held out it is off by {_error(fitted['error'])}, label-free by "
            f"{_error(fitted['label_free_error'])} (expected calibration error)"
        )


def _error(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
