"""What the reader page shows of a document: one part of its text, in blocks, with a passage and words marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riparian.catalog.engine import Database
from riparian.types import Anchor, Document, DocumentId, PassageId, Span
from web.pages import window
from web.pages.marks import Run, overlapping, runs


@dataclass(frozen=True, slots=True)
class Opened:
    """A document with its text, where its passages lie, and its relatives."""

    document: Document
    collection: str
    text: str
    passages: dict[PassageId, Span]
    parent: Document | None
    attachments: tuple[Document, ...]
    duplicates: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class ShownBlock:
    runs: tuple[Run, ...]
    flows: bool
    anchor: Anchor | None


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` (from 1) of `parts`; `first` and `last` are the page anchors that it spans, if there are any."""

    number: int
    parts: int
    span: Span
    blocks: tuple[ShownBlock, ...]
    first: Anchor | None
    last: Anchor | None


def open_document(database: Database, document_id: DocumentId) -> Opened:
    """UnknownDocument when it is not there."""
    with database.read() as catalog:
        document = catalog.documents.get(document_id)
        return Opened(
            document=document,
            collection=catalog.collections.get(document.collection_id).name,
            text=catalog.documents.text(document_id),
            passages=catalog.passages.places(document_id),
            parent=catalog.documents.get(document.parent_id) if document.parent_id is not None else None,
            attachments=tuple(catalog.documents.children(document_id)),
            duplicates=tuple(catalog.documents.duplicates(document_id)),
        )


def spread(opened: Opened) -> list[Span]:
    """The parts that the text is read in."""
    return window.parts(len(opened.text), list(opened.passages.values()))


def part(opened: Opened, spans: Sequence[Span], number: int, *, marked: Span | None, words: Sequence[Span]) -> Part:
    """Part `number` (from 1) with a passage and words of it marked."""
    span = spans[number - 1]
    text = opened.text[span.start : span.end]
    anchors = opened.document.anchors
    found = overlapping(words, span.start, span.end)
    names = {place.start: int(passage) for passage, place in opened.passages.items()}
    shown = tuple(
        ShownBlock(
            runs(
                block.text,
                block.start,
                words=overlapping(found, block.start, block.start + len(block.text)),
                marked=marked,
                names=names,
            ),
            block.flows,
            block.anchor,
        )
        for block in window.blocks(text, span.start, anchors)
    )
    within = [anchor for anchor in anchors if span.start <= anchor.start < span.end and anchor.kind == "page"]
    return Part(number, len(spans), span, shown, within[0] if within else None, within[-1] if within else None)


def number_of(place: int, spans: Sequence[Span]) -> int:
    """The part (from 1) that a place of the text is read in."""
    return window.part_of(place, [span.start for span in spans]) + 1


def anchored(document: Document, kind: str, number: int) -> Anchor | None:
    """The anchor of that kind and number, if the document has it."""
    return next((a for a in document.anchors if a.kind == kind and a.number == number), None)
