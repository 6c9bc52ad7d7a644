"""PDF, page by page."""

from __future__ import annotations

import re
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from indexer.readers.assemble import Assembly
from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from riparian.types import Extracted

# PDFium writes U+FFFE (or U+0002) for a hyphen at a line's end that breaks a word.
_BROKEN_WORD = re.compile("[\ufffe\x02]\r?\n?")
_LEADERS = re.compile(r"(?: ?\. ?){5,}")
_PROGRAM_TITLE = re.compile(
    r"^(?:Microsoft (?:Word|PowerPoint) - |untitled$)|\.(?:docx?|indd|pptx?|qxd|xlsx?|tex|dvi)$", re.IGNORECASE
)


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file, with an anchor at each page that has text.

    Raises Unreadable for a file that needs a password and for one that holds pictures of pages only.
    """
    document = _opened(path)
    try:
        pages = len(document)
        assembly = Assembly()
        for number in range(1, pages + 1):
            assembly.add(_page_text(document, number - 1), "page", number)
        if not assembly.anchors:
            raise Unreadable("no text (scanned?): run text recognition (OCR) on it first")
        facts = document.get_metadata_dict()
        yield Extracted(
            member="",
            text=assembly.text,
            title=_title(facts.get("Title", "")),
            date=parse_date(facts.get("CreationDate", "")) or parse_date(facts.get("ModDate", "")),
            author=clean_line(facts.get("Author", "")),
            anchors=assembly.anchors,
            metadata={"pages": pages}
            | {name.lower(): facts[name] for name in ("Subject", "Keywords") if facts.get(name)},
        )
    finally:
        document.close()


def _opened(path: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise Unreadable("encrypted: it needs a password") from error
        raise Unreadable(f"not a PDF that can be read: {error}") from error


def _page_text(document: pypdfium2.PdfDocument, index: int) -> str:
    page = document[index]
    text_page = page.get_textpage()
    try:
        text: str = text_page.get_text_range()
    finally:
        text_page.close()
        page.close()
    return _LEADERS.sub(" … ", _BROKEN_WORD.sub("", text))


def _title(title: str) -> str:
    """The title, unless it is the name that a program gave the file."""
    line = clean_line(title)
    return "" if _PROGRAM_TITLE.search(line) else line.removesuffix(" - Google Docs")
