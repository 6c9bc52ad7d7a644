"""Whether topics learned in one language hold for texts of another that no model saw.

    python benchmarks/topics_across.py FOLDER [--encoder use] [--kinds zeroshot,kmeans] [--topics 20] [--json]

FOLDER holds paragraphs that correspond (XQuAD: LANGUAGE-paragraphs.jsonl.gz with `id` and `text`). Each kind is fitted
on the English ones; the others are given to it by their vectors alone, without a word. Prints the part of them whose
main topic is that of their English counterpart, and the same for pairs put together at random.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import machine, machine_line
from benchmarks.judged import Failed
from benchmarks.parallel_text import xquad_paragraphs
from riparian.config import Settings
from riparian.encoders.library import Library
from riparian.encoders.pool import EncoderPool
from riparian.errors import RiparianError
from topics import bow, kinds
from topics.base import FitSettings

PACKAGES = ("numpy", "scikit-learn", "torch")
ENGLISH = "en"
Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Row:
    """Means over seeds: the part whose main topic is that of its counterpart, and of another text taken at random."""

    kind: str
    topics: int
    language: str
    matched: float
    permuted: float


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    texts = {language: _paragraphs(options.folder, language) for language in (ENGLISH, *options.languages.split(","))}
    if len({len(found) for found in texts.values()}) != 1:
        raise Failed(f"{options.folder}: the languages have different numbers of paragraphs")
    library = Library(options.data_dir / "encoders")
    encoder = EncoderPool(options.data_dir / "cache", threads=1, library=library).load(options.encoder)
    vectors = {language: encoder.encode_passages(found, "passage") for language, found in texts.items()}
    rows = [
        row for kind in options.kinds.split(",") for row in measure(kind, texts[ENGLISH], vectors, options.topics,
        options.seeds)
    ]  # fmt: skip
    report = {"machine": machine(PACKAGES), "texts": len(texts[ENGLISH]), "rows": [asdict(row) for row in rows]}
    print(json.dumps(report) if options.json else _as_text(options, report["texts"], rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", default="use")
    parser.add_argument("--kinds", default="zeroshot,kmeans")
    parser.add_argument("--languages", default="de,es")
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data-dir", type=Path, default=Settings().data_dir)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _paragraphs(folder: Path, language: str) -> list[str]:
    try:
        return xquad_paragraphs(folder, language)
    except FileNotFoundError as error:
        raise Failed(str(error)) from error


def measure(kind: str, english: Sequence[str], vectors: Vectors, topics: int, seeds: int) -> list[Row]:
    """A row a language. The English texts alone give the words."""
    bag = bow.build((text, (ENGLISH,)) for text in english)
    wordless = csr_matrix(bag.counts.shape, dtype=np.float32)
    shuffled = np.random.default_rng(0).permutation(len(english))
    found: dict[str, list[tuple[float, float]]] = {language: [] for language in vectors if language != ENGLISH}
    for seed in range(seeds):
        model = kinds.fit(kind, vectors[ENGLISH], bag, FitSettings(topics, seed), encoder="e").model
        main_topic = {name: model.infer(rows, wordless, encoder="e").argmax(axis=1) for name, rows in vectors.items()}
        for language, figures in found.items():
            same = main_topic[ENGLISH] == main_topic[language]
            permuted = main_topic[ENGLISH] == main_topic[language][shuffled]
            figures.append((float(same.mean()), float(permuted.mean())))
    return [
        Row(kind, topics, language, *(float(value) for value in np.mean(figures, axis=0)))
        for language, figures in found.items()
    ]


def _as_text(options: argparse.Namespace, texts: int, rows: Sequence[Row]) -> str:
    lines = [f"{options.encoder}, {texts} paragraphs, {options.seeds} seeds", machine_line(machine(PACKAGES)), ""]
    lines += ["| kind | topics | language | same main topic | pairs at random |", "|---|---|---|---|---|"]
    lines += [f"| {r.kind} | {r.topics} | {r.language} | {r.matched:.3f} | {r.permuted:.3f} |" for r in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"topics_across: {error}")
