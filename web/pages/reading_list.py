"""The reading list: putting aside, notes and tags, taking off, and the list as a file."""

from __future__ import annotations

from urllib.parse import parse_qs

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from riparian.errors import BadQuery, Invalid
from riparian.types import DocumentId, PassageId
from web import reading
from web.pages.blueprint import blueprint
from web.reading import MEDIA_TYPES, ReadingForm
from web.wiring import services

_LONGEST_ADDRESS = 20_000


@blueprint.get("/c/<collection>/reading")
def reading_list(collection: str) -> ResponseReturnValue:
    """What was put aside, all of it or what carries a tag."""
    tag = request.args.get("tag", "").strip()
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        items = reading.shelved(catalog, found.id, tag)
        tags = catalog.reading.tags(found.id)
    return render_template(
        "reading_list.html", collection=found, items=items, tags=tags, tag=tag, forms=list(ReadingForm)
    )


@blueprint.post("/reading")
def put_aside() -> ResponseReturnValue:
    """Puts a passage or a document aside, and goes back to the search, or to the list where there was none."""
    document, passage = _number("document"), _number("passage")
    with services().database.write() as catalog:
        item = catalog.reading.add(
            DocumentId(document) if document else None,
            PassageId(passage) if passage else None,
            query=request.form.get("query", "")[:_LONGEST_ADDRESS],
            note=request.form.get("note", ""),
            tags=request.form.get("tags", "").split(","),
        )
        collection = catalog.collections.get(item.collection_id).name
    asked = parse_qs(request.form.get("back", "")[:_LONGEST_ADDRESS])
    back = {name: values for name, values in asked.items() if not name.startswith("_")}  # those are url_for's own
    if back.get("q"):
        return redirect(url_for(".results", **back | {"collection": collection}), 303)  # type: ignore[arg-type]
    return redirect(url_for(".reading_list", collection=collection), 303)


@blueprint.post("/reading/<int:item>")
def change_item(item: int) -> ResponseReturnValue:
    with services().database.write() as catalog:
        kept = catalog.reading.change(
            item, note=request.form.get("note", ""), tags=request.form.get("tags", "").split(",")
        )
        collection = catalog.collections.get(kept.collection_id).name
    return redirect(url_for(".reading_list", collection=collection, _anchor=f"item-{item}"), 303)


@blueprint.post("/reading/<int:item>/remove")
def remove_item(item: int) -> ResponseReturnValue:
    with services().database.write() as catalog:
        kept = catalog.reading.get(item)
        catalog.reading.remove(item)
        collection = catalog.collections.get(kept.collection_id).name
    return redirect(url_for(".reading_list", collection=collection), 303)


@blueprint.get("/c/<collection>/reading/export/<form>")
def export_reading(collection: str, form: str) -> ResponseReturnValue:
    """The list, or what of it carries a tag, as a file."""
    if form not in list(ReadingForm):
        raise BadQuery(f"no form {form!r}; forms: {', '.join(ReadingForm)}")
    wanted = ReadingForm(form)
    with services().database.read() as catalog:
        found = catalog.collections.named(collection)
        items = reading.shelved(catalog, found.id, request.args.get("tag", "").strip())
    response = Response(reading.written(items, wanted, request.host_url.rstrip("/")), mimetype=MEDIA_TYPES[wanted])
    ending = reading.ENDINGS.get(wanted, wanted.value)
    response.headers["Content-Disposition"] = f'attachment; filename="riparian-reading.{ending}"'
    return response


def _number(name: str) -> int:
    """A number of the form; 0 where there is none."""
    value = request.form.get(name, "")
    if value and (not value.isdecimal() or len(value) > 18):
        raise Invalid(f"{name} {value[:40]!r} is no number")
    return int(value or 0)
