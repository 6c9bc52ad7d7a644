"""The reading list with what it holds, and as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from riparian.catalog.catalog import Catalog
from riparian.catalog.reading import ReadingItem
from riparian.types import CollectionId, Document, Passage
from web.citations import bibtex, ris
from web.export import csv_lines, ndjson_lines
from web.steering_shapes import link


class ReadingForm(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    BIBTEX = "bibtex"
    RIS = "ris"
    MARKDOWN = "markdown"


MEDIA_TYPES = {
    ReadingForm.CSV: "text/csv",
    ReadingForm.JSONL: "application/x-ndjson",
    ReadingForm.BIBTEX: "application/x-bibtex",
    ReadingForm.RIS: "application/x-research-info-systems",
    ReadingForm.MARKDOWN: "text/markdown",
}
ENDINGS = {ReadingForm.BIBTEX: "bib", ReadingForm.MARKDOWN: "md"}

COLUMNS = (
    "id", "title", "author", "date", "source", "document", "passage", "start", "end", "text", "note", "tags", "query",
    "added", "link",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelved:
    """An item with its document and passage, None where they are no more."""

    item: ReadingItem
    document: Document | None
    passage: Passage | None


def shelved(catalog: Catalog, collection_id: CollectionId | None, tag: str = "") -> list[Shelved]:
    """The reading list, the item put aside last first. As many statements for one item as for a thousand."""
    items = catalog.reading.all(collection_id, tag)
    documents = catalog.documents.many({one.document_id for one in items if one.document_id is not None})
    passages = catalog.passages.many({one.passage_id for one in items if one.passage_id is not None})
    return [
        Shelved(
            one,
            documents.get(one.document_id) if one.document_id is not None else None,
            passages.get(one.passage_id) if one.passage_id is not None else None,
        )
        for one in items
    ]


def written(items: Sequence[Shelved], form: ReadingForm, base: str = "") -> str:
    """The list in a form; `base` stands before the links. References leave out what was removed."""
    match form:
        case ReadingForm.CSV:
            return "".join(csv_lines((_row(one, base) for one in items), COLUMNS))
        case ReadingForm.JSONL:
            return "".join(ndjson_lines(_row(one, base) for one in items))
        case ReadingForm.BIBTEX:
            return "".join(bibtex(_cited(items, base)))
        case ReadingForm.RIS:
            return "".join(ris(_cited(items, base)))
        case ReadingForm.MARKDOWN:
            return "".join(_markdown(items, base))


def _row(one: Shelved, base: str) -> dict[str, Any]:
    item, document, passage = one.item, one.document, one.passage
    return {
        "id": item.id,
        "title": document.title if document else item.title,
        "author": document.author if document else "",
        "date": document.date.isoformat() if document and document.date else None,
        "source": document.source if document else item.source,
        "document": item.document_id,
        "passage": item.passage_id,
        "start": passage.start if passage else None,
        "end": passage.end if passage else None,
        "text": passage.text if passage else "",
        "note": item.note,
        "tags": ", ".join(item.tags),
        "query": item.query,
        "added": item.created.isoformat(),
        "link": _link(item, base),
    }


def _link(item: ReadingItem, base: str) -> str:
    found = link(item.document_id, item.passage_id)
    return f"{base}{found}" if found else ""


def _cited(items: Sequence[Shelved], base: str) -> Iterator[tuple[Document, str, str]]:
    for one in items:
        if one.document is not None:
            quote = " ".join(one.passage.text.split()) if one.passage else ""
            yield one.document, _link(one.item, base), one.item.note or quote


def _markdown(items: Sequence[Shelved], base: str) -> Iterator[str]:
    for one in items:
        title = one.document.display_title if one.document else one.item.title or one.item.source
        where = _link(one.item, base)
        yield f"## [{title}]({where})\n\n" if where else f"## {title} (removed)\n\n"
        if one.passage is not None:
            yield "".join(f"> {line}\n" for line in one.passage.text.strip().splitlines()) + "\n"
        if one.item.note:
            yield f"{one.item.note}\n\n"
        if one.item.tags:
            yield f"Tags: {', '.join(one.item.tags)}\n\n"
