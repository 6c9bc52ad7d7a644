"""Topics as a codebook: what people settled about them, and which passages they put where, to keep or hand on.

JSON and SKOS say all of it and read back exactly; CSV says all of it in one row a topic. Topics are told by their ids;
another collection, or a later fit, is met by label.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riparian.errors import Invalid
from topics.curation import skos

VERSION = 1
FORMATS = ("json", "csv", "skos")
MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "skos": "application/ld+json"}
COLUMNS = ("id", "label", "named", "note", "hidden", "pinned", "words", "seeds", "pins", "moved", "merged")
_LISTS = ("words", "seeds", "pins", "moved", "merged")


@dataclass(frozen=True, slots=True)
class Place:
    """A passage by what outlives it: its document's source and where it lies there."""

    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One topic. `named` where a person gave the label; `pins` and `moved` are passages that people put there; `merged`
    are labels of topics that it took in."""

    id: int
    label: str
    named: bool = False
    note: str = ""
    hidden: bool = False
    pinned: bool = False
    words: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    pins: tuple[Place, ...] = ()
    moved: tuple[Place, ...] = ()
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Codebook:
    collection: str
    entries: tuple[Entry, ...]


def write(book: Codebook, form: str) -> str:
    """As text. Invalid for an unknown format."""
    if form == "json":
        return json.dumps(_data(book), ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        return _csv(book)
    if form == "skos":
        return skos.write(book.collection, [_entry_data(entry) for entry in book.entries])
    raise Invalid(f"no codebook format {form!r}; there is: {', '.join(FORMATS)}")


def read(text: str, form: str) -> Codebook:
    """What `write` made. Invalid, saying where, for anything else."""
    try:
        if form == "json":
            return _book(json.loads(text))
        if form == "csv":
            return _from_csv(text)
        if form == "skos":
            name, entries = skos.read(text)
            return Codebook(name, tuple(_entry(entry) for entry in entries))
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise Invalid(f"this is no codebook in {form}: {error}") from error
    raise Invalid(f"no codebook format {form!r}; there is: {', '.join(FORMATS)}")


# ------------------------------------------------------------------------------ JSON


def _data(book: Codebook) -> dict[str, Any]:
    return {
        "codebook": VERSION,
        "collection": book.collection,
        "topics": [_entry_data(entry) for entry in book.entries],
    }


def _entry_data(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id, "label": entry.label, "named": entry.named, "note": entry.note, "hidden": entry.hidden,
        "pinned": entry.pinned, "words": list(entry.words), "seeds": list(entry.seeds),
        "pins": [_place_data(place) for place in entry.pins],
        "moved": [_place_data(place) for place in entry.moved], "merged": list(entry.merged),
    }  # fmt: skip


def _place_data(place: Place) -> dict[str, Any]:
    return {"source": place.source, "start": place.start, "end": place.end}


def _book(data: Mapping[str, Any]) -> Codebook:
    if data["codebook"] != VERSION:
        raise ValueError(f"version {data['codebook']} is not known")
    return Codebook(_text(data["collection"]), tuple(_entry(entry) for entry in data["topics"]))


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        id=_whole(data["id"]), label=_text(data["label"]), named=_truth(data["named"]), note=_text(data["note"]),
        hidden=_truth(data["hidden"]), pinned=_truth(data["pinned"]), words=_texts(data["words"]),
        seeds=_texts(data["seeds"]), pins=_places(data["pins"]), moved=_places(data["moved"]),
        merged=_texts(data["merged"]),
    )  # fmt: skip


def _places(data: Sequence[Mapping[str, Any]]) -> tuple[Place, ...]:
    return tuple(Place(_text(p["source"]), _whole(p["start"]), _whole(p["end"])) for p in data)


def _texts(data: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(data, list):
        raise TypeError(f"a list was expected, not {data!r}")
    return tuple(_text(value) for value in data)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {value!r}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"true or false was expected, not {value!r}")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a whole number was expected, not {value!r}")
    return value


# ------------------------------------------------------------------------------ CSV


def _csv(book: Codebook) -> str:
    """RFC 4180. A cell of several texts has them in JSON, so that a text may hold anything."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "collection"])
    for entry in book.entries:
        data = _entry_data(entry)
        writer.writerow([_cell(data[column]) for column in COLUMNS] + [book.collection])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def _from_csv(text: str) -> Codebook:
    # StringIO would turn a carriage return inside a cell into a line feed
    rows = list(csv.reader(io.StringIO(text, newline="")))
    head = rows[0] if rows else []
    missing = [column for column in COLUMNS if column not in head]
    if missing:
        raise ValueError(f"the first line lacks {', '.join(missing)}")
    found = [dict(zip(head, row, strict=True)) for row in rows[1:] if row]
    return Codebook(found[0].get("collection", "") if found else "", tuple(_from_row(row) for row in found))


def _from_row(row: Mapping[str, str]) -> Entry:
    data: dict[str, Any] = {column: row[column] for column in COLUMNS}
    for column in _LISTS:
        data[column] = json.loads(data[column] or "[]")
    for column in ("named", "hidden", "pinned"):
        data[column] = {"yes": True, "no": False}[data[column]]
    return _entry(data | {"id": int(row["id"])})
