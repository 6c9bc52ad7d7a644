"""Many queries at once: read from a table, asked one after another, written as they are answered."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from riparian.catalog.filters import parse
from riparian.errors import Invalid, NotFound, RiparianError
from riparian.types import Filters, Mode, SearchAnswer
from search.request import SearchRequest
from web.export import csv_lines
from web.hit_export import COLUMNS, row_of, run_lines

MOST = 10_000
"""Queries of one batch at most."""

_QUERY_HEADS = ("query", "q", "text")


class BatchForm(StrEnum):
    """`csv`: a row a hit; `jsonl`: a line a query, with its hits; `trec`: a run."""

    CSV = "csv"
    JSONL = "jsonl"
    TREC = "trec"


MEDIA_TYPES = {
    BatchForm.CSV: "text/csv",
    BatchForm.JSONL: "application/x-ndjson",
    BatchForm.TREC: "text/plain",
}


@dataclass(frozen=True, slots=True)
class BatchQuery:
    """One query; `id` is what the table calls it, else its number in order. `mode` and `filters` are its own."""

    id: str
    text: str
    mode: Mode | None = None
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with its answer; where it could not be answered, why."""

    query: BatchQuery
    answer: SearchAnswer | None
    error: str

    @property
    def total(self) -> int:
        return self.answer.total if self.answer else 0


def read_table(text: str) -> list[BatchQuery]:
    """The queries of a CSV: column `query` (or q, text), and where there are any `id`, `mode`, and `filter` (several
    parted by semicolons). Without a head, the first column. Invalid for none, too many, or a mode there is not.
    """
    rows = _rows_of(text.removeprefix("\ufeff"))
    heads = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((heads.index(head) for head in _QUERY_HEADS if head in heads), None)
    body = rows if column is None else rows[1:]
    found = [
        _query(number, row, heads if column is not None else [], column or 0)
        for number, row in enumerate(body, start=1)
    ]
    return checked([query for query in found if query.text])


def _rows_of(text: str) -> list[list[str]]:
    """Rows with something in them. Invalid, naming the line, for what is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num} is no CSV: {error}") from error


def checked(queries: Sequence[BatchQuery]) -> list[BatchQuery]:
    """Invalid for none and for too many."""
    if not queries:
        raise Invalid("there is no query in it; a column named query is needed, or one query a line")
    if len(queries) > MOST:
        raise Invalid(f"a batch holds at most {MOST:,} queries, this one {len(queries):,}; split it")
    return list(queries)


def ask(
    search: Callable[[SearchRequest], SearchAnswer],
    usual: SearchRequest,
    queries: Iterable[BatchQuery],
    filters: Filters,
) -> Iterator[Asked]:
    """Each query as `usual` asks it, with its own mode and filters. One that cannot be answered is told and passed
    over; NotFound (the collection is gone) ends it all."""
    for query in queries:
        try:
            own = Filters((*filters.conditions, *parse(query.filters).conditions))
            request = replace(usual, query=query.text, mode=query.mode or usual.mode, filters=own)
            yield Asked(query, search(request), "")
        except NotFound:
            raise
        except RiparianError as error:
            yield Asked(query, None, str(error))


def lines(asked: Iterable[Asked], form: BatchForm, base: str = "") -> Iterator[str]:
    """The answers in a form, each as soon as it is there."""
    if form is BatchForm.JSONL:
        return (_line(one, base) for one in asked)
    if form is BatchForm.TREC:
        return (line for one in asked if one.answer for line in run_lines(one.answer, one.query.id))
    return csv_lines(_rows(asked, base), HIT_COLUMNS)


HIT_COLUMNS = ("id", "query", "total", "error", *COLUMNS[1:])
COUNT_COLUMNS = ("id", "query", "total", "hits", "best", "error")


def count_of(one: Asked) -> dict[str, Any]:
    """How much a query found: in the order of COUNT_COLUMNS."""
    hits = one.answer.hits if one.answer else ()
    return {
        "id": one.query.id,
        "query": one.query.text,
        "total": one.total,
        "hits": len(hits),
        "best": hits[0].score if hits else None,
        "error": one.error,
    }


def _query(number: int, row: Sequence[str], heads: Sequence[str], column: int) -> BatchQuery:
    named = dict(zip(heads, (cell.strip() for cell in row), strict=False))
    mode = named.get("mode", "")
    if mode and mode not in list(Mode):
        raise Invalid(f"row {number}: no mode {mode!r}; modes: {', '.join(Mode)}")
    return BatchQuery(
        id=named.get("id") or str(number),
        text=row[column].strip() if column < len(row) else "",
        mode=Mode(mode) if mode else None,
        filters=tuple(part.strip() for part in named.get("filter", "").split(";") if part.strip()),
    )


def _rows(asked: Iterable[Asked], base: str) -> Iterator[Mapping[str, Any]]:
    """A row a hit; a query without one has a row all the same, so that it is seen."""
    for one in asked:
        head = {"id": one.query.id, "query": one.query.text, "total": one.total, "error": one.error}
        for hit in one.answer.hits if one.answer else ():
            yield row_of(one.query.text, hit, base) | head
        if not one.answer or not one.answer.hits:
            yield dict.fromkeys(HIT_COLUMNS) | head


def _line(one: Asked, base: str) -> str:
    hits = [row_of(one.query.text, hit, base) for hit in one.answer.hits] if one.answer else []
    row = count_of(one) | {"notes": list(one.answer.notes) if one.answer else [], "hits": hits}
    return json.dumps(row, ensure_ascii=False) + "\n"
