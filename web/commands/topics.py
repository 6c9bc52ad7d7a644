"""`riparian topics`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from riparian.errors import Invalid
from riparian.types import TopicId
from topics.asked import MOST_WORDS
from topics.kinds import DEFAULT, KINDS
from web import shapes
from web.commands import curation, refits, topic_analyses
from web.commands.edge import Edge, collection_option, json_option, only_collection, print_json, subcommand, table


@click.group("topics")
def topics_command() -> None:
    """What a collection is about: find its topics, look at them, ask which a text has."""


@subcommand(topics_command, "list")
@collection_option
@json_option
def list_topics(edge: Edge, collection: str | None, as_json: bool) -> None:
    """The topics of a collection, the largest share first."""
    with edge.services.database.read() as catalog:
        name = only_collection(edge, collection)
        model = catalog.topics.active_model(catalog.collections.named(name).id)
        found = catalog.topics.of_model(model.id)
    if as_json:
        topics = [shapes.topic(topic).json_value() for topic in found]
        print_json({"model": shapes.topic_model(model).json_value(), "topics": topics})
        return
    rows = [(t.id, f"{t.share:6.1%}", t.documents, t.label, " ".join(w.term for w in t.terms[:8])) for t in found]
    table(("id", "share", "documents", "label", "words"), rows).print()


@subcommand(topics_command, "show")
@click.argument("topic", type=click.IntRange(1))
@json_option
def show(edge: Edge, topic: int, as_json: bool) -> None:
    """One topic: its words, and passages that show what it is about."""
    with edge.services.database.read() as catalog:
        found = catalog.topics.get(TopicId(topic))
        typical = catalog.passages.many(found.representatives)
    if as_json:
        passages = [shapes.document_passage(typical[p]).json_value() for p in found.representatives if p in typical]
        print_json(shapes.topic(found).json_value() | {"representative_passages": passages})
        return
    click.echo(f"{click.style(found.label, bold=True)}: {found.share:.1%}, {found.documents} documents")
    click.echo(" ".join(term.term for term in found.terms))
    for passage in found.representatives:
        if passage in typical:
            click.echo(f"\n  {' '.join(typical[passage].text.split())[:400]}")
    topic_analyses.show_closely(edge, topic)


@subcommand(topics_command, "fit")
@collection_option
@click.option("--topics", type=click.IntRange(2, 500), help="How many [default: as the texts suggest].")
@click.option(
    "--kind",
    default=DEFAULT,
    show_default=True,
    type=click.Choice(sorted(KINDS)),
    help="The model: joint is Riparian's own (docs/topic-model.md); combined: by words and meaning; zeroshot: by "
    "meaning alone, for collections in several languages; lda, nmf: by words alone; kmeans: groups by meaning.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="The same seed, the same topics.")
@click.option(
    "--labels",
    metavar="FIELD",
    help="A field of documents (meta.<key>, author, type, language, year) whose values are learned beside the words; "
    "combined and zeroshot only.",
)
@click.option("--words", type=click.IntRange(1, MOST_WORDS), help="Size of the vocabulary [default: 2000].")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the kind, kl_weight=0.5 for one; given as often as needed. docs/topic-kinds.md lists them.",
)
@json_option
def fit(
    edge: Edge,
    collection: str | None,
    topics: int | None,
    kind: str,
    seed: int,
    labels: str | None,
    words: int | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find the topics of a collection anew; the old ones stay until it is done."""
    from web.commands.progress import run_job

    services = edge.services
    name = only_collection(edge, collection)
    chosen = dict(_option(text) for text in options)
    with services.database.read() as catalog:
        collection_id = catalog.collections.named(name).id
    if services.topics.is_curated(collection_id):
        click.echo(
            "people changed these topics, and new ones start without that; `riparian topics refit` keeps it", err=True
        )
    job = services.fit_topics(name, topics=topics, kind=kind, seed=seed, options=chosen, labels=labels, words=words)
    done = run_job(services, job)
    if as_json:
        print_json(dict(done.result))
    else:
        click.echo("topics found; see them with `riparian topics list`")


def _option(text: str) -> tuple[str, Any]:
    """(name, value) of NAME=VALUE; numbers and true or false as such, else the text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"--option takes NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@subcommand(topics_command, "infer")
@click.argument("text", required=False)
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the text from a file.")
@collection_option
@json_option
def infer(edge: Edge, text: str | None, file: Path | None, collection: str | None, as_json: bool) -> None:
    """Which topics of the collection TEXT (or a file) is about."""
    name = only_collection(edge, collection)
    with edge.services.database.read() as catalog:
        collection_id = catalog.collections.named(name).id
        model = catalog.topics.active_model(collection_id)
        labels = {int(topic.id): topic.label for topic in catalog.topics.of_model(model.id)}
    [mixture] = edge.services.topics.infer(collection_id, [_given(edge, text, file)])
    found = shapes.memberships(mixture, labels)
    if as_json:
        print_json({"topics": [shape.json_value() for shape in found]})
        return
    for shape in found:
        click.echo(f"{shape.weight:6.1%}  {shape.label}")


def _given(edge: Edge, text: str | None, file: Path | None) -> str:
    if file is not None:
        from web import uploads

        return uploads.text_of_file(edge.settings, file)
    if not text or not text.strip():
        raise Invalid("give a TEXT or a --file")
    return text


for _part in (*topic_analyses.ANALYSES, *curation.CURATION, *refits.REFITS):
    topics_command.add_command(_part)
