"""`riparian search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from riparian.catalog.filters import parse, sense_condition
from riparian.types import CollectionId, Hit, Mode, Respelt, SearchAnswer, Span
from search import examples
from search.relevance import JUDGMENTS
from search.request import LONGEST_PAGE, Fusion, Fuzziness, Rerank, SearchRequest
from web import shapes, topic_analysis_shapes
from web import topic_mix as mixes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, plain, print_json

if TYPE_CHECKING:
    from topics.analysis.service import Mix

FILTER_HELP = (
    "Only documents that meet it; may be given several times: author:Smith, language:en,de, date>=2001-05, "
    "path:reports/, type:pdf, title:flood, topic:12, sense:3, meta.tags:budget."
)


@command("search")
@click.argument("query")
@collection_option
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, LONGEST_PAGE), help="Hits at most.")
@click.option("--offset", default=0, type=click.IntRange(0), help="Hits to leave out before the first.")
@click.option(
    "--mode",
    default=Mode.HYBRID.value,
    show_default=True,
    type=click.Choice([mode.value for mode in Mode]),
    help="semantic: by meaning; lexical: by words; hybrid: both.",
)
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
@click.option("--sense", "senses", multiple=True, type=click.IntRange(1), metavar="ID", help="Only where a word has "
    "this sense, as `riparian senses WORD` numbers them; of several, any.")  # fmt: skip
@click.option(
    "--weight", type=click.FloatRange(0, 1), help="Share of meaning in a hybrid search [default: the configured one]."
)
@click.option(
    "--fusion",
    default=Fusion.MIN_MAX.value,
    show_default=True,
    type=click.Choice([fusion.value for fusion in Fusion]),
    help="How a hybrid search makes one ranking of two.",
)
@click.option("--min-relevance", type=click.FloatRange(0, 1), help="Leave out hits of less relevance.")
@click.option(
    "--rerank",
    type=click.Choice([kind.value for kind in Rerank]),
    help="How the first hits are put in order again [default: the configured way].",
)
@click.option(
    "--fuzzy",
    default=Fuzziness.AUTO.value,
    show_default=True,
    type=click.Choice([kind.value for kind in Fuzziness]),
    help="Also look for what looks like words that no document holds (auto), like every word (on), or like none (off).",
)
@click.option("--facet", "facets", multiple=True, metavar="FIELD", help="Count the values of a field (with --json).")
@click.option("--collapse/--no-collapse", default=True, help="Put near-duplicates under the best of them.")
@click.option("--more", multiple=True, metavar="EXAMPLE", help="Like this: p12 (a passage), d7 (a document) or a text, "
    "with a weight behind it where it is not 1: p12^2; may be given again.")  # fmt: skip
@click.option("--less", multiple=True, metavar="EXAMPLE", help="Unlike this; written in the same way.")
@click.option("--within", multiple=True, metavar="QUERY", help="Search only what QUERY finds; may be given again.")
@click.option("--feedback/--no-feedback", default=True, help="Go by the ticks and crosses given to this query.")
@click.option("--passages", default=1, type=click.IntRange(1, 20), help="Passages a hit shows.")
@click.option("--topic-mix", is_flag=True, help="Also the topics of exactly the documents that match.")
@json_option
def search_command(
    edge: Edge,
    query: str,
    collection: str | None,
    k: int,
    offset: int,
    mode: str,
    filters: tuple[str, ...],
    senses: tuple[int, ...],
    weight: float | None,
    fusion: str,
    min_relevance: float | None,
    rerank: str | None,
    fuzzy: str,
    facets: tuple[str, ...],
    collapse: bool,
    more: tuple[str, ...],
    less: tuple[str, ...],
    within: tuple[str, ...],
    feedback: bool,
    passages: int,
    topic_mix: bool,
    as_json: bool,
) -> None:
    """Search a collection: QUERY is what you would ask a person.

    Words in quotes must stand together; AND, OR, NOT and parentheses are understood, flood^2 counts a word twice, and
    like:p12 or unlike:"spring tides" move the answer.

    \b
    riparian search "who pays for the river wall" --collection papers
    riparian search '"reserve bank" rates' -k 3 --filter 'date>=2001' --json
    """
    request = SearchRequest(
        collection=only_collection(edge, collection),
        query=query,
        mode=Mode(mode),
        filters=parse([*filters, *sense_condition(senses)]),
        weight=weight,
        fusion=Fusion(fusion),
        rerank=Rerank(rerank) if rerank else None,
        min_relevance=min_relevance,
        fuzzy=Fuzziness(fuzzy),
        k=k,
        offset=offset,
        facets=facets,
        collapse=collapse,
        passages=passages,
        more=tuple(examples.named(one) for one in more),
        less=tuple(examples.named(one) for one in less),
        feedback=feedback,
        within=within,
    )
    answer = edge.services.search.search(request)
    mix = mixes.of_answer(edge.services, _id_of(edge, request.collection), answer) if topic_mix else None
    if as_json:
        added = {"topic_mix": topic_analysis_shapes.mix(mix).json_value() if mix else None} if topic_mix else {}
        print_json(shapes.answer(answer).json_value() | added)
        return
    _say(answer)
    if mix:
        _say_mix(mix)


def _say(answer: SearchAnswer) -> None:
    for note in answer.notes:
        click.echo(f"({note})")
    for one in answer.respelt:
        click.echo(_did_you_mean(one))
    if answer.basis and answer.basis.kind == JUDGMENTS and answer.hits:
        click.echo(f"(relevance: the chance that a judge accepts the hit, by {answer.basis.queries} judged queries)")
    for hit in answer.hits:
        click.echo(said(hit))
    if not answer.hits:
        click.echo("nothing found")


def _say_mix(mix: Mix) -> None:
    click.echo(f"\nwhat the {mix.documents} documents are about")
    for part in mix.parts[:10]:
        click.echo(f"{part.share:6.1%}  {part.label}  ({part.documents} documents)")


def said(hit: Hit) -> str:
    """A hit in two lines: where it stands, and the sentence that matters."""
    place = f", {hit.place.kind} {hit.place.number}" if hit.place else ""
    more = f"  (+{hit.duplicates} near-duplicates)" if hit.duplicates else ""
    if hit.relevance is not None:
        more = f"  relevance {hit.relevance:.2f}{more}"
    head = f"{hit.rank:3}. {click.style(plain(hit.document.display_title), bold=True)}{place}  {hit.score:.3f}{more}"
    return f"{head}\n     {plain(hit.document.source)}\n     {_sentence(hit)}"


def _did_you_mean(one: Respelt) -> str:
    used = ", ".join(one.used)
    if one.unknown:
        return f"(did you mean {used}? No document holds {one.typed}; --fuzzy off searches exactly as typed)"
    return f"(looked for {used} as well, which {one.typed} may have been misread as)"


def _sentence(hit: Hit) -> str:
    passage = hit.passage
    span = hit.best_sentence or Span(passage.start, min(passage.end, passage.start + 300))
    return " ".join(passage.text[span.start - passage.start : span.end - passage.start].split())


def _id_of(edge: Edge, collection: str) -> CollectionId:
    with edge.services.database.read() as catalog:
        return catalog.collections.named(collection).id
