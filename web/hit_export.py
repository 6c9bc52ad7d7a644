"""Hits written out: for spreadsheets, programs, reference managers and evaluations."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from riparian.types import Document, Hit, ScorePart, SearchAnswer
from training.evaluation.judged import outward_name
from web.citations import bibtex, ris
from web.export import csv_lines, ndjson_lines


class HitForm(StrEnum):
    """`trec` is a run file, `jsonl` one JSON object a line."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    BIBTEX = "bibtex"
    RIS = "ris"
    TREC = "trec"


NAMES = {
    HitForm.CSV: "CSV",
    HitForm.JSONL: "JSONL",
    HitForm.PARQUET: "Parquet",
    HitForm.BIBTEX: "BibTeX",
    HitForm.RIS: "RIS",
    HitForm.TREC: "TREC run",
}

MEDIA_TYPES = {
    HitForm.CSV: "text/csv",
    HitForm.JSONL: "application/x-ndjson",
    HitForm.PARQUET: "application/vnd.apache.parquet",
    HitForm.BIBTEX: "application/x-bibtex",
    HitForm.RIS: "application/x-research-info-systems",
    HitForm.TREC: "text/plain",
}

ENDINGS = {HitForm.BIBTEX: "bib", HitForm.TREC: "run"}

COLUMNS = (
    "query", "rank", "score", "relevance", "semantic", "semantic_rank", "lexical", "lexical_rank", "document",
    "passage",
    "title", "author", "date", "language", "type", "source", "place", "start", "end", "duplicates", "topic", "link",
    "text",
)  # fmt: skip
_NUMBERS = {"score", "relevance", "semantic", "lexical"}
_COUNTS = {"rank", "semantic_rank", "lexical_rank", "document", "passage", "start", "end", "duplicates", "topic"}


def ending(form: HitForm) -> str:
    """The usual ending of a file in this form."""
    return ENDINGS.get(form, form.value)


def written(answer: SearchAnswer, form: HitForm, base: str = "", query_id: str = "q1") -> bytes:
    """The hits in a form. `base` stands before the permalinks, `query_id` names the query in a run."""
    rows = [row_of(answer.query, hit, base) for hit in answer.hits]
    match form:
        case HitForm.CSV:
            return "".join(csv_lines(rows, COLUMNS)).encode()
        case HitForm.JSONL:
            return "".join(ndjson_lines(rows)).encode()
        case HitForm.PARQUET:
            return parquet(rows)
        case HitForm.TREC:
            return "".join(run_lines(answer, query_id)).encode()
        case HitForm.BIBTEX:
            return "".join(bibtex(_cited(answer.hits, base))).encode()
        case HitForm.RIS:
            return "".join(ris(_cited(answer.hits, base))).encode()


def row_of(query: str, hit: Hit, base: str = "") -> dict[str, Any]:
    """A hit as one flat row, in the order of COLUMNS."""
    semantic, lexical = _part(hit, "semantic"), _part(hit, "lexical")
    document, passage = hit.document, hit.passage
    return {
        "query": query,
        "rank": hit.rank,
        "score": hit.score,
        "relevance": hit.relevance,
        "semantic": semantic.raw if semantic else None,
        "semantic_rank": semantic.rank if semantic else None,
        "lexical": lexical.raw if lexical else None,
        "lexical_rank": lexical.rank if lexical else None,
        "document": document.id,
        "passage": passage.id,
        "title": document.title,
        "author": document.author,
        "date": document.date.isoformat() if document.date else None,
        "language": document.language,
        "type": document.type,
        "source": document.source,
        "place": f"{hit.place.kind} {hit.place.number}" if hit.place else None,
        "start": passage.start,
        "end": passage.end,
        "duplicates": hit.duplicates,
        "topic": hit.topic_id,
        "link": f"{base}/p/{passage.id}",
        "text": passage.text,
    }


def run_lines(answer: SearchAnswer, query_id: str) -> Iterator[str]:
    """As trec_eval reads it: query, Q0, document, rank, score, name of the run."""
    name = re.sub(r"\s+", "_", query_id.strip()) or "q1"
    for hit in answer.hits:
        yield f"{name} Q0 {outward_name(hit.document)} {hit.rank} {hit.score:.6f} riparian-{answer.mode.value}\n"


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A table with a column for each of COLUMNS, typed also where it is empty."""
    import pyarrow
    import pyarrow.parquet

    def kind(name: str) -> pyarrow.DataType:
        if name in _NUMBERS:
            return pyarrow.float64()
        return pyarrow.int64() if name in _COUNTS else pyarrow.string()

    schema = pyarrow.schema([(name, kind(name)) for name in COLUMNS])
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), out)
    return out.getvalue()


def _part(hit: Hit, retriever: str) -> ScorePart | None:
    return next((part for part in hit.parts if part.retriever == retriever), None)


def _cited(hits: Iterable[Hit], base: str) -> Iterator[tuple[Document, str, str]]:
    """Each document with its permalink and the passage that was found."""
    for hit in hits:
        yield hit.document, f"{base}/p/{hit.passage.id}", " ".join(hit.passage.text.split())
