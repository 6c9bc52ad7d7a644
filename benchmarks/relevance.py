"""Whether the relevance of hits is the chance that a judge accepts them, through the product's own calibration.

    python benchmarks/relevance.py FOLDER [...] [--data-dir DIR ...] [--limit N] [--picture FILE.svg] [--json]

FOLDER is in BEIR form, as in `retrieval.py`. Of each collection the label-free curve is measured, and relevance is
fitted to the judgments of one half of its queries and looked at on the other, both ways round. The first ten hits of
each query are looked at; those that nobody judged count as not relevant. Prints the expected calibration error with its
95 % bootstrap interval over the queries, what was told against what was accepted (ten bins), and the share of queries
that are told that nothing is close: judged ones, nonsense, and those of the other folders.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import Values, interval_of, machine, machine_line
from benchmarks.judged import Failed, Judged, index, read_folder, work
from benchmarks.reliability import Line, Panel, svg
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import Ids
from search.accepted import BINS, calibration_error
from search.measured import FIRST, Measured, measured
from search.relevance import scores_of
from search.request import SearchRequest
from web.wiring import Services, build

OTHERS = 150
"""Queries of the other folders that are asked at most."""

DRAWS = 1000
PACKAGES = ("numpy", "tantivy", "onnxruntime", "faiss-cpu")

NONSENSE = (
    "purple monkey dishwasher", "asdf qwer zxcv", "qwertyuiop", "blah blah blah", "lorem ipsum dolor sit amet",
    "foo bar baz", "xyzzy plugh", "colorless green ideas sleep furiously", "banana spaceship tuesday umbrella",
    "trout kettle velvet ninety", "who let the dogs out", "best pizza in town", "cheap hotel near the beach",
    "my cat ate my homework", "lottery numbers for tonight", "wizard school entrance exam",
    "how to beat the final boss", "celebrity divorce gossip", "mortgage rates for first time buyers",
    "sourdough starter smells like acetone", "guitar chords for hotel california", "world cup final penalty shootout",
    "jkhsdf lkjwe", "pokemon evolution chart", "vegan lasagna recipe", "best hiking boots 2023", "wedding speech jokes",
    "tarot card meanings", "dog grooming near me",
)  # fmt: skip
"""None of these is among the questions that the product measures with (`search/background.py`)."""


def noise(count: int = 30) -> list[str]:
    """Strings of letters that are no words, other ones than the product's."""
    chance = random.Random(2026)

    def word() -> str:
        return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9)))

    return [" ".join(word() for _ in range(chance.randint(1, 5))) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Asked:
    """The first hits of a query: scores by retriever, and whether each is judged relevant."""

    scores: Mapping[str, Values]
    accepted: NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    folders = [(folder, read_folder(folder, options.limit)) for folder in options.folders]
    found = []
    for number, (folder, judged) in enumerate(folders):
        others = [text for other, there in folders if other != folder for text in there.queries.values()]
        with _place(options, number) as data_dir:
            found.append(_measure(folder.resolve().name, judged, others, options.encoder, data_dir))
    report = {"sets": found, "machine": machine(PACKAGES)}
    if options.picture:
        options.picture.write_text(svg([_panel(one) for one in found]), encoding="utf-8")
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--limit", type=int, help="ask only the first N judged queries of each")
    parser.add_argument("--data-dir", type=Path, nargs="+", help="keep the index here, one for all or one each")
    parser.add_argument("--picture", type=Path, help="write the reliability diagrams as SVG")
    parser.add_argument("--json", action="store_true")
    return parser


@contextmanager
def _place(options: argparse.Namespace, number: int) -> Iterator[Path]:
    given = options.data_dir or []
    if len(given) > 1 and len(given) != len(options.folders):
        raise Failed(f"{len(given)} data folders for {len(options.folders)} collections; give one, or one each")
    if given:
        yield given[number if len(given) > 1 else 0]
        return
    with tempfile.TemporaryDirectory(prefix="riparian-relevance-") as temporary:
        yield Path(temporary)


def _measure(name: str, judged: Judged, others: Sequence[str], encoder: str | None, data_dir: Path) -> dict[str, Any]:
    services = build(Settings(data_dir=data_dir))
    indexed = index(services, name, judged.corpus, encoder)
    services.calibration.forget_judgments(name)
    free = work(services, services.calibration.calibrate(name), "measuring")
    label_free = _known(services, name)
    asked = [_asked(services, name, text, judged.qrels[query]) for query, text in judged.queries.items()]
    halves = [[row for row in range(len(asked)) if row % 2 == side] for side in (0, 1)]
    fitted = [_fitted(services, name, judged, half) for half in halves]
    services.calibration.forget_judgments(name)
    by = [fitted[1 - row % 2] for row in range(len(asked))]  # each query by the map of the other half
    return {
        "collection": name,
        **indexed,
        "queries": len(asked),
        "accepted": float(np.mean(np.concatenate([one.accepted for one in asked]))),
        "calibrate_seconds": free["seconds"],
        "label_free": _told(asked, [label_free] * len(asked)),
        "fitted": _told(asked, by),
        "fitted_by_half": [_told([asked[r] for r in half], [by[r] for r in half])["error"] for half in halves],
        "nothing_close": {
            "judged": _nothing_close(label_free, [one.scores for one in asked]),
            "nonsense": _nothing_close(label_free, _all_scores(services, name, NONSENSE)),
            "noise": _nothing_close(label_free, _all_scores(services, name, noise())),
            "others": _nothing_close(label_free, _all_scores(services, name, others[:OTHERS])) if others else None,
        },
    }


def _known(services: Services, name: str) -> Measured:
    search = services.calibration.search
    standing = search.standing(SearchRequest(name, "anything", sentences=False))
    with services.database.read() as catalog:
        found = measured(catalog, standing.question.scene)
    assert found is not None
    return found


def _fitted(services: Services, name: str, judged: Judged, half: Sequence[int]) -> Measured:
    """What relevance means once it is fitted to the judgments of these queries."""
    queries = list(judged.queries)
    rows = [
        {"query": judged.queries[queries[row]], "document": document, "grade": grade}
        for row in half
        for document, grade in judged.qrels[queries[row]].items()
    ]
    with tempfile.TemporaryDirectory(prefix="riparian-half-") as folder:
        file = Path(folder) / "half.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        work(services, services.calibration.calibrate(name, str(file)), "fitting")
    return _known(services, name)


def _asked(services: Services, name: str, text: str, qrels: Mapping[str, int]) -> Asked:
    ids, scores = _scores(services, name, text)
    with services.database.read() as catalog:
        documents = catalog.documents.many(set(ids.tolist()))
    names = [str(documents[one].metadata["_id"]) for one in ids.tolist()]
    return Asked(scores, np.array([qrels.get(one, 0) > 0 for one in names]))


def _scores(services: Services, name: str, text: str) -> tuple[Ids, Mapping[str, Values]]:
    standing = services.calibration.search.standing(SearchRequest(name, text, feedback=False, sentences=False))
    ids, words = standing.ranked.ranking.ids[:FIRST], standing.question.asked.words
    assert words is not None
    return ids, scores_of(standing.ranked, words, ids)


def _all_scores(services: Services, name: str, texts: Sequence[str]) -> list[Mapping[str, Values]]:
    found = (_scores(services, name, text) for text in texts)
    return [scores for ids, scores in found if len(ids)]


def _nothing_close(known: Measured, asked: Sequence[Mapping[str, Values]]) -> dict[str, float]:
    return {"queries": len(asked), "share": float(np.mean([not known.is_close(scores) for scores in asked]))}


# -------------------------------------------------------------------------------------------- figures


def _told(asked: Sequence[Asked], known: Sequence[Measured]) -> dict[str, Any]:
    chances = [by.relevance(one.scores) for one, by in zip(asked, known, strict=True)]

    def error(rows: NDArray[np.int64]) -> float:
        told = np.concatenate([chances[row] for row in rows])
        return calibration_error(told, np.concatenate([asked[row].accepted for row in rows]))

    told, accepted = np.concatenate(chances), np.concatenate([one.accepted for one in asked])
    return {
        "error": asdict(interval_of(len(asked), error, DRAWS)),
        "brier": float(np.mean((told - accepted) ** 2)),
        "bins": _bins(told, accepted),
    }


def _bins(told: Values, accepted: NDArray[np.bool_]) -> list[dict[str, float]]:
    rows = np.minimum((told * BINS).astype(int), BINS - 1)
    return [
        {
            "from": number / BINS,
            "hits": int((rows == number).sum()),
            "told": float(told[rows == number].mean()),
            "accepted": float(accepted[rows == number].mean()),
        }
        for number in range(BINS)
        if (rows == number).any()
    ]


def _panel(one: Mapping[str, Any]) -> Panel:
    lines = [
        Line(label, [(bin_["told"], bin_["accepted"], bin_["hits"]) for bin_ in one[key]["bins"]])
        for key, label in (("label_free", "label-free"), ("fitted", "fitted, held out"))
    ]
    return Panel(one["collection"], lines)


def _as_text(report: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for one in report["sets"]:
        lines += [
            f"{one['collection']}: {one['passages']} passages, {one['queries']} judged queries, "
            f"{one['accepted']:.1%} of the first {FIRST} hits accepted, encoder {one['encoder']}, "
            f"measured in {one['calibrate_seconds']} s",
            f"  expected calibration error: label-free {_cell(one['label_free']['error'])}, fitted to one half and "
            f"looked at on the other {_cell(one['fitted']['error'])} (each half: "
            f"{', '.join(_cell(half) for half in one['fitted_by_half'])})",
            f"  Brier score: {one['label_free']['brier']:.4f}, {one['fitted']['brier']:.4f}",
            "  told nothing is close: "
            + ", ".join(
                f"{kind} {found['share']:.1%} of {found['queries']}"
                for kind, found in one["nothing_close"].items()
                if found
            ),
            f"  {'told':>8}{'accepted':>10}{'hits':>7}",
            *(f"  {row['told']:8.3f}{row['accepted']:10.3f}{row['hits']:7}" for row in one["fitted"]["bins"]),
            "",
        ]
    return "\n".join([*lines, machine_line(report["machine"])])


def _cell(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"relevance: {error}")
