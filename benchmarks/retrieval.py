"""How well a judged collection is searched, through the product's own indexer and search.

    python benchmarks/retrieval.py FOLDER [--encoder KIND] [--limit N] [--data-dir DIR] [--json]

FOLDER is in BEIR form: `corpus.jsonl[.gz]` (_id, title, text), `queries.jsonl[.gz]` (_id, text) and `qrels/test.tsv`
(query, document, relevance). Prints nDCG@10, MRR@10 and recall@100 of lexical, semantic and hybrid search at the
product's defaults, with 95 % bootstrap intervals over the queries, and the paired differences of hybrid to the others.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from indexer.readers.base import ReadOptions
from riparian import jobs
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import JobState, Mode
from search.request import Fusion, SearchRequest
from web.wiring import Services, build

MEASURES = {"nDCG@10": nDCG @ 10, "MRR@10": RR @ 10, "recall@100": R @ 100}
DEPTH = 100
DRAWS = 5000
SEED = 1
PACKAGES = ("numpy", "tantivy", "onnxruntime", "faiss-cpu", "ir-measures")

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection with questions and judgments; `queries` holds judged ones only."""

    corpus: Path
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Interval:
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Each query's run, and how long the searches took in milliseconds."""

    run: Mapping[str, Mapping[str, float]]
    times_ms: Values


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    judged = read_folder(options.folder, options.limit)
    with tempfile.TemporaryDirectory(prefix="riparian-retrieval-") as temporary:
        report = _measure(judged, options, options.data_dir or Path(temporary))
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--limit", type=int, help="ask only the first N judged queries")
    parser.add_argument("--data-dir", type=Path, help="keep the index here and use it again")
    parser.add_argument("--fusion", type=Fusion, default=Fusion.MIN_MAX, choices=list(Fusion))
    parser.add_argument("--weight", type=float, help="share of the semantic score; default: the product's")
    parser.add_argument("--json", action="store_true")
    return parser


def _measure(judged: Judged, options: argparse.Namespace, data_dir: Path) -> dict[str, Any]:
    services = build(Settings(data_dir=data_dir))
    name = options.folder.resolve().name
    started = time.perf_counter()
    indexed = index(services, name, judged.corpus, options.encoder)
    seconds = {"index": time.perf_counter() - started}
    answered = {}
    for mode in (Mode.LEXICAL, Mode.SEMANTIC, Mode.HYBRID):
        started = time.perf_counter()
        answered[mode.value] = ask(services, name, judged, mode, options.fusion, options.weight)
        seconds[mode.value] = time.perf_counter() - started
    return {
        "collection": name,
        **indexed,
        "queries": len(judged.queries),
        "fusion": options.fusion.value,
        **compare(judged, answered),
        "milliseconds": {mode: _times(found.times_ms) for mode, found in answered.items()},
        "seconds": {step: round(value, 1) for step, value in seconds.items()},
        "machine": _machine(),
    }


# -------------------------------------------------------------------------------------------- the collection


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
    raise SystemExit(f"{folder}: no {stem}.jsonl or {stem}.jsonl.gz")


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


# -------------------------------------------------------------------------------------------- the product at work


def index(services: Services, name: str, corpus: Path, encoder: str | None) -> dict[str, Any]:
    """Adds the corpus as a table with a document a row; what an earlier run indexed is not read again."""
    columns = ReadOptions(id_column="_id", title_column="title", text_column="text")
    job = services.indexer.add(name, [corpus], columns, encoder)
    done = jobs.run_one(services.database, services.indexer.handlers, only=job)
    if done is None or done.state is not JobState.DONE:
        raise SystemExit(f"indexing failed: {done.message if done else 'the job could not be claimed'}")
    status = services.indexer.status(name)
    return {
        "documents": status.collection.documents,
        "passages": status.collection.passages,
        "failures": status.collection.failures,
        "encoder": status.encoder,
    }


def ask(services: Services, name: str, judged: Judged, mode: Mode, fusion: Fusion, weight: float | None) -> Answered:
    run, times = {}, []
    for query, text in judged.queries.items():
        request = SearchRequest(
            name, text, mode, weight=weight, fusion=fusion, k=DEPTH, collapse=False, sentences=False
        )
        started = time.perf_counter()
        answer = services.search.search(request)
        times.append(1000 * (time.perf_counter() - started))
        # the rank stands for the score: equal scores must not be put into another order
        run[query] = {str(hit.document.metadata["_id"]): float(DEPTH - hit.rank) for hit in answer.hits}
    return Answered(run, np.array(times))


# -------------------------------------------------------------------------------------------- figures


def compare(judged: Judged, answered: Mapping[str, Answered]) -> dict[str, Any]:
    """Each mode's measures, and the differences of hybrid search to the others, query by query."""
    values = {mode: _by_query(judged, found.run) for mode, found in answered.items()}
    differences = {
        f"hybrid - {mode}": {name: asdict(interval(values["hybrid"][name] - values[mode][name])) for name in MEASURES}
        for mode in values
        if mode != "hybrid"
    }
    measures = {mode: {name: asdict(interval(found[name])) for name in MEASURES} for mode, found in values.items()}
    return {"measures": measures, "differences": differences}


def _by_query(judged: Judged, run: Mapping[str, Mapping[str, float]]) -> dict[str, Values]:
    names = {measure: name for name, measure in MEASURES.items()}
    found: dict[str, dict[str, float]] = {name: dict.fromkeys(judged.queries, 0.0) for name in MEASURES}
    for metric in ir_measures.iter_calc(list(names), judged.qrels, run):
        found[names[metric.measure]][metric.query_id] = metric.value
    return {name: np.array(list(by_query.values())) for name, by_query in found.items()}


def interval(values: Values) -> Interval:
    """The mean with the 2.5 and 97.5 percentiles of the means of bootstrap samples."""
    draws = np.random.default_rng(SEED).integers(0, len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def _times(times_ms: Values) -> dict[str, float]:
    return {"median": round(float(np.median(times_ms)), 1), "p95": round(float(np.percentile(times_ms, 95)), 1)}


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _as_text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{report['collection']}: {report['documents']} documents, {report['passages']} passages, "
        f"{report['queries']} queries, encoder {report['encoder']}, fusion {report['fusion']}",
        "",
        f"{'':20}" + "".join(f"{name:>28}" for name in MEASURES),
    ]
    for mode, measures in {**report["measures"], **report["differences"]}.items():
        cells = (measures[name] for name in MEASURES)
        lines.append(f"{mode:20}" + "".join(f"{_cell(mode, cell):>28}" for cell in cells))
    times = ", ".join(
        f"{mode} {found['median']} (p95 {found['p95']})" for mode, found in report["milliseconds"].items()
    )
    spent = ", ".join(f"{step} {value}" for step, value in report["seconds"].items())
    machine = report["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    lines += ["", f"milliseconds a search: {times}", f"seconds: {spent}"]
    lines += [
        f"{machine['system']}, {machine['processor']}, {machine['cores']} cores, load {machine['load']}",
        f"Python {machine['python']}, {packages}",
    ]
    return "\n".join(lines)


def _cell(mode: str, found: Mapping[str, float]) -> str:
    sign = "+" if " - " in mode else ""
    return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RiparianError as error:
        sys.exit(f"retrieval: {error}")
