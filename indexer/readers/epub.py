"""EPUB: the chapters in the order of the spine."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from indexer.readers.assemble import Assembly
from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from indexer.readers.html import decode_html, text_of
from indexer.readers.language import language_code
from indexer.readers.package import opened, part, resolved, xml_part
from riparian.types import Extracted

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/xml"))


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a book, with an anchor at each item of the spine that has text."""
    with opened(path, options) as package:
        name = _package_document(package)
        root = xml_part(package, name)
        assembly = Assembly()
        for number, chapter in enumerate(_spine(root, posixpath.dirname(name)), start=1):
            data = part(package, chapter)
            if data is not None:
                assembly.add(text_of(decode_html(data)), "chapter", number)
    yield Extracted(
        member="",
        text=assembly.text,
        title=_value(root, "title"),
        date=parse_date(_value(root, "date")),
        author=", ".join(_values(root, "creator")),
        language=language_code(_value(root, "language")),
        anchors=assembly.anchors,
        metadata={name: value for name in ("publisher", "subject", "description") if (value := _value(root, name))},
    )


def _package_document(package: zipfile.ZipFile) -> str:
    container = xml_part(package, "META-INF/container.xml")
    names = [file.get("full-path", "") for file in container.iter(_CONTAINER + "rootfile")]
    if not names:
        raise Unreadable("damaged: it names no package document")
    return str(names[0])


def _spine(root: Any, folder: str) -> Iterator[str]:
    """Part names of the pages in reading order."""
    items = {item.get("id"): item for item in root.iter(_OPF + "item")}
    for reference in root.iter(_OPF + "itemref"):
        item = items.get(reference.get("idref"))
        if (
            item is not None
            and item.get("media-type") in _PAGES
            and "nav" not in (item.get("properties") or "").split()
        ):
            yield resolved(folder, unquote(item.get("href", "")))


def _values(root: Any, name: str) -> list[str]:
    texts = ("".join(element.itertext()) for element in root.iter(_DC + name))
    return [line for text in texts if (line := clean_line(text))]


def _value(root: Any, name: str) -> str:
    return next(iter(_values(root, name)), "")
