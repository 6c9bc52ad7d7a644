"""Spreadsheets (XLSX, XLSB, XLS, ODS): each sheet a table."""

from __future__ import annotations

import zipfile
from pathlib import Path

from python_calamine import CalamineWorkbook

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.package import opened
from indexer.readers.tables import documents
from riparian.types import ReadFailure


def read(path: Path, options: ReadOptions) -> Readings:
    """The sheets in order, empty ones left out. With more than one, their names go before the members' names."""
    if zipfile.is_zipfile(path):
        with opened(path, options):
            pass  # the limits hold
    with path.open("rb") as file:
        book = CalamineWorkbook.from_filelike(file)
    found = False
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            found = True
            yield from documents(sheet.iter_rows(), options, name if len(book.sheet_names) > 1 else "")
    if not found:
        yield ReadFailure("", "no text in it")
