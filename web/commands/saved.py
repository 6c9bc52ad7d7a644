"""`riparian saved`."""

from __future__ import annotations

from dataclasses import replace

import click

from riparian.catalog.filters import parse
from riparian.catalog.saved import SavedSearch
from riparian.types import Mode
from search.request import LONGEST_PAGE, SearchRequest
from search.saved import queued, request_of
from web import shapes, steering_shapes
from web.commands.edge import (
    Edge,
    collection_option,
    json_option,
    only_collection,
    plain,
    print_json,
    subcommand,
    table,
)
from web.commands.search import FILTER_HELP, said


@click.group("saved")
def saved_command() -> None:
    """Searches under a name, and what is new in them since you last looked."""


@subcommand(saved_command, "save")
@click.argument("name")
@click.argument("query")
@collection_option
@click.option(
    "--mode",
    default=Mode.HYBRID.value,
    show_default=True,
    type=click.Choice([mode.value for mode in Mode]),
    help="How it is searched.",
)
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
@click.option("--weight", type=click.FloatRange(0, 1), help="Share of meaning in a hybrid search.")
@click.option("--within", multiple=True, metavar="QUERY", help="Search only what QUERY finds.")
@json_option
def save(
    edge: Edge,
    name: str,
    query: str,
    collection: str | None,
    mode: str,
    filters: tuple[str, ...],
    weight: float | None,
    within: tuple[str, ...],
    as_json: bool,
) -> None:
    """Save the search for QUERY as NAME; what it finds now counts as seen."""
    where = only_collection(edge, collection)
    request = SearchRequest(where, query, Mode(mode), parse(filters), weight, within=within)
    saved = edge.services.saved.save(name, request, filters)
    if as_json:
        print_json(steering_shapes.saved_search(saved, where).json_value())
    else:
        click.echo(f"saved as {plain(saved.name)}; run it with `riparian saved run`")


@subcommand(saved_command, "list")
@collection_option
@json_option
def list_saved(edge: Edge, collection: str | None, as_json: bool) -> None:
    """The saved searches of a collection, with how many new hits each has."""
    where = only_collection(edge, collection)
    with edge.services.database.read() as catalog:
        found = catalog.saved.all(catalog.collections.named(where).id)
    if as_json:
        print_json({"searches": [steering_shapes.saved_search(one, where).json_value() for one in found]})
        return
    rows = [(one.name, len(one.fresh), f"{one.looked:%Y-%m-%d %H:%M}", one.query) for one in found]
    table(("name", "new", "looked", "query"), rows).print()


@subcommand(saved_command, "run")
@click.argument("name")
@collection_option
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, LONGEST_PAGE), help="Hits at most.")
@click.option("--new", "only_new", is_flag=True, help="Only what came since you last looked.")
@click.option("--keep-new", is_flag=True, help="Leave what is new marked as new.")
@json_option
def run(edge: Edge, name: str, collection: str | None, k: int, only_new: bool, keep_new: bool, as_json: bool) -> None:
    """The hits of a saved search as of now; from then on, only what comes later is new."""
    where = only_collection(edge, collection)
    saved = _named(edge, where, name)
    answer = edge.services.search.search(replace(request_of(where, saved), k=k))
    hits = [hit for hit in answer.hits if hit.passage.id > saved.seen_passage or not only_new]
    if not keep_new:
        with edge.services.database.write() as catalog:
            catalog.saved.look(saved.id)
    if as_json:
        print_json(shapes.answer(replace(answer, hits=tuple(hits))).json_value())
        return
    for hit in hits:
        click.echo(f"{'new ' if hit.passage.id > saved.seen_passage else '    '}{said(hit)}")
    if not hits:
        click.echo("nothing new" if only_new else "nothing found")


@subcommand(saved_command, "check")
@collection_option
@json_option
def check(edge: Edge, collection: str | None, as_json: bool) -> None:
    """Look for new hits of every saved search; indexing does so by itself."""
    from web.commands.progress import run_job

    where = only_collection(edge, collection)
    with edge.services.database.write() as catalog:
        job = queued(catalog, catalog.collections.named(where).id)
    done = run_job(edge.services, job)
    if as_json:
        print_json(dict(done.result))
        return
    click.echo(f"{done.result['new']} new hits in {done.result['searches']} saved searches")
    for failed, why in done.result["failed"].items():
        click.echo(f"{plain(failed)}: {plain(why)}")


@subcommand(saved_command, "remove")
@click.argument("name")
@collection_option
def remove(edge: Edge, name: str, collection: str | None) -> None:
    """Forget a saved search."""
    where = only_collection(edge, collection)
    saved = _named(edge, where, name)
    with edge.services.database.write() as catalog:
        catalog.saved.remove(saved.id)
    click.echo(f"{plain(saved.name)} is forgotten")


def _named(edge: Edge, collection: str, name: str) -> SavedSearch:
    with edge.services.database.read() as catalog:
        return catalog.saved.named(catalog.collections.named(collection).id, name)
