"""Tables in text files: values separated by commas, tabs, semicolons or bars."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.decode import decode
from indexer.readers.tables import documents

_SAMPLE = 1 << 16
_LONGEST_FIELD = 50_000_000
_DELIMITERS = ",\t;|"


def read(path: Path, options: ReadOptions) -> Readings:
    """A document a row, row by row, where a column looks like text; else the table as one document."""
    csv.field_size_limit(_LONGEST_FIELD)
    with _opened(path) as file:
        sample = file.read(_SAMPLE)
        file.seek(0)
        lines = (line.replace("\0", "") for line in file)
        yield from documents(
            csv.reader(lines, _dialect(sample, PurePath(options.called(path)).suffix.lower())), options
        )


def _opened(path: Path) -> IO[str]:
    """The file as text. UTF-8 is read as it comes; anything else is decoded as a whole."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return io.StringIO(decode(path.read_bytes()), newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _dialect(sample: str, suffix: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = "\t" if suffix in {".tsv", ".tab"} else _delimiter(sample)

    return Dialect


def _delimiter(sample: str) -> str:
    """The one that cuts the first line into the most values, and the following ones into as many most often."""

    def score(delimiter: str) -> tuple[int, int]:
        rows = _rows(sample, delimiter)
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) if width > 1 else 0, width)

    return max(_DELIMITERS, key=score)


def _rows(sample: str, delimiter: str) -> list[list[str]]:
    lines: Iterator[str] = iter(sample.replace("\0", "").splitlines(keepends=True)[:20])
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []
