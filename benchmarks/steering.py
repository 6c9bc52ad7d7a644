"""What ticks and crosses gain, on documents that nobody has seen yet.

    python benchmarks/steering.py FOLDER [--seen N] [--half first|second|all] [--data-dir DIR] [--json]

FOLDER is in BEIR form, as for `benchmarks/retrieval.py`. Each query is asked; its first N hits are ticked where they
are judged relevant and crossed where not, and it is asked again. Both answers are compared on the other documents alone
(the residual collection: hits that were seen are taken out of both answers and of the judgments), over the queries that
have something relevant left. `--half` takes every other query: settings are chosen on the first half and shown on the
second.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import interval, machine, machine_line
from benchmarks.judged import Failed, Judged, index, read_folder
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import Hit, Mode
from search.examples import Example
from search.request import SearchRequest
from training.evaluation.measures import NDCG, measure
from web.wiring import Services, build

PACKAGES = ("numpy", "tantivy", "onnxruntime")
DEPTH = 60


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    judged = read_folder(options.folder)
    with tempfile.TemporaryDirectory(prefix="riparian-steering-") as temporary:
        services = build(Settings(data_dir=options.data_dir or Path(temporary)))
        name = options.folder.resolve().name
        index(services, name, judged.corpus, options.encoder)
        report = _measure(services, name, judged, options)
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--seen", type=int, default=5, help="hits that are ticked or crossed")
    parser.add_argument("--half", choices=("first", "second", "all"), default="all")
    parser.add_argument("--data-dir", type=Path, help="keep the index here and use it again")
    parser.add_argument("--json", action="store_true")
    return parser


def _measure(services: Services, name: str, judged: Judged, options: argparse.Namespace) -> dict[str, Any]:
    before, after = [], []
    ticks, crosses = 0, 0
    for query in _half(list(judged.queries), options.half):
        gains = {document: float(grade) for document, grade in judged.qrels[query].items() if grade > 0}
        plain = _asked(services, name, judged.queries[query])
        seen = plain[: options.seen]
        left = {document: gain for document, gain in gains.items() if document not in {_name(hit) for hit in seen}}
        if not left:
            continue
        more = tuple(Example(passage=hit.passage.id) for hit in seen if _name(hit) in gains)
        less = tuple(Example(passage=hit.passage.id) for hit in seen if _name(hit) not in gains)
        moved = _asked(services, name, judged.queries[query], more, less)
        before.append(_score(plain, seen, left))
        after.append(_score(moved, seen, left))
        ticks, crosses = ticks + len(more), crosses + len(less)
    was, now = np.array(before), np.array(after)
    return {
        "collection": name,
        "queries": len(was),
        "half": options.half,
        "seen": options.seen,
        "ticks": ticks,
        "crosses": crosses,
        "before": asdict(interval(was)),
        "after": asdict(interval(now)),
        "difference": asdict(interval(now - was)),
        "machine": machine(PACKAGES),
    }


def _half(queries: Sequence[str], which: str) -> Sequence[str]:
    return queries if which == "all" else queries[0 if which == "first" else 1 :: 2]


def _asked(
    services: Services, name: str, query: str, more: tuple[Example, ...] = (), less: tuple[Example, ...] = ()
) -> tuple[Hit, ...]:
    request = SearchRequest(
        name, query, Mode.HYBRID, k=DEPTH, collapse=False, sentences=False, more=more, less=less, feedback=False
    )
    return services.search.search(request).hits


def _name(hit: Hit) -> str:
    return str(hit.document.metadata["_id"])


def _score(hits: Sequence[Hit], seen: Sequence[Hit], left: dict[str, float]) -> float:
    """nDCG@10 without the hits that were seen."""
    apart = {_name(hit) for hit in seen}
    names = [name for name in map(_name, hits) if name not in apart]
    numbers = {name: number for number, name in enumerate(dict.fromkeys([*names, *left]))}
    return measure([numbers[name] for name in names], {numbers[name]: gain for name, gain in left.items()})[NDCG]


def _as_text(report: dict[str, Any]) -> str:
    def cell(found: dict[str, float], sign: str = "") -> str:
        return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"

    return "\n".join(
        (
            f"{report['collection']}, {report['half']} queries: {report['queries']} with something relevant left",
            f"the first {report['seen']} hits judged: {report['ticks']} ticks, {report['crosses']} crosses",
            f"nDCG@10 on the others: {cell(report['before'])} before, {cell(report['after'])} after, "
            f"{cell(report['difference'], '+')}",
            machine_line(report["machine"]),
        )
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"steering: {error}")
