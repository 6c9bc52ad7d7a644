"""OpenDocument text and presentations: headings and paragraphs in order."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.readers.assemble import Assembly
from indexer.readers.base import Readings, ReadOptions
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from indexer.readers.language import language_code
from indexer.readers.package import opened, part, xml, xml_part
from riparian.types import Extracted

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"

_PARAGRAPHS = frozenset((_TEXT + "p", _TEXT + "h"))
_HIDDEN = frozenset((_TEXT + "tracked-changes", _OFFICE + "annotation", _TEXT + "note-citation", _OFFICE + "forms"))
_MOST_BLANKS = 1000


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file; a presentation has an anchor at each slide."""
    if not zipfile.is_zipfile(path):  # the flat form is a single XML file
        root = xml(path.read_bytes())
        yield _document(root, root)
        return
    with opened(path, options) as package:
        meta = part(package, "meta.xml")
        yield _document(xml_part(package, "content.xml"), xml(meta) if meta is not None else None)


def _document(content: Any, meta: Any) -> Extracted:
    body = content.find(f".//{_OFFICE}body")
    assembly = Assembly()
    slides = list(body.iter(_DRAW + "page"))
    for number, slide in enumerate(slides, start=1):
        assembly.add("\n".join(_blocks(slide)), "slide", number)
    if not slides:
        for block in _blocks(body):
            assembly.add(block)
    return Extracted(
        member="",
        text=assembly.text,
        title=_value(meta, _DC + "title"),
        date=parse_date(_value(meta, _META + "creation-date")) or parse_date(_value(meta, _DC + "date")),
        author=_value(meta, _META + "initial-creator") or _value(meta, _DC + "creator"),
        language=language_code(_value(meta, _DC + "language")),
        anchors=assembly.anchors,
        metadata={name: value for name in ("subject", "description") if (value := _value(meta, _DC + name))},
    )


def _value(meta: Any, tag: str) -> str:
    return clean_line(meta.findtext(f".//{tag}") or "") if meta is not None else ""


def _blocks(root: Any) -> Iterator[str]:
    """Paragraphs outside tables, and rows of tables with their cells apart by tabs, in order."""
    waiting = list(reversed(root))
    while waiting:
        element = waiting.pop()
        if element.tag in _PARAGRAPHS:
            yield _paragraph(element)
        elif element.tag == _TABLE + "table-row":
            cells = (" ".join(map(_paragraph, cell.iter(*_PARAGRAPHS))) for cell in element)
            yield "\t".join(cells).strip()
        elif element.tag not in _HIDDEN:
            waiting.extend(reversed(element))


def _paragraph(paragraph: Any) -> str:
    pieces = [paragraph.text or ""]
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if isinstance(element, str):
            pieces.append(element)
            continue
        waiting.append(element.tail or "")
        if element.tag in _HIDDEN:
            continue
        pieces.append(_white_space(element) or element.text or "")
        waiting.extend(reversed(element))
    return "".join(pieces)


def _white_space(element: Any) -> str:
    if element.tag == _TEXT + "s":
        count = element.get(_TEXT + "c", "1")
        return " " * min(int(count) if count.isdigit() else 1, _MOST_BLANKS)
    return {_TEXT + "tab": "\t", _TEXT + "line-break": "\n"}.get(element.tag, "")
