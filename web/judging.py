"""Judgments in and out: what people tick, and the files that evaluations are exchanged in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from riparian.catalog.engine import Database
from riparian.catalog.judgments import RELEVANT, NewJudgment
from riparian.errors import Invalid, UnknownPassage
from riparian.types import DocumentId, PassageId
from training.evaluation.judged import NAMES, outward_name, read_judged, resolved

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Given:
    """A judgment as it is asked for: of a passage, or of a document."""

    query: str
    document: DocumentId | None = None
    passage: PassageId | None = None
    grade: float = RELEVANT


@dataclass(frozen=True, slots=True)
class Imported:
    """`unknown` = judgments of documents that the collection does not hold."""

    written: int
    unknown: int


def judge(database: Database, collection: str, given: Sequence[Given], author: str = "") -> int:
    """Writes them; answers with how many were. UnknownCollection, UnknownPassage, UnknownDocument; Invalid for one of
    neither a passage nor a document, and for an empty query."""
    with database.write() as catalog:
        found = catalog.collections.named(collection)
        owners = catalog.passages.documents_of([one.passage for one in given if one.passage is not None])
        new = [NewJudgment(one.query, _document(one, owners), one.passage, one.grade) for one in given]
        return catalog.judgments.put(found.id, new, author)


def _document(one: Given, owners: Mapping[PassageId, DocumentId]) -> DocumentId:
    if one.passage is not None:
        if one.passage not in owners:
            raise UnknownPassage(one.passage)
        return owners[one.passage]
    if one.document is None:
        raise Invalid("a judgment is of a passage or a document; this one names neither")
    return one.document


def import_file(database: Database, collection: str, path: Path, author: str = "") -> Imported:
    """Judgments of a BEIR folder, a TREC file of judgments with its queries beside it, or a file that Riparian wrote.
    MissingPath, UnreadableFile; Invalid where no judgment names a document of the collection."""
    said = list(read_judged(path))
    documents = resolved(database, collection, {one.document for one in said})
    given = [Given(one.query, documents[one.document], grade=one.grade) for one in said if one.document in documents]
    if not given:
        raise Invalid(
            f"{path}: none of its {len(said)} judgments names a document of {collection!r}; they are known by "
            f"{', '.join(f'meta.{name}' for name in NAMES)}, by source, by file name, or by number"
        )
    return Imported(judge(database, collection, given, author), len(said) - len(given))


def export_beir(database: Database, collection: str, folder: Path) -> int:
    """Writes corpus.jsonl, queries.jsonl and qrels/test.tsv; answers with how many judgments these hold."""
    judged = _outward(database, collection)
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    _write(folder / "queries.jsonl", (_line(_id=number, text=query) for query, number in judged.queries.items()))
    _write(folder / "corpus.jsonl", _corpus(database, collection))
    rows = (f"{number}\t{document}\t{grade:g}\n" for number, document, grade in judged.rows)
    _write(folder / "qrels" / "test.tsv", chain(["query-id\tcorpus-id\tscore\n"], rows))
    return len(judged.rows)


def export_trec(database: Database, collection: str, folder: Path) -> int:
    """Writes qrels.txt (query 0 document grade) and queries.tsv; answers with how many judgments these hold."""
    judged = _outward(database, collection)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "queries.tsv", (f"{number}\t{query}\n" for query, number in judged.queries.items()))
    _write(folder / "qrels.txt", (f"{number} 0 {document} {grade:g}\n" for number, document, grade in judged.rows))
    return len(judged.rows)


@dataclass(frozen=True, slots=True)
class _Outward:
    """Queries with their numbers, and rows of query number, document and grade: of each document the last word."""

    queries: Mapping[str, str]
    rows: Sequence[tuple[str, str, float]]


def _outward(database: Database, collection: str) -> _Outward:
    with database.read() as catalog:
        judgments = catalog.judgments.all(catalog.collections.named(collection).id)
        documents = catalog.documents.many({one.document_id for one in judgments if one.document_id is not None})
    last = {(one.query, one.document_id): one for one in judgments if one.document_id is not None}
    queries = {query: f"q{number}" for number, query in enumerate(dict.fromkeys(query for query, _ in last), start=1)}
    rows = [
        (queries[query], outward_name(documents[document]), one.grade)
        for (query, document), one in last.items()
        if document in documents
    ]
    return _Outward(queries, rows)


def _corpus(database: Database, collection: str) -> Iterator[str]:
    with database.read() as catalog:
        found = catalog.collections.named(collection).id
    after = 0
    while True:
        with database.read() as catalog:
            page = catalog.documents.page(found, limit=_AT_ONCE, after=after)
            texts = {one.id: one.text for one in catalog.documents.written([document.id for document in page])}
        if not page:
            return
        for document in page:
            yield _line(_id=outward_name(document), title=document.title, text=texts.get(document.id, ""))
        after = page[-1].id


def _line(**row: str) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)


def graded(database: Database, collection: str, path: Path) -> dict[str, dict[int, float]]:
    """The judgments of a file by query and document of the collection; those of documents that it does not hold are
    left out. MissingPath, UnreadableFile."""
    said = list(read_judged(path))
    known = resolved(database, collection, {one.document for one in said})
    found: dict[str, dict[int, float]] = {}
    for one in said:
        if one.document in known:
            found.setdefault(one.query, {})[int(known[one.document])] = one.grade
    return found
