"""How well a judged collection is searched, through the product's own indexer and search.

    python benchmarks/retrieval.py FOLDER [--encoder KIND] [--limit N] [--data-dir DIR] [--json]

FOLDER is in BEIR form: `corpus.jsonl[.gz]` (_id, title, text), `queries.jsonl[.gz]` (_id, text) and `qrels/test.tsv`
(query, document, relevance). Prints nDCG@10, MRR@10 and recall@100 of lexical, semantic, hybrid and re-ranked search at
the product's defaults, with 95 % bootstrap intervals over the queries, and the paired differences of the last two to
those before them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import DRAWS, Values, interval, machine, machine_line
from benchmarks.judged import MEASURES, Answered, Failed, Judged, ask, by_query, index, read_folder
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import Mode
from search.request import Fusion, Rerank
from web.wiring import build

__all__ = ["DRAWS", "interval", "main", "read_folder"]

RERANKED = "reranked"
RANKERS = (
    ("lexical", Mode.LEXICAL, Rerank.NONE),
    ("semantic", Mode.SEMANTIC, Rerank.NONE),
    ("hybrid", Mode.HYBRID, Rerank.NONE),
    (RERANKED, Mode.HYBRID, Rerank.MAXSIM),
)
"""What is compared, each under its name."""

PAIRS = (("hybrid", "lexical"), ("hybrid", "semantic"), (RERANKED, "hybrid"))

PACKAGES = ("numpy", "tantivy", "onnxruntime", "faiss-cpu", "ir-measures")


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
    parser.add_argument("--rerank", type=Rerank, default=Rerank.MAXSIM, choices=[Rerank.MAXSIM, Rerank.CROSS_ENCODER])
    parser.add_argument("--json", action="store_true")
    return parser


def _measure(judged: Judged, options: argparse.Namespace, data_dir: Path) -> dict[str, Any]:
    services = build(Settings(data_dir=data_dir))
    name = options.folder.resolve().name
    started = time.perf_counter()
    indexed = index(services, name, judged.corpus, options.encoder)
    seconds = {"index": time.perf_counter() - started}
    answered = {}
    for label, mode, rerank in RANKERS:
        started = time.perf_counter()
        chosen = options.rerank if label == RERANKED else rerank
        answered[label] = ask(services, name, judged, mode, options.fusion, options.weight, chosen)
        seconds[label] = time.perf_counter() - started
    return {
        "collection": name,
        **indexed,
        "queries": len(judged.queries),
        "fusion": options.fusion.value,
        **compare(judged, answered),
        "milliseconds": {mode: _times(found.times_ms) for mode, found in answered.items()},
        "seconds": {step: round(value, 1) for step, value in seconds.items()},
        "machine": machine(PACKAGES),
    }


# -------------------------------------------------------------------------------------------- figures


def compare(judged: Judged, answered: Mapping[str, Answered]) -> dict[str, Any]:
    """The measures of each, and the differences of hybrid and re-ranked search to those before, query by query."""
    values = {mode: by_query(judged, found.run) for mode, found in answered.items()}
    differences = {
        f"{one} - {other}": {name: asdict(interval(values[one][name] - values[other][name])) for name in MEASURES}
        for one, other in PAIRS
        if one in values and other in values
    }
    measures = {mode: {name: asdict(interval(found[name])) for name in MEASURES} for mode, found in values.items()}
    return {"measures": measures, "differences": differences}


def _times(times_ms: Values) -> dict[str, float]:
    return {"median": round(float(np.median(times_ms)), 1), "p95": round(float(np.percentile(times_ms, 95)), 1)}


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
    lines += ["", f"milliseconds a search: {times}", f"seconds: {spent}"]
    lines.append(machine_line(report["machine"]))
    return "\n".join(lines)


def _cell(mode: str, found: Mapping[str, float]) -> str:
    sign = "+" if " - " in mode else ""
    return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"retrieval: {error}")
