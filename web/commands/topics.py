"""`riparian topics`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from riparian.errors import Invalid
from riparian.types import TopicId
from topics.kinds import DEFAULT
from topics.queueing import REFIT
from web import curation_wording, learned_shapes, learned_wording, shapes, topic_shapes
from web.commands import curation, learned, refits, topic_analyses
from web.commands.asking import asked, asked_options
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
        topics = [topic_shapes.topic(topic).json_value() for topic in found]
        print_json({"model": topic_shapes.topic_model(model).json_value(), "topics": topics})
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
        print_json(topic_shapes.topic(found).json_value() | {"representative_passages": passages})
        return
    click.echo(f"{click.style(found.label, bold=True)}: {found.share:.1%}, {found.documents} documents")
    click.echo(" ".join(term.term for term in found.terms))
    for passage in found.representatives:
        if passage in typical:
            click.echo(f"\n  {' '.join(typical[passage].text.split())[:400]}")
    topic_analyses.show_closely(edge, topic)


@subcommand(topics_command, "fit")
@collection_option
@asked_options(
    "How many [default: as the texts suggest].",
    "The model: joint is Riparian's own (docs/topic-model.md); combined: by words and meaning; zeroshot: by meaning "
    "alone, for collections in several languages; lda, nmf: by words alone; kmeans: groups by meaning "
    f"[default: {DEFAULT}].",
    "",
)
@click.option("--afresh", is_flag=True, help="Start without what people changed, where they did.")
@json_option
def fit(
    edge: Edge,
    collection: str | None,
    topics: int | None,
    kind: str | None,
    seed: int | None,
    labels: str | None,
    words: int | None,
    options: tuple[str, ...],
    afresh: bool,
    as_json: bool,
) -> None:
    """Find the topics of a collection; the old ones stay until it is done.

    Topics that people changed are refitted as `topics refit` does it: what they did is kept, and the result waits to
    be looked at. --afresh says what is lost and starts without it.
    """
    from web.commands.progress import run_job

    services = edge.services
    name = only_collection(edge, collection)
    chosen = asked(topics, kind, seed, labels, words, options)
    with services.database.read() as catalog:
        collection_id = catalog.collections.named(name).id
    if services.topics.is_curated(collection_id):
        click.echo(curation_wording.told_before(services.curation.curated(collection_id), afresh=afresh), err=True)
    job = services.fit_topics(name, **asdict(chosen), afresh=afresh)
    done = run_job(services, job)
    if done.kind == REFIT:
        refits.show_proposal(services.refits.proposal(collection_id), as_json)
    elif as_json:
        print_json(dict(done.result))
    else:
        click.echo(f"{done.result.get('topics', 'no')} topics found; see them with `riparian topics list`")
        if told := learned_wording.told_after(done.result):
            click.echo(told)


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
    topics, known = edge.services.topics, edge.services.learned
    said = topics.said(collection_id, [_given(edge, text, file)])
    [mixture], [told] = topics.shown(said), known.of_texts(said.info, said.kept)
    found = topic_shapes.memberships(mixture, labels)
    if as_json:
        told_shapes = [shape.json_value() for shape in learned_shapes.told(told)]
        print_json({"topics": [shape.json_value() for shape in found], "labels": told_shapes})
        return
    for shape in found:
        click.echo(f"{shape.weight:6.1%}  {shape.label}")
    if told:
        click.echo(f"{known.field(collection_id)}: {learned_wording.likeliest(told)}")


def _given(edge: Edge, text: str | None, file: Path | None) -> str:
    if file is not None:
        from web import uploads

        return uploads.text_of_file(edge.settings, file)
    if not text or not text.strip():
        raise Invalid("give a TEXT or a --file")
    return text


for _part in (*topic_analyses.ANALYSES, *curation.CURATION, *refits.REFITS, learned.learned):
    topics_command.add_command(_part)
