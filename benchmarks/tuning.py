"""What tuning an encoder on a judged collection's own text does to search in it; no question or judgment is learnt.

    python benchmarks/tuning.py FOLDER [--recipe NAME]... [--encoder SPEC] [--set NAME=VALUE]... [--seed N] [--json]

FOLDER is in BEIR form (benchmarks/retrieval.py says more). Texts are the documents' texts, pairs their titles and
texts. Documents (title and text) are ranked by their best passage, exactly. Prints nDCG@10, MRR@10 and recall@10
before and after each recipe with 95 % bootstrap intervals over the questions, and the paired differences.
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
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.judged import Failed, Judged, read_folder, rows_of
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.errors import RiparianError
from training.evaluation.measures import MRR, NDCG, RECALL_10, measure
from training.evaluation.rankers import Dense
from training.evaluation.statistics import interval, paired
from training.evaluation.tasks import Body, Query, Task
from training.material import Material, Pair, Run
from training.recipes.table import DEFAULT, named

MEASURES = (NDCG, MRR, RECALL_10)

Values = Mapping[str, NDArray[np.float64]]
"""Measure → (questions,)."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    judged = read_folder(options.folder)
    rows = list(rows_of(judged.corpus))
    with tempfile.TemporaryDirectory(prefix="riparian-tuning-") as temporary:
        report = _measured(judged, rows, options, Path(temporary))
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", action="append", help=f"several times for several; default: {DEFAULT}")
    parser.add_argument("--encoder", default="sentence-transformers", help="kind, folder or hub id to tune")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the recipe")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser


def _measured(judged: Judged, rows: list[dict[str, Any]], options: argparse.Namespace, room: Path) -> dict[str, Any]:
    material = _material(options.folder.resolve().name, rows)
    settings = dict(setting.split("=", 1) for setting in options.set)
    base = _loaded(options.encoder, room)
    before = _values(base, judged, rows)
    found = {"before": _intervals(before, options.seed)}
    differences, told = {}, {}
    for name in options.recipe or [DEFAULT]:
        began = time.process_time()
        report = named(name).tune(base, material, room / name, Run(seed=options.seed, workers=1), settings)
        after = _values(_loaded(str(room / name), room), judged, rows)
        found[name] = _intervals(after, options.seed)
        differences[name] = {of: asdict(paired(after[of], before[of], options.seed)) for of in MEASURES}
        told[name] = dict(report) | {"cpu_seconds": round(time.process_time() - began, 1)}
    return {
        "collection": options.folder.resolve().name,
        "documents": len(rows),
        "queries": len(judged.queries),
        "encoder": base.info.name,
        "seed": options.seed,
        "measures": found,
        "differences": differences,
        "reports": told,
    }


def _material(name: str, rows: list[dict[str, Any]]) -> Material:
    pairs = [Pair(row["title"], row["text"]) for row in rows if row["title"].strip() and row["text"].strip()]
    return Material(f"the text of {name}", texts=[row["text"] for row in rows if row["text"].strip()], pairs=pairs)


def _loaded(spec: str, room: Path) -> Encoder:
    return registry.load(spec, cache_dir=room / "cache", threads=1)


def _values(encoder: Encoder, judged: Judged, rows: list[dict[str, Any]]) -> Values:
    numbers = {str(row["_id"]): number for number, row in enumerate(rows)}
    bodies = tuple(Body(number, f"{row['title']}\n{row['text']}", "en") for number, row in enumerate(rows))
    queries = tuple(Query(text, -1) for text in judged.queries.values())
    ((*rankings,),) = Dense(encoder).rank([Task("judged", bodies, queries)])
    scores = [
        measure(ranking, {numbers[name]: float(gain) for name, gain in judged.qrels[query].items()})
        for ranking, query in zip(rankings, judged.queries, strict=True)
    ]
    return {of: np.array([score[of] for score in scores]) for of in MEASURES}


def _intervals(values: Values, seed: int) -> dict[str, Any]:
    return {of: asdict(interval(values[of], seed)) for of in MEASURES}


def _as_text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{report['collection']}: {report['documents']} documents, {report['queries']} queries, {report['encoder']}, "
        f"seed {report['seed']}",
        "",
        f"{'':16}" + "".join(f"{of:>30}" for of in MEASURES),
    ]
    lines += [
        f"{name:16}" + "".join(_cell(found[of], "") for of in MEASURES) for name, found in report["measures"].items()
    ]
    lines += [
        f"{name + ' - before':16}" + "".join(_cell(found[of], "+") for of in MEASURES)
        for name, found in report["differences"].items()
    ]
    for name, told in report["reports"].items():
        lines += [
            f"{name}: {told['examples']} examples, {told['steps']} steps, {told['cpu_seconds']} CPU seconds in all; "
            f"held out: {told['held_out_before']} → {told['held_out_after']}"
        ]
    return "\n".join(lines)


def _cell(found: Mapping[str, float], sign: str) -> str:
    return f"{found['mean']:{sign}.4f} [{found['low']:{sign}.4f}, {found['high']:{sign}.4f}]".rjust(30)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RiparianError, Failed) as error:
        sys.exit(f"tuning: {error}")
