"""`riparian explain`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from riparian.catalog.filters import parse
from riparian.types import Mode, PassageId
from search.explain.records import Contrast, Difference, Explanation, Meaning, Placing, Terms
from search.request import SearchRequest
from web import explain_shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, plain, print_json, table
from web.commands.search import FILTER_HELP

_SHOWN = 12


@command("explain")
@click.argument("query")
@click.option("--passage", required=True, type=click.IntRange(1), help="The passage to explain, by its number.")
@click.option("--against", type=click.IntRange(1), help="Another passage: why the first stands above it, or below.")
@collection_option
@click.option(
    "--mode",
    default=Mode.HYBRID.value,
    show_default=True,
    type=click.Choice([mode.value for mode in Mode]),
    help="As in `riparian search`.",
)
@click.option("--weight", type=click.FloatRange(0, 1), help="Share of meaning in a hybrid search.")
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
@json_option
def explain_command(
    edge: Edge,
    query: str,
    passage: int,
    against: int | None,
    collection: str | None,
    mode: str,
    weight: float | None,
    filters: tuple[str, ...],
    as_json: bool,
) -> None:
    """Why a passage answers QUERY: which words its scores come from, and how they made its place.

    \b
    riparian explain "who pays for the river wall" --passage 812 --collection papers
    riparian explain "who pays for the river wall" --passage 812 --against 77 --json
    """
    request = SearchRequest(only_collection(edge, collection), query, Mode(mode), parse(filters), weight)
    service = edge.services.explain
    if against is not None:
        found = service.contrast(request, PassageId(passage), PassageId(against))
        if as_json:
            print_json(explain_shapes.contrast(query, found).json_value())
        else:
            _print_contrast(found)
        return
    [one] = service.passages(request, [PassageId(passage)])
    if as_json:
        print_json(explain_shapes.ExplainedShape(query=query, explanation=explain_shapes.explanation(one)).json_value())
    else:
        _print(one)


def _print(one: Explanation) -> None:
    click.echo(f"{click.style(plain(one.title), bold=True)}, passage {one.passage}")
    for note in one.notes:
        click.echo(f"({note})")
    if one.meaning is not None:
        _print_meaning(one.meaning)
    if one.terms is not None:
        _print_terms(one.terms)
    _print_placing(one.placing)


def _print_meaning(meaning: Meaning) -> None:
    click.echo(f"\nmeaning: cosine {meaning.cosine:.4f}, {meaning.method}: {meaning.how}")
    strongest = sorted(meaning.passage, key=lambda word: -word.share)[:_SHOWN]
    table(("share", "word", "in"), [(f"{word.share:+.4f}", word.text, word.place) for word in strongest]).print()
    others = meaning.cosine - sum(word.share for word in strongest)
    click.echo(f"{others:+.4f}  all other words, signs and special tokens")
    links = [(link.query.text, link.passage.text, f"{link.cosine:.3f}") for link in meaning.links]
    if links:
        click.echo()
        table(("query", "nearest word", "cosine"), links).print()


def _print_terms(terms: Terms) -> None:
    click.echo(f"\nwords: BM25 {terms.score:.4f}")
    found = sorted(terms.terms, key=lambda term: -term.score)[:_SHOWN]
    table(("score", "term", "from"), [(f"{t.score:+.4f}", t.term, " ".join(t.words)) for t in found]).print()


def _print_placing(placing: Placing) -> None:
    if placing.rank is None:
        click.echo("\nplace: the search does not rank its document")
        return
    click.echo(f"\nplace: {placing.rank}, score {placing.score:.4f}")
    rows: list[tuple[object, ...]] = [
        (f"{one.adds:+.4f}", one.part.retriever, f"{one.weight:.2f}", f"{one.part.scaled:.4f}", one.part.rank)
        for one in placing.given
    ]
    if placing.late is not None:
        late = placing.late
        rows.append((f"{placing.other:+.4f}", "re-ranking", "", f"{late.scaled:.4f}", late.rank))
    table(("adds", "from", "weight", "scaled", "rank"), rows).print()


def _print_contrast(found: Contrast) -> None:
    click.echo(f"A {plain(found.first.title)}, passage {found.first.passage}: {found.first.placing.score:.4f}")
    click.echo(f"B {plain(found.second.title)}, passage {found.second.passage}: {found.second.placing.score:.4f}")
    for title, rows in (
        ("score", found.by_retriever),
        ("cosine, by words of the query", found.by_query),
        ("cosine, by words of the passages", found.by_word[:_SHOWN]),
        ("BM25, by words of the query", found.by_term),
    ):
        if rows:
            click.echo(f"\n{title}")
            table(("A - B", "A", "B", ""), _rows(rows)).print()


def _rows(found: Iterable[Difference]) -> list[tuple[str, str, str, str]]:
    return [(f"{one.gap:+.4f}", f"{one.first:.4f}", f"{one.second:.4f}", one.label) for one in found]
