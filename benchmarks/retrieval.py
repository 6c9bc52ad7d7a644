"""How well judged collections are searched, through the product's own indexer and search.

    python benchmarks/retrieval.py FOLDER... [--encoder KIND] [--limit N] [--weights] [--data-dir DIR]... [--json]

FOLDER is in BEIR form: `corpus.jsonl[.gz]` (_id, title, text), `queries.jsonl[.gz]` (_id, text) and `qrels/test.tsv`
(query, document, relevance). Prints nDCG@10, MRR@10 and recall@100 of lexical, semantic, hybrid and re-ranked search at
the product's defaults, with 95 % bootstrap intervals over the queries, the paired differences of the last two to those
before them, and what a search and its re-ranking take. Of several folders it prints the differences on the union of
their queries as well. `--weights` adds re-ranked search at the weight of meaning that cross-validation chooses.
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

from benchmarks.figures import DRAWS, SEED, Values, interval, machine, machine_line
from benchmarks.judged import MEASURES, Failed, Judged, ask, at_weights, by_query, index, read_folder
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import Mode
from search.request import Fusion, Rerank
from training.evaluation.answers import FEWEST_TUNED, WEIGHTS, tuned
from web.wiring import Services, build

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

Measured = Mapping[str, Mapping[str, Values]]
"""By ranker and measure: a value a query."""

PACKAGES = ("numpy", "tantivy", "onnxruntime", "faiss-cpu", "ir-measures")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    if len(options.data_dir) > 1 and len(options.data_dir) != len(options.folder):
        raise Failed(f"--data-dir: one, or one for each of the {len(options.folder)} folders")
    with tempfile.TemporaryDirectory(prefix="riparian-retrieval-") as temporary:
        places = options.data_dir or [Path(temporary)]
        measured = [
            _measure(folder, options, places[number % len(places)]) for number, folder in enumerate(options.folder)
        ]
    reports = [report for report, _ in measured]
    if len(measured) == 1:
        print(json.dumps(reports[0], indent=2) if options.json else _as_text(reports[0]))
        return 0
    union = united([values for _, values in measured])
    if options.json:
        print(json.dumps({"collections": reports, "union": union}, indent=2))
    else:
        print("\n\n".join([*map(_as_text, reports), _union_as_text(union)]))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--limit", type=int, help="ask only the first N judged queries")
    parser.add_argument(
        "--data-dir", type=Path, action="append", default=[],
        help="keep the index here and use it again; may be given once for each folder",
    )  # fmt: skip
    parser.add_argument("--fusion", type=Fusion, default=Fusion.MIN_MAX, choices=list(Fusion))
    parser.add_argument("--weight", type=float, help="share of the semantic score; default: the product's")
    parser.add_argument("--rerank", type=Rerank, default=Rerank.MAXSIM, choices=[Rerank.MAXSIM, Rerank.CROSS_ENCODER])
    parser.add_argument("--weights", action="store_true", help="choose the weight by cross-validation, too")
    parser.add_argument("--json", action="store_true")
    return parser


def _measure(folder: Path, options: argparse.Namespace, data_dir: Path) -> tuple[dict[str, Any], Measured]:
    judged = read_folder(folder, options.limit)
    services = build(Settings(data_dir=data_dir))
    name = folder.resolve().name
    started = time.perf_counter()
    indexed = index(services, name, judged.corpus, options.encoder)
    seconds = {"index": time.perf_counter() - started}
    answered = {}
    for label, mode, rerank in RANKERS:
        started = time.perf_counter()
        chosen = options.rerank if label == RERANKED else rerank
        answered[label] = ask(services, name, judged, mode, options.fusion, options.weight, chosen)
        seconds[label] = time.perf_counter() - started
    values = {mode: by_query(judged, found.run) for mode, found in answered.items()}
    report = {
        "collection": name,
        **indexed,
        "queries": len(judged.queries),
        "fusion": options.fusion.value,
        **compare(values),
        "milliseconds": {mode: _times(found.times_ms) for mode, found in answered.items()},
        "rerank_milliseconds": _times(answered[RERANKED].rerank_ms),
        "seconds": {step: round(value, 1) for step, value in seconds.items()},
        "machine": machine(PACKAGES),
    }
    if options.weights:
        report["weight"] = _weighed(services, name, judged, options)
    return report, values


def _weighed(services: Services, name: str, judged: Judged, options: argparse.Namespace) -> dict[str, Any]:
    """Re-ranked search at the weight that is best on the other folds, as `riparian evaluate` chooses it."""
    if len(judged.queries) < FEWEST_TUNED:
        raise Failed(f"--weights: at least {FEWEST_TUNED} judged queries, and {name} has {len(judged.queries)}")
    usual = Settings().hybrid_weight
    table = at_weights(services, name, judged, (*WEIGHTS, usual), options.fusion, options.rerank)
    return asdict(tuned(table[:-1], table[-1], usual, SEED, RERANKED))


# -------------------------------------------------------------------------------------------- figures


def compare(values: Measured) -> dict[str, Any]:
    """The measures of each, and the differences of hybrid and re-ranked search to those before, query by query."""
    measures = {mode: {name: asdict(interval(found[name])) for name in MEASURES} for mode, found in values.items()}
    return {"measures": measures, "differences": _differences(values)}


def united(measured: Sequence[Measured]) -> dict[str, Any]:
    """The same differences over the queries of all collections together; every query counts the same."""
    values = {
        mode: {name: np.concatenate([one[mode][name] for one in measured]) for name in MEASURES} for mode in measured[0]
    }
    return {"queries": len(values[RERANKED][next(iter(MEASURES))]), "differences": _differences(values)}


def _differences(values: Measured) -> dict[str, dict[str, Any]]:
    return {
        f"{one} - {other}": {name: asdict(interval(values[one][name] - values[other][name])) for name in MEASURES}
        for one, other in PAIRS
        if one in values and other in values
    }


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
    again = report["rerank_milliseconds"]
    lines += ["", f"milliseconds a search: {times}", f"of these for re-ranking: {again['median']} (p95 {again['p95']})"]
    if "weight" in report:
        lines.append(_weight_line(report["weight"]))
    lines.append(f"seconds: {spent}")
    lines.append(machine_line(report["machine"]))
    return "\n".join(lines)


def _weight_line(weight: Mapping[str, Any]) -> str:
    folds = ", ".join(f"{one:g}" for one in weight["fold_weights"])
    return (
        f"re-ranked, weight by cross-validation ({folds}; usual {weight['usual']:g}): nDCG@10 "
        f"{_cell('', weight['reached'])}, difference to the usual {_cell(' - ', weight['gain'])}"
    )


def _union_as_text(union: Mapping[str, Any]) -> str:
    lines = [f"all together, {union['queries']} queries", f"{'':20}" + "".join(f"{name:>28}" for name in MEASURES)]
    lines += [
        f"{pair:20}" + "".join(f"{_cell(pair, found[name]):>28}" for name in MEASURES)
        for pair, found in union["differences"].items()
    ]
    return "\n".join(lines)


def _cell(mode: str, found: Mapping[str, float]) -> str:
    sign = "+" if " - " in mode else ""
    return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"retrieval: {error}")
