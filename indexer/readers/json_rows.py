"""JSON lines, a row a document, line by line; and JSON files that hold one array or one object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.columns import Columns, Rows, choose
from indexer.readers.decode import decode
from riparian.types import Extracted, ReadFailure

_SAMPLE_ROWS = 50
_LONGEST_LINE = 64_000_000


def read_lines(path: Path, options: ReadOptions) -> Readings:
    """A document for each line that is an object; a failure for each line that is not."""
    yield from _documents(_lines(path), options)


def read_json(path: Path, options: ReadOptions) -> Readings:
    """An array of objects gives a document each, so does the only array in an object; anything else is one document."""
    value = _loaded(path.read_bytes())
    rows = _rows_of(value)
    if rows:
        yield from _documents(enumerate(rows, start=1), options)
    elif isinstance(value, Mapping) and (columns := choose(list(value), options)) is not None:
        document = Rows(columns).document(value, 1)
        yield Extracted("", document.text, document.title, document.date, document.author, metadata=document.metadata)
    else:
        yield Extracted(member="", text="\n".join(_strings(value)))


def _loaded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(decode(data))
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error}") from error


def _rows_of(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        arrays = [item for item in value.values() if isinstance(item, list)]
        value = arrays[0] if len(arrays) == 1 else None
    return value if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value[:50]) else []


def _strings(value: Any) -> Iterator[str]:
    """The strings in the value with the keys they stand under, in order, without recursion."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, str):
            yield f"{key}: {item}" if key else item
        elif isinstance(item, Mapping):
            waiting.extend(reversed([(str(name), inner) for name, inner in item.items()]))
        elif isinstance(item, list):
            waiting.extend(reversed([(key, inner) for inner in item]))


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Line number and value; a line that is not JSON gives the reason, as an Unreadable."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            try:
                yield number, _loaded(line.removeprefix(b"\xef\xbb\xbf"))
            except Unreadable as reason:
                yield number, reason


def _documents(numbered: Iterator[tuple[int, Any]] | Any, options: ReadOptions) -> Readings:
    rows = iter(numbered)
    head = list(islice(rows, _SAMPLE_ROWS))
    table = Rows(_columns([row for _, row in head if isinstance(row, Mapping)], options))
    for number, row in chain(head, rows):
        if isinstance(row, Mapping):
            yield table.document(row, number)
        else:
            yield ReadFailure(f"row {number}", str(row) if isinstance(row, Unreadable) else "not an object")


def _columns(sample: list[Mapping[str, Any]], options: ReadOptions) -> Columns:
    names = list(dict.fromkeys(name for row in sample for name in row))
    columns = choose(names, options, sample) if sample else None
    if columns is None:
        raise Unreadable(f"no column looks like text among: {', '.join(names) or 'none'}; name one as the text column")
    return columns
