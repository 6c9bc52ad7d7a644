"""A judged collection in BEIR form, indexed and searched through the product. What the benchmarks share."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG
from numpy.typing import NDArray

from benchmarks.figures import Values
from indexer.readers.base import ReadOptions
from riparian import jobs
from riparian.types import JobId, JobState, Mode
from search.request import Fusion, Rerank, SearchRequest
from web.wiring import Services

MEASURES = {"nDCG@10": nDCG @ 10, "MRR@10": RR @ 10, "recall@100": R @ 100}
DEPTH = 100


class Failed(Exception):
    """Why a benchmark cannot go on, in words for people."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection with questions and judgments; `queries` holds judged ones only."""

    corpus: Path
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Answered:
    """Each query's run, how long the searches took in milliseconds, and how long re-ranking took of it."""

    run: Mapping[str, Mapping[str, float]]
    times_ms: Values
    rerank_ms: Values


def read_folder(folder: Path, limit: int | None = None) -> Judged:
    qrels: dict[str, dict[str, int]] = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        next(file)  # the header
        for line in file:
            query, document, relevance = line.split("\t")
            qrels.setdefault(query, {})[document] = int(relevance)
    texts = {str(row["_id"]): str(row["text"]) for row in rows_of(_found(folder, "queries"))}
    judged = [query for query in texts if any(value > 0 for value in qrels.get(query, {}).values())][:limit]
    return Judged(_found(folder, "corpus"), {q: texts[q] for q in judged}, {q: qrels[q] for q in judged})


def _found(folder: Path, stem: str) -> Path:
    for name in (f"{stem}.jsonl", f"{stem}.jsonl.gz"):
        if (folder / name).is_file():
            return folder / name
    raise Failed(f"{folder}: no {stem}.jsonl or {stem}.jsonl.gz")


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The object of each line. Failed, naming the line, for one that is none."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise Failed(f"{path}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict):
                raise Failed(f"{path}, line {number}: a JSON object is needed, not {type(row).__name__}")
            yield row


def index(services: Services, name: str, corpus: Path, encoder: str | None) -> dict[str, Any]:
    """Adds the corpus as a table with a document a row; what an earlier run indexed is not read again."""
    columns = ReadOptions(id_column="_id", title_column="title", text_column="text")
    job = services.indexer.add(name, [corpus], columns, encoder)
    work(services, job, "indexing")
    status = services.indexer.status(name)
    return {
        "documents": status.collection.documents,
        "passages": status.collection.passages,
        "failures": status.collection.failures,
        "encoder": status.encoder,
    }


def work(services: Services, job: JobId, what: str) -> Mapping[str, Any]:
    """Runs a job to its end and answers with its result."""
    done = jobs.run_one(services.database, services.handlers, only=job)
    if done is None or done.state is not JobState.DONE:
        raise Failed(f"{what} failed: {done.message if done else 'the job could not be claimed'}")
    return done.result


def ask(
    services: Services,
    name: str,
    judged: Judged,
    mode: Mode,
    fusion: Fusion,
    weight: float | None,
    rerank: Rerank = Rerank.NONE,
) -> Answered:
    run, times, reranking = {}, [], []
    for query, text in judged.queries.items():
        request = SearchRequest(
            name, text, mode, weight=weight, fusion=fusion, k=DEPTH, collapse=False, sentences=False, rerank=rerank
        )
        started = time.perf_counter()
        answer = services.search.search(request)
        times.append(1000 * (time.perf_counter() - started))
        reranking.append(answer.rerank_ms)
        # the rank stands for the score: equal scores must not be put into another order
        run[query] = {str(hit.document.metadata["_id"]): float(DEPTH - hit.rank) for hit in answer.hits}
    return Answered(run, np.array(times), np.array(reranking))


def at_weights(
    services: Services, name: str, judged: Judged, weights: Sequence[float], fusion: Fusion, rerank: Rerank
) -> NDArray[np.float64]:
    """nDCG@10 of hybrid search at each weight of the semantic score: (weights, queries)."""
    with services.database.read() as catalog:
        page = catalog.documents.page(catalog.collections.named(name).id, limit=1_000_000)
    names = {document.id: str(document.metadata["_id"]) for document in page}
    runs: list[dict[str, dict[str, float]]] = [{} for _ in weights]
    for query, text in judged.queries.items():
        request = SearchRequest(name, text, fusion=fusion, k=DEPTH, collapse=False, sentences=False, rerank=rerank)
        for run, standing in zip(runs, services.search.inner.at_weights(request, weights), strict=True):
            first = standing.ranked.ranking.ids[:DEPTH].tolist()
            run[query] = {names[one]: float(DEPTH - rank) for rank, one in enumerate(first)}
    return np.stack([by_query(judged, run)["nDCG@10"] for run in runs])


def by_query(judged: Judged, run: Mapping[str, Mapping[str, float]]) -> dict[str, Values]:
    """Each measure of each query, 0 for one that was not answered."""
    names = {measure: name for name, measure in MEASURES.items()}
    found: dict[str, dict[str, float]] = {name: dict.fromkeys(judged.queries, 0.0) for name in MEASURES}
    for metric in ir_measures.iter_calc(list(names), judged.qrels, run):
        found[names[metric.measure]][metric.query_id] = metric.value
    return {name: np.array(list(by_query.values())) for name, by_query in found.items()}
