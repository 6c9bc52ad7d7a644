"""`riparian encoders compare`, `bank` and `estimate`: which encoder is worth its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from riparian.types import Job
from web.commands.edge import Edge, collection_option, json_option, only_collection, plain, subcommand, table
from web.commands.training import background_option, finish, interval


def add_commands(group: click.Group) -> None:
    """Adds the commands of this module to `riparian encoders`."""
    subcommand(group, "compare")(compare)
    subcommand(group, "evaluate")(evaluate)
    subcommand(group, "bank")(bank)
    subcommand(group, "estimate")(estimate)


@click.argument("encoders", nargs=-1, required=True, metavar="ENCODER ENCODER...")
@collection_option
@click.option(
    "--query", "queries", multiple=True, metavar="QUERY", help="Show what each finds first; may be given again."
)
@click.option("--seed", default=0, show_default=True, help="Decides which documents are asked for.")
@background_option
@json_option
def compare(
    edge: Edge, encoders: tuple[str, ...], collection: str | None, queries: tuple[str, ...], seed: int,
    background: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compare two to four encoders over a collection, without any labels.

    Each has to find documents by their title, by a sentence taken out of them, and by their first half. Scores come
    with 95 % intervals, beside BM25, with what each encoder costs.

    \b
    riparian encoders compare sentence-transformers use glove --collection papers --query "river bank"
    """
    job = edge.services.benches.compare(only_collection(edge, collection), encoders, queries, seed)
    finish(edge, job, background=background, as_json=as_json, say=_say_compared)


@click.argument("encoder", metavar="ENCODER")
@collection_option
@click.option("--seed", default=0, show_default=True, help="Decides which documents are asked for.")
@background_option
@json_option
def evaluate(
    edge: Edge, encoder: str, collection: str | None, seed: int, background: bool, as_json: bool
) -> None:  # fmt: skip
    """Judge one encoder over a collection beside BM25, without any labels: see `compare`."""
    job = edge.services.benches.evaluate(only_collection(edge, collection), encoder, (), seed)
    finish(edge, job, background=background, as_json=as_json, say=_say_compared)


@click.argument("encoders", nargs=-1, required=True, metavar="ENCODER...")
@click.option("--occurrences", default="", metavar="FILE", help="JSON lines (also .gz) with word, sense, text (tokens "
    "between blanks) and position [default: 48 sentences with \"bank\" that come along].")  # fmt: skip
@click.option("--word", "words", multiple=True, metavar="WORD", help="Only this word of FILE; may be given again.")
@click.option("--seed", default=0, show_default=True, help="Decides all chance.")
@background_option
@json_option
def bank(
    edge: Edge, encoders: tuple[str, ...], occurrences: str, words: tuple[str, ...], seed: int,
    background: bool, as_json: bool,
) -> None:  # fmt: skip
    """Does an encoder give the bank of a river another vector than the bank that lends money?

    Facts (is a word's vector the same everywhere?) and figures: how often two occurrences of one sense are closer than
    two of different senses (AUC), and how likely that is by chance.

    \b
    riparian encoders bank sentence-transformers use glove
    """
    path = str(Path(occurrences).expanduser()) if occurrences else ""
    job = edge.services.benches.bank(encoders, path, words, seed)
    finish(edge, job, background=background, as_json=as_json, say=_say_bank)


@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--collection", "-c", metavar="NAME", help="Of this collection's documents.")
@click.option("--encoder", "encoders", multiple=True, metavar="ENCODER", help="May be given again [default: the one "
    "of a new collection].")  # fmt: skip
@background_option
@json_option
def estimate(
    edge: Edge, paths: tuple[Path, ...], collection: str | None, encoders: tuple[str, ...], background: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell the time and the room on the disk that indexing would take, from 200 passages, before it is begun.

    \b
    riparian encoders estimate ~/papers --encoder sentence-transformers --encoder use
    """
    job = edge.services.benches.estimate(
        encoders or (edge.settings.encoder,), collection=collection, paths=[str(path.absolute()) for path in paths]
    )
    finish(edge, job, background=background, as_json=as_json, say=_say_estimated)


def _say_compared(job: Job) -> None:
    result = job.result
    asked = ", ".join(f"{number} {task}" for task, number in result["queries"].items())
    click.echo(f"{result['documents']} of {result['given']} documents of {result['collection']}; questions: {asked}")
    tasks = list(result["queries"])
    rows = [
        (row["name"], interval(row["scores"]["main"]), *(_task(row, task) for task in tasks), *_cost(row["cost"]))
        for row in result["rows"]
    ]
    table(("encoder", "nDCG@10 (95 %)", *tasks, "passages/s", "bytes/vector", "MB", "load s"), rows).print()
    for name, difference in result["differences"].items():
        click.echo(f"{name}: {interval(difference['main'], signed=True)}")
    for shift in result["shifts"]:
        _say_shift(shift)


def _say_shift(shift: Mapping[str, Any]) -> None:
    click.echo(f"\n{shift['query']}")
    rows = [
        (*(one["ranks"][name] or "" for name in shift["encoders"]), plain(one["title"] or one["beginning"])[:70])
        for one in shift["documents"]
    ]
    table((*shift["encoders"], "document"), rows).print()


def _say_bank(job: Job) -> None:
    heads = ("encoder", "compared", "same vector everywhere", "AUC", "AUC of whole texts", "p", "unknown")
    rows = [_bank_row(row) for row in job.result["rows"]]
    table(heads, rows).print()
    for row in job.result["rows"]:
        for fact in row["broken_facts"]:
            click.echo(f"{row['name']}: {fact}", err=True)


def _bank_row(row: Mapping[str, Any]) -> Sequence[object]:
    worst = max((found["p_value"] for found in row["separation"].values()), default=1.0)
    same = "yes" if row["identical"] else f"no ({row['equal']} of {row['pairs']} pairs)"
    return (
        row["name"],
        row["level"],
        same,
        f"{row['auc']:.3f}",
        f"{row['text_auc']:.3f}",
        f"{worst:.3f}",
        row["unknown"],
    )


def _say_estimated(job: Job) -> None:
    result = job.result
    click.echo(f"{result['documents']} documents, {result['characters']:,} characters")
    rows = [
        (row["encoder"], row["passages"], _time(row["seconds"]), f"{row['bytes'] / 1e6:.1f} MB", row["dimension"])
        for row in result["rows"]
    ]
    table(("encoder", "passages", "time to embed", "vectors on disk", "dimension"), rows).print()


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _task(row: Mapping[str, Any], task: str) -> str:
    return f"{row['scores']['tasks'][task]['measures']['nDCG@10']['mean']:.3f}"


def _cost(cost: Mapping[str, float] | None) -> Sequence[str]:
    if cost is None:
        return ("", "", "", "")
    return (
        f"{cost['passages_per_second']:.0f}", f"{cost['bytes_per_vector']:.0f}", f"{cost['model_mb']:.1f}",
        f"{cost['load_seconds']:.1f}",
    )  # fmt: skip
