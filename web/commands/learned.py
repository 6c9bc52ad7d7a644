"""`riparian topics learned`: labels that the topics learned, of the collection and of one document."""

from __future__ import annotations

import click

from riparian.types import DocumentId
from topics.learned import LabelledDocument, Learned
from web import learned_shapes as shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table
from web.learned_wording import how_well, likeliest


@command("learned")
@click.argument("document", type=click.IntRange(1), required=False)
@collection_option
@json_option
def learned(edge: Edge, document: int | None, collection: str | None, as_json: bool) -> None:
    """Labels that the topics learned (`fit --labels FIELD`): how well, and how many documents are told to have each; of
    DOCUMENT (its id) and its passages, the likeliest."""
    if document is not None:
        _show_document(edge.services.learned.of_document(DocumentId(document)), as_json)
        return
    name = only_collection(edge, collection)
    with edge.services.database.read() as catalog:
        collection_id = catalog.collections.named(name).id
    _show(edge.services.learned.learned(collection_id), as_json)


def _show(found: Learned, as_json: bool) -> None:
    if as_json:
        print_json(shapes.learned(found).json_value())
        return
    click.echo(f"labels of {found.field}: {how_well(found.accuracy, found.guess, found.held_out)}")
    rows = [(one.label, one.given, one.told, one.told_without) for one in found.labels]
    table(("label", "given", "told", "of these without one"), rows).print()


def _show_document(found: LabelledDocument, as_json: bool) -> None:
    if as_json:
        print_json(shapes.document(found).json_value())
        return
    click.echo(f"{found.field}: {likeliest(found.told) or 'no topics yet'}")
    click.echo(f"given: {found.given or 'none'}")
    rows = [(p.passage_id, p.span.start, p.span.end, likeliest(p.told)) for p in found.passages]
    table(("passage", "from", "to", "labels"), rows).print()
