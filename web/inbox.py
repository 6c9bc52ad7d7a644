"""Documents that programs hand in: one file each below the data folder, indexed as any file is.

A document's name is its `id`, else the digest of what it says, so that handing it in twice changes nothing and handing
in another text under the same id brings it up to date.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from riparian.errors import Invalid
from riparian.types import Collection

OWN = ("id", "text", "title", "date", "author", "language")


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A document as a program gives it. `id` "" = named by its content."""

    text: str
    id: str = ""
    title: str = ""
    date: date | None = None
    author: str = ""
    language: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def folder(data_dir: Path, collection: Collection) -> Path:
    """Named by the time of making too: a database may give an id again."""
    return data_dir / "inbox" / f"{collection.id}-{collection.created:%Y%m%dT%H%M%S%f}"


def put(data_dir: Path, collection: Collection, documents: Iterable[HandedIn]) -> Path:
    """Writes the documents and answers with the folder to index. Invalid for metadata named like a field.

    When this returns they are on the disk: a crash before they are indexed loses none.
    """
    lines = [_line(document) for document in documents]
    target = folder(data_dir, collection)
    target.mkdir(parents=True, exist_ok=True)
    for name, line in lines:
        _write(target, name, line)
    _sync_folder(target)
    return target


def _line(document: HandedIn) -> tuple[str, bytes]:
    taken = sorted(set(document.metadata) & set(OWN))
    if taken:
        raise Invalid(f"metadata cannot be named {', '.join(taken)}: the document has a field of that name")
    row = {
        "id": document.id,
        "text": document.text,
        "title": document.title,
        "date": document.date.isoformat() if document.date else "",
        "author": document.author,
        "language": document.language,
        **document.metadata,
    }
    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
    name = hashlib.sha256(document.id.encode() if document.id else line).hexdigest()
    return f"{name[:32]}.jsonl", line


def _write(target: Path, name: str, line: bytes) -> None:
    """Beside its place first (hidden files are not indexed), so that nobody reads half of it."""
    path, half = target / name, target / f".{name}.{os.getpid()}"
    if path.exists() and path.read_bytes() == line:
        return
    with half.open("wb") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _sync_folder(target: Path) -> None:
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
