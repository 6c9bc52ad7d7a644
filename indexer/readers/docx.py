"""DOCX: paragraphs and tables in reading order, then footnotes and endnotes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from indexer.readers.assemble import Assembly
from indexer.readers.base import Readings, ReadOptions
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from indexer.readers.language import language_code
from indexer.readers.package import core_properties, opened, part, related, xml, xml_part

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_P, _TBL, _TR, _TC, _T, _R = (_W + name for name in ("p", "tbl", "tr", "tc", "t", "r"))
_BREAKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
# Text that is not shown: deleted text, field codes, the second form of a drawing, comments' own paragraphs.
_HIDDEN = frozenset((_W + "del", _W + "moveFrom", _W + "instrText", _MC + "Fallback", _W + "pPr", _W + "rPr"))

_COVER_PARAGRAPHS = 40
_COVER_SIZE = 36  # half points: a title without a style is at least 18 points tall
_LONGEST_TITLE = 200


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file. Without a title among its properties, the title is what its cover shows as one."""
    with opened(path, options) as package:
        facts = core_properties(package)
        body = xml_part(package, _main_part(package)).find(_W + "body")
        assembly = Assembly()
        for block in _blocks(body):
            assembly.add(_table_text(block) if block.tag == _TBL else _paragraph_text(block))
        for note in _notes(package):
            assembly.add(note)
        cover = list(islice((p for p in body.iter(_P) if _paragraph_text(p).strip()), _COVER_PARAGRAPHS))
        yield replace(
            facts,
            text=assembly.text,
            title=facts.title or _cover_title(cover),
            date=_cover_date(cover) or facts.date,
            language=language_code(facts.language),
        )


def _main_part(package: zipfile.ZipFile) -> str:
    kinds = related(package, "./")
    return next((name for kind, name in kinds.values() if kind == "officeDocument"), "word/document.xml")


def _blocks(body: Any) -> Iterator[Any]:
    """The outermost paragraphs and tables, also inside content controls and insertions."""
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag in {_P, _TBL}:
            yield element
        elif element.tag not in _HIDDEN:
            waiting.extend(reversed(element))


def _paragraph_text(paragraph: Any) -> str:
    """Its text with that of its text boxes, each paragraph of those on a line of its own."""
    pieces: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == _T:
            pieces.append(element.text or "")
        elif element.tag in _BREAKS:
            pieces.append(_BREAKS[element.tag])
        elif element.tag not in _HIDDEN:
            if element.tag == _P:
                pieces.append("\n")
            waiting.extend(reversed(element))
    return "".join(pieces)


def _table_text(table: Any) -> str:
    """A line a row, cells apart by tabs."""
    rows = (row for row in table.iter(_TR))
    lines = ("\t".join(_cell_text(cell) for cell in row.iterchildren(_TC)).strip() for row in rows)
    return "\n".join(line for line in lines if line)


def _cell_text(cell: Any) -> str:
    return " ".join(text for paragraph in cell.iterchildren(_P) if (text := _paragraph_text(paragraph).strip()))


def _notes(package: zipfile.ZipFile) -> Iterator[str]:
    for name in ("word/footnotes.xml", "word/endnotes.xml"):
        data = part(package, name)
        if data is not None:
            yield from (_paragraph_text(paragraph) for paragraph in xml(data).iter(_P))


def _cover_title(cover: list[Any]) -> str:
    """The paragraphs styled as title, else the tallest lines of the first page."""
    titled = [p for p in cover if _style(p) == "Title"]
    if not titled:
        tallest = max(map(_size, cover), default=0)
        if tallest >= _COVER_SIZE:
            first = next(at for at, p in enumerate(cover) if _size(p) == tallest)
            titled = list(takewhile(lambda p: _size(p) == tallest, cover[first:]))
    title = clean_line(" ".join(map(_paragraph_text, titled)))
    return title if len(title) <= _LONGEST_TITLE else ""


def _cover_date(cover: list[Any]) -> date | None:
    """The date that stands alone on a line of the first page, as reports have it. Properties may be a template's."""
    for paragraph in cover:
        text = _paragraph_text(paragraph).strip()
        if 6 <= len(text) <= 30 and not text.isdigit() and (found := parse_date(text)) is not None:
            return found
    return None


def _style(paragraph: Any) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if style is None else str(style.get(_W + "val", ""))


def _size(paragraph: Any) -> int:
    sizes = [size.get(_W + "val", "") for size in paragraph.iterfind(f"{_R}/{_W}rPr/{_W}sz")]
    return max((int(size) for size in sizes if size.isdigit()), default=0)
