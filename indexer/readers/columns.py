"""Which column of a table is the text, the title, the date: as told, else guessed; and a row as a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.readers.base import ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from indexer.readers.language import language_code
from riparian.types import Anchor, Extracted

_NAMES = {
    "text": (
        *("text", "body", "content", "contents", "abstract", "document", "article", "message", "description"),
        *("summary", "review", "comment", "post", "passage", "paragraph", "sentence"),
    ),
    "title": ("title", "subject", "headline", "heading", "name"),
    "date": (
        "date",
        "published",
        "publication_date",
        "published_at",
        "pubdate",
        "created",
        "created_at",
        "timestamp",
        "datetime",
        "time",
        "day",
    ),
    "author": ("author", "authors", "creator", "by", "from", "byline"),
    "language": ("language", "lang", "locale"),
    "id": ("_id", "id", "doc_id", "docid", "uid", "uuid", "key"),
}
# An id of this form could be taken for the number of another row.
_ROW_NAME = re.compile(r"row \d+$")

# A column of no telling name is taken for the text when its values are this long on average.
_TEXT_LIKE_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns by role; "" where the table has none."""

    text: str
    title: str = ""
    date: str = ""
    author: str = ""
    language: str = ""
    id: str = ""


def choose(names: Sequence[str], options: ReadOptions, sample: Iterable[Mapping[str, Any]] = ()) -> Columns | None:
    """The columns as the options name them, else by their names, else (for the text) by the sample's longest values.

    None where nothing looks like text. Raises Unreadable when a column is named that is not there.
    """
    told = {role: getattr(options, f"{role}_column") for role in _NAMES}
    for name in filter(None, told.values()):
        if name not in names:
            raise Unreadable(f"no column {name!r}; there is: {', '.join(names)}")
    by_name = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}
    chosen = {
        role: told[role] or next((by_name[known] for known in _NAMES[role] if known in by_name), "") for role in _NAMES
    }
    chosen["text"] = chosen["text"] or _longest_column(names, list(sample), set(chosen.values()) - {chosen["title"]})
    if not chosen["text"]:
        return None
    if chosen["title"] == chosen["text"]:
        chosen["title"] = ""
    return Columns(**chosen)


def _longest_column(names: Sequence[str], sample: Sequence[Mapping[str, Any]], taken: set[str]) -> str:
    """The column with the longest strings, if they are long and of more than one word."""
    lengths = {
        name: sum(len(value) for row in sample if isinstance(value := row.get(name), str) and " " in value)
        for name in names
        if name not in taken
    }
    best = max(lengths, key=lambda name: lengths[name], default="")
    return best if best and lengths[best] >= _TEXT_LIKE_LENGTH * max(len(sample), 1) else ""


class Rows:
    """Makes documents of the rows of one table. A new id names its row, else the number does; `prefix` goes before."""

    def __init__(self, columns: Columns, prefix: str = "") -> None:
        self._columns, self._prefix = columns, prefix
        self._ids: set[int] = set()

    def document(self, row: Mapping[str, Any], number: int) -> Extracted:
        columns = self._columns
        own = {columns.text, columns.title, columns.date, columns.author, columns.language}
        day = parse_date(row.get(columns.date))
        metadata = {name: value for name, value in row.items() if name not in own and value not in (None, "", [], {})}
        if day is None and row.get(columns.date):
            metadata[columns.date] = row[columns.date]
        return Extracted(
            member=self._name(row, number),
            text=_text(row.get(columns.text)),
            title=clean_line(_text(row.get(columns.title))),
            date=day,
            author=clean_line(_text(row.get(columns.author))),
            language=language_code(_text(row.get(columns.language))),
            type="row",
            anchors=(Anchor(0, "row", number),),
            metadata=metadata,
        )

    def _name(self, row: Mapping[str, Any], number: int) -> str:
        name = clean_line(_text(row.get(self._columns.id)), longest=200)
        mark = hash(name)
        if not name or mark in self._ids or _ROW_NAME.match(name):
            return f"{self._prefix}row {number}"
        self._ids.add(mark)
        return self._prefix + name


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
