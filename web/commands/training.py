"""`riparian encoders train` and its relatives: long work on encoders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from riparian.errors import Invalid
from riparian.types import Job, JobId
from training.recipes.table import DEFAULT, recipes
from training.service import Wish
from training.tuning import TuneWish
from web.commands.edge import Edge, json_option, print_json, subcommand

background_option = click.option(
    "--background", is_flag=True, help="Only queue it, for a `riparian worker` or `riparian serve`."
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the method; may be given again."
)


def add_commands(group: click.Group) -> None:
    """Adds the commands of this module to `riparian encoders`."""
    subcommand(group, "train")(train)
    subcommand(group, "tune")(tune)


@click.argument("kind", metavar="KIND")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--name", required=True, help="What to call the new encoder.")
@click.option("--text", "texts", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Learn from the "
    "files at and below PATH; may be given again.")  # fmt: skip
@click.option("--collection", "-c", metavar="NAME", help="Learn from this collection's documents.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Take about this long [default: as long as "
    "the method's own number of epochs takes].")  # fmt: skip
@click.option("--base", default="", metavar="ENCODER", help="The encoder to build on (cove: its word vectors).")
@click.option("--tags", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="cvt: sentences of tagged "
    "words to learn from, a word, a space and its tag a line, a blank line between sentences.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Decides all chance.")
@set_option
@background_option
@json_option
def train(
    edge: Edge,
    kind: str,
    paths: tuple[Path, ...],
    name: str,
    texts: tuple[Path, ...],
    collection: str | None,
    minutes: float | None,
    base: str,
    tags: tuple[Path, ...],
    seed: int,
    settings: tuple[str, ...],
    background: bool,
    as_json: bool,
) -> None:
    """Train an encoder of KIND from text: a collection's documents, or files of any format that can be indexed.

    The result is a new encoder, used by its name. Stopped half way, the same command goes on from there.

    \b
    riparian encoders train elmo --text ~/papers --name papers-elmo --minutes 10
    riparian encoders train word2vec --collection papers --name papers-w2v
    riparian encoders train cove --text /usr/share/locale/de --name cove-de
    """
    wish = Wish(
        kind=kind,
        name=name,
        collection=collection,
        paths=[str(path) for path in (*texts, *paths)],
        settings=given(settings),
        minutes=minutes,
        seed=seed,
        base=base,
        tags=[str(path) for path in tags],
    )
    finish(edge, edge.services.training.train(wish), background=background, as_json=as_json, say=_say_trained)


@click.argument("encoder", metavar="ENCODER")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--name", required=True, help="What to call the new encoder.")
@click.option(
    "--recipe", default=DEFAULT, show_default=True, type=click.Choice(list(recipes())), help="How it is tuned."
)
@click.option("--text", "texts", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Learn from the "
    "files at and below PATH; may be given again.")  # fmt: skip
@click.option("--collection", "-c", metavar="NAME", help="Learn from this collection's documents.")
@click.option("--pairs", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Recipe pairs: questions "
    "and answers, or other texts that belong together, in the columns first and second of a .csv, .tsv or .jsonl; may "
    "be given again.")  # fmt: skip
@click.option("--from-judgments", "judgments", is_flag=True, help="Recipe pairs: learn from the collection's "
    "queries with what was judged relevant for them, too.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Decides all chance, and which documents are held out.")
@click.option("--force", is_flag=True, help="Learn also from text that looks shuffled, and keep the result although it "
    "is not better.")  # fmt: skip
@set_option
@background_option
@json_option
def tune(
    edge: Edge,
    encoder: str,
    paths: tuple[Path, ...],
    name: str,
    recipe: str,
    texts: tuple[Path, ...],
    collection: str | None,
    pairs: tuple[Path, ...],
    judgments: bool,
    seed: int,
    force: bool,
    settings: tuple[str, ...],
    background: bool,
    as_json: bool,
) -> None:
    """Fine-tune ENCODER on your own documents, without labels (recipe pairs: titles with their texts).

    A fifth of the documents is held out. The result is kept only if it finds these better than ENCODER does, beyond
    chance; the report shows both beside BM25 and word vectors, and what was forgotten of general text.

    
    riparian encoders tune sentence-transformers --collection papers --name papers-minilm
    riparian encoders tune sentence-transformers --recipe pairs --collection papers --name papers-pairs
    """
    wish = TuneWish(
        recipe=recipe,
        encoder=encoder,
        name=name,
        collection=collection,
        paths=[str(path.absolute()) for path in (*texts, *paths)],
        pairs=[str(path.absolute()) for path in pairs],
        judgments=judgments,
        settings=given(settings),
        seed=seed,
        force=force,
    )
    finish(edge, edge.services.tuning.tune(wish), background=background, as_json=as_json, say=_say_tuned)


def given(settings: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs. Invalid for what is not one."""
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise Invalid(f"--set takes NAME=VALUE, not {setting!r}")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def finish(edge: Edge, job_id: JobId, *, background: bool, as_json: bool, say: Any) -> None:
    """Runs the job here and prints its result, or says under which number it waits."""
    from web.commands.progress import run_job

    if background:
        print_json({"job": job_id}) if as_json else click.echo(f"queued as job {job_id}")
        return
    done = run_job(edge.services, job_id)
    print_json(dict(done.result)) if as_json else say(done)


def _say_trained(job: Job) -> None:
    result = job.result
    click.echo(f"{result['encoder']}: trained on {result['origin']} in {result['seconds']:.0f} s")
    for name, value in figures(result["report"]):
        click.echo(f"  {name}: {value}")
    click.echo(f"use it: riparian add PATH --collection NAME --encoder {result['encoder']}")


def _say_tuned(job: Job) -> None:
    result = job.result
    verdict = result["verdict"]
    held_out = verdict["held_out"]
    click.echo(f"held out: {held_out['documents']} documents, judged by nDCG@10 (95 %)")
    for role, scores in held_out["scores"].items():
        click.echo(f"  {role:8} {interval(scores['main'])}  {scores['name']}")
    click.echo(f"  gain     {interval(verdict['gain'], signed=True)}")
    if verdict["forgetting"]:
        click.echo(f"  on general text {interval(verdict['forgetting'], signed=True)}")
    for note in verdict["notes"]:
        click.echo(f"  {note}")
    if result["encoder"]:
        click.echo(f"{result['encoder']}: {'kept by force' if result['forced'] else verdict['reason']}")
        click.echo(f"use it: riparian reindex --collection NAME --encoder {result['encoder']}")
    else:
        click.echo(f"not kept: {verdict['reason']}. The same with --force keeps it.")


def interval(found: Mapping[str, float], *, signed: bool = False) -> str:
    """A mean with the ends of its 95 % interval."""
    sign = "+" if signed else ""
    return f"{found['mean']:{sign}.3f} ({found['low']:{sign}.3f} to {found['high']:{sign}.3f})"


def figures(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The numbers of a report that people compare, in its order."""
    left_out = ("settings", "seed")
    return [
        (name.replace("_", " "), str(value))
        for name, value in report.items()
        if name not in left_out and not name.endswith("sha256") and isinstance(value, int | float | str)
    ]
