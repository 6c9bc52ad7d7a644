"""`riparian answer` and `riparian summary`."""

from __future__ import annotations

import click

from riparian.catalog.filters import parse
from riparian.errors import Invalid
from riparian.types import Anchor, Document, DocumentId, TopicId
from search.answers import MOST
from search.request import SearchRequest
from search.summaries import MOST as MOST_SENTENCES
from search.summaries import SENTENCES, Summary
from web import answer_shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, plain, print_json
from web.commands.search import FILTER_HELP


@command("answer")
@click.argument("question")
@collection_option
@click.option("--most", default=3, show_default=True, type=click.IntRange(1, MOST), help="Answers at most.")
@click.option(
    "--model",
    default="",
    help="A head for answers learnt with `riparian heads`, or a folder or hub id of a model with a question-answering "
    "head [default: the best sentences].",
)
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
@json_option
def answer_command(
    edge: Edge, question: str, collection: str | None, most: int, model: str, filters: tuple[str, ...], as_json: bool
) -> None:
    """What of the archive answers QUESTION, word for word, with where it stands.

    \b
    riparian answer "who pays for the river wall" --collection papers
    riparian answer "when was the wall built" --model ./my-squad-model --json
    """
    request = SearchRequest(only_collection(edge, collection), question, filters=parse(filters))
    found = edge.services.answers.answer(request, most=most, model=model)
    if as_json:
        print_json(answer_shapes.answers(found).json_value())
        return
    for note in found.notes:
        click.echo(f"({note})")
    if found.no_answer is not None:
        click.echo(f"no answer in the {found.passages} passages read: {found.no_answer:.0%}")
    for number, one in enumerate(found.answers, start=1):
        click.echo(f"{number:3}. {click.style(_line(one.text), bold=True)}  {one.score:.3f}")
        if one.kind == "span":
            click.echo(f"     {_line(one.quote)}")
        click.echo(f"     {_where(one.document, one.place)}, passage {one.passage}")
    if not found.answers:
        click.echo("nothing found")


@command("summary")
@click.option("--document", type=click.IntRange(1), help="Of a document, by its number.")
@click.option("--topic", type=click.IntRange(1), help="Of a topic, by its number.")
@click.option("--query", help="Of what a search finds.")
@collection_option
@click.option(
    "--sentences",
    default=SENTENCES,
    show_default=True,
    type=click.IntRange(1, MOST_SENTENCES),
    help="How many at most.",
)
@json_option
def summary_command(
    edge: Edge,
    document: int | None,
    topic: int | None,
    query: str | None,
    collection: str | None,
    sentences: int,
    as_json: bool,
) -> None:
    """A document, a topic or the hits of a query in some of their own sentences.

    \b
    riparian summary --document 12
    riparian summary --query "river wall" --collection papers --sentences 7
    """
    found = _summary(edge, document, topic, query, collection, sentences)
    if as_json:
        print_json(answer_shapes.summary(found).json_value())
        return
    for one in found.sentences:
        click.echo(_line(one.text))
        click.echo(f"     {_where(one.document, one.place)}")
    if not found.sentences:
        click.echo("there is no sentence that could stand alone")


def _summary(
    edge: Edge, document: int | None, topic: int | None, query: str | None, collection: str | None, sentences: int
) -> Summary:
    if sum(one is not None for one in (document, topic, query)) != 1:
        raise Invalid("give one of --document, --topic and --query")
    service = edge.services.summaries
    if document is not None:
        return service.of_document(DocumentId(document), sentences)
    if topic is not None:
        return service.of_topic(TopicId(topic), sentences)
    return service.of_query(SearchRequest(only_collection(edge, collection), query or ""), sentences)


def _line(text: str) -> str:
    return plain(" ".join(text.split()))


def _where(document: Document, place: Anchor | None) -> str:
    at = f", {place.kind} {place.number}" if place else ""
    return f"{plain(document.display_title)} ({plain(document.source)}{at})"
