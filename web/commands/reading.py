"""`riparian reading`."""

from __future__ import annotations

from pathlib import Path

import click

from riparian.errors import Invalid
from riparian.types import DocumentId, PassageId
from web import reading as shelf
from web import steering_shapes
from web.commands.edge import Edge, collection_option, json_option, only_collection, plain, print_json, subcommand
from web.reading import ReadingForm

tag_option = click.option("--tag", "tags", multiple=True, help="A tag; may be given again.")


@click.group("reading")
def reading_command() -> None:
    """Passages and documents put aside, with notes and tags."""


@subcommand(reading_command, "add")
@click.argument("item")
@click.option("--note", default="", help="What you want to remember.")
@click.option("--query", default="", help="The search that found it.")
@tag_option
@json_option
def add(edge: Edge, item: str, note: str, query: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Put ITEM aside: the number of a passage (12 or p12), or of a document (d12)."""
    number = item.removeprefix("p").removeprefix("d")
    if not number.isdecimal() or len(number) > 18:
        raise Invalid(f"{item!r} is no number of a passage (12, p12) or document (d12)")
    document = DocumentId(int(number)) if item.startswith("d") else None
    passage = None if document is not None else PassageId(int(number))
    with edge.services.database.write() as catalog:
        kept = catalog.reading.add(document, passage, query=query, note=note, tags=tags)
        where = catalog.collections.get(kept.collection_id).name
    if as_json:
        print_json(steering_shapes.reading_item(kept, where).json_value())
    else:
        click.echo(f"put aside as {kept.id}: {plain(kept.title or kept.source)}")


@subcommand(reading_command, "list")
@collection_option
@click.option("--tag", default="", help="Only what carries this tag.")
@json_option
def list_items(edge: Edge, collection: str | None, tag: str, as_json: bool) -> None:
    """The reading list, the item put aside last first."""
    where = only_collection(edge, collection)
    with edge.services.database.read() as catalog:
        items = shelf.shelved(catalog, catalog.collections.named(where).id, tag)
    if as_json:
        print_json({"items": [steering_shapes.reading_item(one.item, where).json_value() for one in items]})
        return
    for one in items:
        tags = f"  [{', '.join(one.item.tags)}]" if one.item.tags else ""
        gone = "" if one.document else "  (removed from the collection)"
        title = click.style(plain(one.item.title or one.item.source), bold=True)
        click.echo(f"{one.item.id:4}  {title}{plain(tags)}{gone}")
        if one.item.note:
            click.echo(f"      {plain(' '.join(one.item.note.split()))}")


@subcommand(reading_command, "change")
@click.argument("item", type=click.IntRange(1))
@click.option("--note", help="Another note.")
@tag_option
@click.option("--no-tags", is_flag=True, help="Take every tag off.")
@json_option
def change(edge: Edge, item: int, note: str | None, tags: tuple[str, ...], no_tags: bool, as_json: bool) -> None:
    """Give an item another note, or other tags."""
    with edge.services.database.write() as catalog:
        kept = catalog.reading.change(item, note=note, tags=tags if tags or no_tags else None)
        where = catalog.collections.get(kept.collection_id).name
    if as_json:
        print_json(steering_shapes.reading_item(kept, where).json_value())
    else:
        click.echo(f"{kept.id} is changed")


@subcommand(reading_command, "remove")
@click.argument("item", type=click.IntRange(1))
def remove(edge: Edge, item: int) -> None:
    """Take an item off the list."""
    with edge.services.database.write() as catalog:
        catalog.reading.remove(item)
    click.echo(f"{item} is off the list")


@subcommand(reading_command, "export")
@collection_option
@click.option("--tag", default="", help="Only what carries this tag.")
@click.option(
    "--format",
    "form",
    default=ReadingForm.CSV.value,
    show_default=True,
    type=click.Choice([form.value for form in ReadingForm]),
    help="How it is written.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write here [default: standard output]."
)
def export(edge: Edge, collection: str | None, tag: str, form: str, output: Path | None) -> None:
    """Write the reading list out."""
    where = only_collection(edge, collection)
    with edge.services.database.read() as catalog:
        items = shelf.shelved(catalog, catalog.collections.named(where).id, tag)
    text = shelf.written(items, ReadingForm(form))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="")
