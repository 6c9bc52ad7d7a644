"""Labelled examples in files: rows of CSV and TSV, lines of JSON, with the columns named by the user."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from riparian.errors import Invalid, MissingPath, UnreadableFile

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")

csv.field_size_limit(2**27)  # whole documents stand in a cell; the module's own limit is 128 KB


@dataclass(frozen=True, slots=True)
class Row:
    """The named columns of one row, and the line of the file where it begins; a cell that is not there is ""."""

    line: int
    cells: Mapping[str, str]

    def filled(self, path: Path, column: str) -> str:
        """UnreadableFile, naming the line, where the cell is empty."""
        value = self.cells[column]
        if not value.strip():
            raise UnreadableFile(path, f"line {self.line}: nothing in column {column!r}")
        return value


def rows(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a `.csv`, `.tsv`, `.jsonl` or `.ndjson` file in UTF-8, also with `.gz` behind.

    A table's first line names its columns. Raises MissingPath, Invalid for another kind of file, and UnreadableFile
    naming the line where a column is missing, a row has another number of cells, or JSON is broken.
    """
    if not path.is_file():
        raise MissingPath(path)
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in _DELIMITERS and suffix not in _LINES:
        raise Invalid(
            f"{path}: labelled examples are read from .csv, .tsv, .jsonl or .ndjson, not from {suffix!r} files"
        )
    wanted = [*columns, *(column for column in optional if column not in columns)]
    with _opened(path) as file:
        try:
            if suffix in _LINES:
                yield from _json_rows(path, file, wanted, columns)
            else:
                yield from _table_rows(path, file, _DELIMITERS[suffix], wanted, columns)
        except UnicodeDecodeError as error:
            raise UnreadableFile(path, f"is not UTF-8 ({error.reason} at byte {error.start})") from error
        except (EOFError, gzip.BadGzipFile) as error:
            raise UnreadableFile(path, f"is no whole gzip file ({error})") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    plain = path.suffix.lower() != ".gz"
    with (
        path.open(encoding="utf-8-sig", newline="")
        if plain
        else gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file
    ):
        yield file


def _table_rows(
    path: Path, file: TextIO, delimiter: str, wanted: Sequence[str], needed: Sequence[str]
) -> Iterator[Row]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_columns(path, 1, names, needed)
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(names):
                raise UnreadableFile(path, f"line {line}: {len(cells)} cells under {len(names)} columns")
            if cells:
                found = dict(zip(names, cells, strict=True))
                yield Row(line, {name: found.get(name, "") for name in wanted})
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(path, f"line {reader.line_num}: {error}") from error


def _json_rows(path: Path, file: TextIO, wanted: Sequence[str], needed: Sequence[str]) -> Iterator[Row]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise UnreadableFile(path, f"line {line}: no JSON ({error})") from error
        if not isinstance(found, dict):
            raise UnreadableFile(path, f"line {line}: expected an object, found {type(found).__name__}")
        _check_columns(path, line, list(found), needed)
        yield Row(line, {name: _cell(path, line, name, found.get(name)) for name in wanted})


def _check_columns(path: Path, line: int, found: Sequence[str], needed: Sequence[str]) -> None:
    for name in needed:
        if name not in found:
            raise UnreadableFile(path, f"line {line}: no column {name!r}; there is {', '.join(found) or 'none'}")


def _cell(path: Path, line: int, name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return json.dumps(value)
    raise UnreadableFile(path, f"line {line}: {name!r} must be a text or a number, not {type(value).__name__}")
