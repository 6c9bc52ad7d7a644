"""Judgments that stand in files: BEIR folders, TREC files with their queries beside them, and what Riparian exports.

FOLDER/queries.jsonl[.gz], FOLDER/qrels/test.tsv (or the only file there)      BEIR
qrels.txt, queries.tsv beside it (number, tab, text)                           TREC
judgments.jsonl with query, document and grade on each line                    Riparian
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from riparian.catalog.engine import Database
from riparian.errors import MissingPath, UnreadableFile
from riparian.types import Document, DocumentId

NAMES = ("_id", "id", "docno", "doc_id")
"""Metadata under which a document carries the name that judgments know it by."""

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Said:
    """A judgment as a file says it: `document` is the name it goes by there."""

    query: str
    document: str
    grade: float


def read_judged(path: Path) -> Iterator[Said]:
    """Every judgment. MissingPath; UnreadableFile, naming file and line, for what is none, and where the queries that
    the judgments number are not found."""
    if not path.exists():
        raise MissingPath(path)
    if path.is_dir():
        yield from _numbered(_qrels_of(path), _queries_of(path))
    elif _stem(path).endswith(".jsonl"):
        yield from _told(path)
    else:
        yield from _numbered(path, _queries_of(path.parent))


def outward_name(document: Document) -> str:
    """The name that files of judgments know a document by: its own, where its metadata has one without white space,
    else its number."""
    own = (str(document.metadata[name]) for name in NAMES if document.metadata.get(name) not in (None, ""))
    return next((name for name in own if len(name.split()) == 1), str(document.id))


def resolved(database: Database, collection: str, names: set[str]) -> dict[str, DocumentId]:
    """The documents that go by these names: by metadata, else by source, file name with and without its ending, or
    number. Names that no document goes by are left out; of two documents with one name the first is meant."""
    found: list[dict[str, DocumentId]] = [{} for _ in range(4)]
    with database.read() as catalog:
        own = catalog.collections.named(collection).id
        after = 0
        while page := catalog.documents.page(own, limit=_AT_ONCE, after=after):
            for document in page:
                for known, called in zip(found, _names_of(document), strict=True):
                    for name in called:
                        if name in names:
                            known.setdefault(name, document.id)
            after = page[-1].id
    merged: dict[str, DocumentId] = {}
    for known in reversed(found):
        merged |= known
    return merged


def _names_of(document: Document) -> tuple[list[str], list[str], list[str], list[str]]:
    """From the surest to the least sure."""
    own = [str(document.metadata[name]) for name in NAMES if document.metadata.get(name) not in (None, "")]
    file = document.source.replace("!", "/").rsplit("/", 1)[-1]
    return own, [document.source], [file, file.split(".", 1)[0]], [str(document.id)]


def _qrels_of(folder: Path) -> Path:
    found = sorted(folder.glob("qrels/*.tsv")) or sorted(folder.glob("qrels*.t*"))
    best = [path for path in found if path.stem == "test"] or found
    if not best:
        raise UnreadableFile(folder, "no judgments in it: qrels/test.tsv or qrels.txt is needed")
    return best[0]


def _queries_of(folder: Path) -> Mapping[str, str]:
    for name in ("queries.jsonl", "queries.jsonl.gz"):
        if (folder / name).is_file():
            return {str(row.get("_id", "")): str(row.get("text", "")) for _, row in _rows(folder / name)}
    for name in ("queries.tsv", "topics.tsv"):
        if (folder / name).is_file():
            lines = (line.rstrip("\r\n").partition("\t") for _, line in _lines(folder / name))
            return {number.strip(): text.strip() for number, _, text in lines if text.strip()}
    raise UnreadableFile(folder, "no queries beside the judgments: queries.jsonl or queries.tsv is needed")


def _numbered(path: Path, queries: Mapping[str, str]) -> Iterator[Said]:
    """BEIR (query, document, grade; tabs) and TREC (query, iteration, document, grade)."""
    for number, line in _lines(path):
        parts = line.split("\t") if line.count("\t") == 2 else line.split()
        if len(parts) == 4:
            parts = [parts[0], parts[2], parts[3]]
        if number == 1 and len(parts) == 3 and not _is_number(parts[2]):
            continue  # the header
        if len(parts) != 3 or not _is_number(parts[2]):
            raise UnreadableFile(path, f"line {number} is no judgment: query, document and grade are needed")
        query, document, grade = (part.strip() for part in parts)
        if query in queries:
            yield Said(queries[query], document, max(0.0, float(grade)))


def _told(path: Path) -> Iterator[Said]:
    for number, row in _rows(path):
        query, document, grade = row.get("query"), row.get("document"), row.get("grade", 1)
        if not isinstance(query, str) or document is None or not _is_number(str(grade)):
            raise UnreadableFile(path, f"line {number} is no judgment: query, document and grade are needed")
        yield Said(query, str(document), max(0.0, float(grade)))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UnreadableFile(path, f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise UnreadableFile(path, f"line {number} is no JSON object")
        yield number, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, numbered from 1."""
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise UnreadableFile(path, f"no text in UTF-8: {error}") from error


def _opened(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz")


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
