"""`riparian heads`: classes, sentiment, answers and tags, learnt on top of an encoder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from riparian.errors import Invalid
from riparian.types import Job
from training.heads.service import HeadWish, KeptHead
from training.heads.table import HEADS
from web.commands.edge import Edge, json_option, plain, print_json, subcommand, table
from web.commands.training import background_option, finish, given, set_option


@click.group("heads")
def heads_command() -> None:
    """Classes, sentiment, answers and tags: learnt from your examples on top of an encoder that stays as it is."""


@subcommand(heads_command, "learn")
@click.argument("head", type=click.Choice(list(HEADS)))
@click.argument("examples", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--name", required=True, help="What to call it.")
@click.option(
    "--encoder", default="", metavar="ENCODER", help="What it stands on [default: the one of a new collection]."
)
@click.option("--column", "columns", multiple=True, metavar="WHAT=COLUMN", help="Where FILE has text, label (question, "
    "passage, answer, start) or group under another name; may be given again.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Decides all chance, and which examples are held out.")
@set_option
@background_option
@json_option
def learn(
    edge: Edge, head: str, examples: Path, name: str, encoder: str, columns: tuple[str, ...], seed: int,
    settings: tuple[str, ...], background: bool, as_json: bool,
) -> None:  # fmt: skip
    """Learn a head from FILE: .csv, .tsv or .jsonl with columns, for tagging lines of a word, a blank and its tag.

    A part of the examples is held out to judge it by, beside the commonest label and a bag of words. The encoder stays
    as it is, but for tuned-classification and layer-mix, which make a new one in the library.

    \b
    riparian heads learn sentiment reviews.csv --name stars --column text=body --column label=stars
    riparian heads learn classification letters.jsonl --name sender --column group=document
    riparian heads learn answers questions.jsonl --name answers
    """
    wish = HeadWish(
        head=head,
        encoder=encoder or edge.settings.encoder,
        name=name,
        examples=str(examples),
        columns={what: str(column) for what, column in given(columns).items()},
        settings=given(settings),
        seed=seed,
    )
    finish(edge, edge.services.heads.learn(wish), background=background, as_json=as_json, say=_say_learnt)


@subcommand(heads_command, "list")
@json_option
def list_heads(edge: Edge, as_json: bool) -> None:
    """Heads that were learnt here."""
    kept = edge.services.heads.kept()
    if as_json:
        print_json({"heads": [shape(head) for head in kept]})
        return
    rows = [(head.name, head.card.task, head.card.encoder["name"], ", ".join(head.card.labels)[:60]) for head in kept]
    table(("name", "task", "encoder", "labels"), rows).print()


@subcommand(heads_command, "show")
@click.argument("name")
@json_option
def show(edge: Edge, name: str, as_json: bool) -> None:
    """What a head was learnt from and how well it did on what was held out."""
    found = shape(edge.services.heads.get(name))
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        if key != "report":
            click.echo(f"{key:9} {value}")
    _say_report(found["report"])


@subcommand(heads_command, "apply")
@click.argument("name")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--question", default="", help="For a head that answers questions.")
@json_option
def apply(edge: Edge, name: str, texts: tuple[str, ...], question: str, as_json: bool) -> None:
    """Put the head to use on texts, or on the lines of standard input.

    \b
    riparian heads apply stars "a moving film"
    riparian heads apply answers "The bridge was built in 1850." --question "When was the bridge built?"
    """
    given_texts = list(texts) or [line.rstrip("\n") for line in sys.stdin if line.strip()]
    if not given_texts:
        raise Invalid("there is no text to look at")
    found = edge.services.heads.apply(name, given_texts, question)
    if as_json:
        print_json({"answers": found})
        return
    for text, answer in zip(given_texts, found, strict=True):
        click.echo(f"{_said(answer, text)}\t{plain(text)}")


@subcommand(heads_command, "remove")
@click.argument("name")
def remove(edge: Edge, name: str) -> None:
    """Delete a head."""
    edge.services.heads.remove(name)
    click.echo(f"removed {name}")


def shape(head: KeptHead) -> dict[str, Any]:
    """A head as JSON."""
    card = head.card
    return {
        "name": head.name,
        "task": card.task,
        "labels": list(card.labels),
        "encoder": card.encoder["name"],
        "created": head.created.isoformat(),
        "settings": dict(card.settings),
        "report": dict(card.report),
    }


def _said(answer: dict[str, Any], text: str) -> str:
    if "label" in answer:
        return f"{answer['label']} {answer['probabilities'][answer['label']]:.2f}"
    if "words" in answer:
        return " ".join(f"{text[word['start'] : word['end']]}/{word['tag']}" for word in answer["words"])
    return answer["text"] or "(no answer)"


def _say_learnt(job: Job) -> None:
    result = job.result
    name = result["head"] or result["made_encoder"]
    click.echo(f"{name}: {result['task']} on {result['encoder']}, learnt in {result['seconds']:.0f} s")
    if result["made_encoder"]:
        click.echo(f"its encoder: riparian encoders show {result['made_encoder']}")
    _say_report(result["report"])


def _say_report(report: dict[str, Any]) -> None:
    for who, figures in report.get("figures", {}).items():
        told = ", ".join(
            f"{name.replace('_', ' ')} {_figure(value)}" for name, value in figures.items() if _shown(value)
        )
        click.echo(f"  {who.replace('_', ' ')}: {told}")


def _shown(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, dict) and {"mean", "low", "high"} <= set(value))


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['mean']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
