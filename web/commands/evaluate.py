"""`riparian evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from riparian.errors import Invalid
from training.quality import EvaluationWish
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table


@command("evaluate")
@collection_option
@click.option("--judgments", type=click.Path(path_type=Path), metavar="PATH", help="A BEIR folder, a TREC file with "
    "queries.tsv beside it, or a .jsonl with query, document and grade [default: the ticks and crosses kept with the "
    "collection].")  # fmt: skip
@click.option("--label-free/--no-label-free", default=True, help="Ask a sample of the documents for themselves, too.")
@click.option(
    "--apply", is_flag=True, help="Use the weight of meaning that was found, where it is better beyond chance."
)
@click.option("--weight", metavar="WEIGHT", help="Measure nothing; use this weight from now on (0 to 1), or the "
    "configured one (usual).")  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Decides all chance.")
@json_option
def evaluate_command(
    edge: Edge,
    collection: str | None,
    judgments: Path | None,
    label_free: bool,
    apply: bool,
    weight: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Measure how well a collection is searched: by words, by meaning, by both.

    By judgments, yours or those of a file, and by questions that the documents give themselves. The weight of meaning
    in a hybrid search is chosen by cross-validation; nothing is changed without --apply.

    \b
    riparian evaluate --collection papers
    riparian evaluate --collection scifact --judgments ~/beir/scifact --apply
    """
    from web.commands.progress import run_job

    name = only_collection(edge, collection)
    quality = edge.services.quality
    if weight is not None:
        quality.set_weight(name, _weight(weight))
        click.echo(f"weight of meaning in {name}: {quality.search.usual_weight(name):g}")
        return
    path = str(judgments.expanduser().resolve()) if judgments is not None else ""
    job = quality.evaluate(EvaluationWish(name, path, label_free, apply, seed))
    done = run_job(edge.services, job)
    if as_json:
        print_json(dict(done.result))
    else:
        _say(done.result)


def _weight(text: str) -> float | None:
    if text == "usual":
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{text!r} is no weight: a number from 0 to 1, or usual") from None


def _say(report: Mapping[str, Any]) -> None:
    for name, found in report["sets"].items():
        click.echo(f"{click.style(name, bold=True)}: {found['questions']} questions")
        measures = list(next(iter(found["ways"].values()))["measures"])
        rows = [
            (way, *(_cell(by["measures"][measure]) for measure in measures), f"{by['milliseconds']:.0f}")
            for way, by in found["ways"].items()
        ]
        rows += [
            (names, *(_cell(by[measure], "+") for measure in measures), "")
            for names, by in found["differences"].items()
        ]
        table(("", *measures, "ms"), rows).print()
        click.echo()
    if report["sample"] and "refused" in report["sample"]:
        click.echo(f"not asked without judgments: {report['sample']['refused']}")
    click.echo(report["conclusion"])


def _cell(found: Mapping[str, float], sign: str = "") -> str:
    return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"
