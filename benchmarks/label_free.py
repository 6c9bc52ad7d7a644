"""Whether scores without labels put encoders into the order that judged relevance does.

    python benchmarks/label_free.py FOLDER... [--encoders SPEC...] [--train KIND...] [--cuts N...] [--documents 1000]

FOLDER is in BEIR form (see `retrieval.py`). Of each, the documents that judged queries ask for and others drawn at
random are searched by every encoder: once with the judged queries (nDCG@10), once with the questions that the documents
give themselves (`training/evaluation`). `--train` adds small encoders trained here on the same text, without its
judgments; `--cuts` close variants of the first encoder: the first N numbers of its vectors. Prints both scores of each
encoder, their rank correlation (Spearman, Kendall; intervals by drawing the questions of both anew), and how often two
encoders that differ beyond chance without labels differ the same way by the judgments.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.judged import Judged, read_folder, rows_of
from riparian.encoders import registry
from riparian.encoders.base import Encoder, EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.options import Options
from riparian.encoders.pooling import unit_rows
from riparian.errors import RiparianError
from riparian.types import Matrix, Role
from training.collected import Source
from training.evaluation.measures import NDCG, measure
from training.evaluation.rankers import Bm25, Dense, Ranker
from training.evaluation.scores import answer
from training.evaluation.statistics import Interval, Values, interval, paired
from training.evaluation.tasks import Body, Query, Task
from training.evaluation.trial import Bounds, Trial, draw
from training.material import Material, Run
from training.trainers import Request, trainer

ENCODERS = ("sentence-transformers", "use", "glove", "hashing", "hashing:1024", "hashing:64")
SMALL: Mapping[str, Mapping[str, Any]] = {
    "bert": {"layers": 2, "hidden": 128, "heads": 2, "epochs": 2},
    "context2vec-awe": {"epochs": 3},
    "context2vec-lstm": {"unit": 50, "epochs": 2},
    "elmo": {"epochs": 1},
}
"""What keeps a training within minutes; a kind that is not here is trained with its own settings."""

SEED = 1
DRAWS = 1000
MAIN = "mean of the tasks"
WORDS = "BM25"

Columns = Mapping[str, Values]
"""Task (and MAIN) → one nDCG@10 a question."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What is searched of a judged collection, and the questions of either sort."""

    name: str
    judged: Task
    gains: Sequence[Mapping[int, float]]
    trial: Trial


@dataclass(frozen=True, slots=True)
class Ranked:
    """One ranker: judged nDCG@10 a query, and that of each task without labels."""

    true: Values
    free: Columns


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    reports = []
    for path in options.folders:
        started = time.process_time()
        folder = read(path, options.documents, options.queries)
        with tempfile.TemporaryDirectory(prefix="riparian-label-free-") as scratch:
            found = {name: rank(ranker, folder) for name, ranker in rankers(options, folder, Path(scratch))}
        report = {"folder": folder.name, **told(folder, found), "cpu_seconds": round(time.process_time() - started)}
        reports.append(report)
        if not options.json:
            print(as_text(report), flush=True)
    if options.json:
        print(json.dumps(reports, indent=2))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--encoders", nargs="*", default=list(ENCODERS), metavar="SPEC")
    parser.add_argument("--train", nargs="*", default=[], metavar="KIND", help="small encoders, on the same text")
    parser.add_argument(
        "--cuts", nargs="*", type=int, default=[], metavar="N", help="numbers of a vector that are kept"
    )
    parser.add_argument("--documents", type=int, default=1000, help="searched of each folder")
    parser.add_argument("--queries", type=int, default=150, help="of either sort")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser


# -------------------------------------------------------------------------------------------- what is asked


def read(path: Path, documents: int, queries: int) -> Folder:
    """Every document that a drawn query asks for, and others up to so many."""
    judged = read_folder(path)
    numbers = np.random.default_rng(SEED)
    asked = sorted(numbers.permutation(sorted(judged.queries))[:queries].tolist())
    wanted = {document for query in asked for document, gain in judged.qrels[query].items() if gain > 0}
    corpus = {str(row["_id"]): row for row in rows_of(judged.corpus) if str(row["text"]).strip()}
    others = [name for name in corpus if name not in wanted]
    chosen = sorted({*wanted & corpus.keys(), *numbers.permutation(others)[: max(0, documents - len(wanted))].tolist()})
    ids = {name: number for number, name in enumerate(chosen, start=1)}
    sources = [
        Source(ids[name], ids[name], str(corpus[name]["title"]), str(corpus[name]["text"]), "en") for name in ids
    ]
    return Folder(
        name=path.resolve().name,
        judged=_judged(judged, asked, sources),
        gains=[
            {ids[name]: float(gain) for name, gain in judged.qrels[query].items() if name in ids} for query in asked
        ],
        trial=draw(sources, SEED, Bounds(queries=queries, documents=documents)),
    )


def _judged(judged: Judged, asked: Sequence[str], sources: Sequence[Source]) -> Task:
    """The judged queries, to documents with their titles."""
    bodies = tuple(Body(one.id, f"{one.title}\n{one.text}".strip(), "en") for one in sources)
    return Task("judged", bodies, tuple(Query(judged.queries[query], 0) for query in asked))


def rankers(options: argparse.Namespace, folder: Folder, scratch: Path) -> Iterator[tuple[str, Ranker]]:
    """Each made when its turn comes."""
    yield WORDS, Bm25()
    for number, spec in enumerate(options.encoders):
        encoder = registry.load(spec, cache_dir=scratch / "cache", device="cpu", threads=options.threads)
        whole = Cut(encoder, encoder.info.passage_dim, {})
        yield spec, Dense(whole)
        for kept in options.cuts if number == 0 else ():
            yield f"{spec}, {kept} numbers", Dense(Cut(encoder, kept, whole.known))
    for kind in options.train:
        yield f"{kind}, trained", Dense(trained(kind, folder, scratch, options.threads))


def trained(kind: str, folder: Folder, scratch: Path, threads: int) -> Encoder:
    """On the text of what is searched. Mirror-BERT tunes the small BERT, untrained otherwise."""
    texts = [body.text for body in folder.judged.bodies]
    how, base = trainer(kind), ""
    if kind == "mirror-bert":
        base = str(scratch / "bert")
        if not Path(base).exists():
            trained("bert", folder, scratch, threads)
    into = scratch / kind
    if not into.exists():
        settings = how.settings_from(SMALL.get(kind, {}))
        run = Run(seed=SEED, device="cpu", workers=threads)
        loading = Options(scratch / "cache", device="cpu", threads=threads)
        how.write(Request(Material(folder.name, texts=texts), settings, base or how.base, run, loading, into))
    return registry.load(str(into), cache_dir=scratch / "cache", device="cpu", threads=threads)


class Cut:
    """The first numbers of another encoder's vectors. What one encoded, those with the same `known` do not again."""

    def __init__(self, encoder: Encoder, kept: int, known: dict[tuple[str, Role], NDArray[np.float32]]) -> None:
        self._encoder, self._kept, self.known = encoder, kept, known

    @property
    def info(self) -> EncoderInfo:
        return replace(self._encoder.info, passage_dim=self._kept)

    def fingerprint(self) -> str:
        return f"{self._encoder.fingerprint()}, {self._kept}"

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return self._encoder.tokenize(texts)

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return self._encoder.encode_tokens(texts, role)

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        new = [text for text in dict.fromkeys(texts) if (text, role) not in self.known]
        for text, row in zip(new, self._encoder.encode_passages(new, role, progress), strict=True):
            self.known[text, role] = row
        rows = np.zeros((len(texts), self._kept), dtype=np.float32)
        for number, text in enumerate(texts):
            rows[number] = self.known[text, role][: self._kept]
        return unit_rows(rows)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("lives as long as the measurement")


# -------------------------------------------------------------------------------------------- figures


def rank(ranker: Ranker, folder: Folder) -> Ranked:
    [found] = ranker.rank([folder.judged])
    true = np.array([measure(ranking, gains)[NDCG] for ranking, gains in zip(found, folder.gains, strict=True)])
    answered = answer(ranker, folder.trial)
    free = {task: values[NDCG] for task, values in answered.values.items()}
    return Ranked(true, {MAIN: answered.main, **free})


def told(folder: Folder, found: Mapping[str, Ranked]) -> dict[str, Any]:
    columns = list(next(iter(found.values())).free)
    encoders = {name: one for name, one in found.items() if name != WORDS}
    return {
        "documents": len(folder.judged.bodies),
        "judged_queries": len(folder.gains),
        "questions": {task.name: len(task.queries) for task in folder.trial.tasks},
        "rankers": {
            name: {
                "judged": asdict(interval(one.true, SEED)),
                **{column: asdict(interval(values, SEED)) for column, values in one.free.items()},
            }
            for name, one in found.items()
        },
        "correlation": {column: correlation(encoders, column) for column in columns},
        "agreement": {column: agreement(encoders, column) for column in columns},
    }


def correlation(found: Mapping[str, Ranked], column: str) -> dict[str, dict[str, float]]:
    """Spearman's and Kendall's (tau-b) between the encoders' means, with intervals over questions drawn anew."""
    true, free = (
        np.stack(rows) for rows in zip(*[(one.true, one.free[column]) for one in found.values()], strict=True)
    )
    numbers = np.random.default_rng(SEED)
    drawn = _again(true, numbers), _again(free, numbers)
    whole = true.mean(axis=1)[None], free.mean(axis=1)[None]
    told = {}
    for name, relation in (("spearman", _spearman), ("kendall", _kendall)):
        low, high = np.nanpercentile(relation(*drawn), [2.5, 97.5])
        told[name] = asdict(Interval(float(relation(*whole)[0]), float(low), float(high)))
    return told


def _again(values: NDArray[np.float64], numbers: np.random.Generator) -> NDArray[np.float64]:
    """(DRAWS, encoders): their means over questions drawn with replacement, the same for all."""
    count = values.shape[1]
    return np.stack([values[:, numbers.integers(0, count, size=count)].mean(axis=1) for _ in range(DRAWS)])


def _spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> Values:
    """Row by row."""
    one, other = (rankdata(rows, axis=1) - (rows.shape[1] + 1) / 2 for rows in (first, second))
    return np.asarray((one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def _kendall(first: NDArray[np.float64], second: NDArray[np.float64]) -> Values:
    """Row by row."""
    left, right = np.triu_indices(first.shape[1], k=1)
    one, other = (np.sign(rows[:, left] - rows[:, right]) for rows in (first, second))
    return np.asarray((one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def agreement(found: Mapping[str, Ranked], column: str) -> dict[str, int]:
    """Of two encoders each: how many pairs differ beyond chance without labels; of these, how many the judgments put
    the same way round, and how many of those beyond chance as well, and how many the other way beyond chance."""
    counts = {"pairs": 0, "apart": 0, "same": 0, "same_beyond_chance": 0, "opposite_beyond_chance": 0}
    for one, other in combinations(found.values(), 2):
        free = paired(one.free[column], other.free[column], SEED, DRAWS)
        true = paired(one.true, other.true, SEED, DRAWS)
        counts["pairs"] += 1
        if not (free.is_above_zero or free.is_below_zero):
            continue
        counts["apart"] += 1
        same = (true.mean > 0) == free.is_above_zero
        beyond = true.is_above_zero or true.is_below_zero
        counts["same"] += same
        counts["same_beyond_chance"] += same and beyond
        counts["opposite_beyond_chance"] += beyond and not same
    return counts


def as_text(report: Mapping[str, Any]) -> str:
    columns = list(report["correlation"])
    lines = [
        f"{report['folder']}: {report['documents']} documents, {report['judged_queries']} judged queries, "
        f"{report['questions']} questions, {report['cpu_seconds']} CPU seconds",
        f"{'nDCG@10':36}" + "".join(f"{name:>26}" for name in ("judged", *columns)),
    ]
    for name, row in sorted(report["rankers"].items(), key=lambda item: -item[1]["judged"]["mean"]):
        lines.append(f"{name:36}" + "".join(f"{_cell(row[column]):>26}" for column in ("judged", *columns)))
    for which in ("spearman", "kendall"):
        cells = (report["correlation"][column][which] for column in columns)
        lines.append(f"{which:36}{'':26}" + "".join(f"{_cell(cell):>26}" for cell in cells))
    for column in columns:
        one = report["agreement"][column]
        lines.append(
            f"{column}: {one['apart']} of {one['pairs']} pairs apart beyond chance; the judgments agree in "
            f"{one['same']} ({one['same_beyond_chance']} beyond chance), disagree so in {one['opposite_beyond_chance']}"
        )
    return "\n".join([*lines, ""])


def _cell(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RiparianError as error:
        sys.exit(f"label_free: {error}")
