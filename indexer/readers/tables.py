"""A table as documents: its rows, where a column looks like text, else the whole as one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.columns import Columns, Rows, choose
from indexer.readers.dates import parse_date
from riparian.types import Anchor, Extracted

_SAMPLE_ROWS = 50
_ANCHOR_EVERY = 20


def documents(rows: Iterable[Sequence[Any]], options: ReadOptions, sheet: str = "") -> Readings:
    """A document a row under a header with a column of text (numbered from 1 below the header), else one document.

    Streams; only the rows of a table without a column of text are held together. `sheet` goes before the names.
    """
    filled = ((number, row) for number, row in enumerate(rows, start=1) if any(_shown(cell) for cell in row))
    head = list(islice(filled, _SAMPLE_ROWS + 1))
    names = _header(head)
    sample = [dict(zip(names, row, strict=False)) for _, row in head[1:]]
    columns = choose(names, options, sample) if names and sample else None
    if columns is None:
        yield _whole(chain(head, filled), sheet)
        return
    yield from _row_documents(chain(head[1:], filled), names, columns, head[0][0], sheet)


def _row_documents(
    rows: Iterator[tuple[int, Sequence[Any]]], names: list[str], columns: Columns, header_row: int, sheet: str
) -> Readings:
    table = Rows(columns, prefix=f"{sheet}/" if sheet else "")
    for number, row in rows:
        yield table.document(_plain(dict(zip(names, row, strict=False))), number - header_row)


def _header(head: list[tuple[int, Sequence[Any]]]) -> list[str]:
    """The names in the first row; [] where it is no header: names are short, distinct, and no numbers or dates."""
    if len(head) < 2:
        return []
    names = [_shown(cell) for cell in head[0][1]]
    while names and not names[-1]:
        names.pop()
    told = [name for name in names if name]
    if len(set(told)) < len(told) or any(len(name) > 60 or _is_value(name) for name in told):
        return []
    return [name or f"column {at}" for at, name in enumerate(names, start=1)]


def _is_value(name: str) -> bool:
    return name.replace(".", "").replace("-", "").isdigit() or parse_date(name) is not None


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers that a spreadsheet holds as 3.0 become 3."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in row.items()
    }


def _whole(rows: Iterator[tuple[int, Sequence[Any]]], sheet: str) -> Extracted:
    lines: list[str] = []
    anchors: list[Anchor] = []
    start = 0
    for number, row in rows:
        line = "\t".join(_shown(cell) for cell in row).rstrip("\t")
        if len(lines) % _ANCHOR_EVERY == 0:
            anchors.append(Anchor(start, "row", number))
        lines.append(line)
        start += len(line) + 1
    return Extracted(member=sheet, text="\n".join(lines), anchors=tuple(anchors))


def _shown(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else " ".join(str(cell).split())
