"""How good heads are on held-out examples of public data, beside what needs no encoder.

    python benchmarks/heads.py sentiment|tuned|mix FILE.jsonl.gz [--encoder SPEC] [--every N] [--set name=value]
    python benchmarks/heads.py answers PASSAGES.jsonl.gz QUESTIONS.jsonl.gz …
    python benchmarks/heads.py senses FILE.jsonl.gz --word bank …

`sentiment`, `tuned` (classification in two stages) and `mix` (layers of an ELMo) read `text` and `label`. `answers`
reads passages (`id`, `text`, `article`) and questions (`paragraph`, `question`, `answers`), split by article. `senses`
reads `text`, `word`, `position` and `sense`: a tagging of that one word. Prints the head's report as JSON, with the CPU
seconds it took.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from riparian.encoders.registry import load
from training.heads.table import named
from training.material import Answered, Labelled, Material, Run, Tagged

HEADS = {
    "sentiment": "sentiment",
    "tuned": "tuned-classification",
    "mix": "layer-mix",
    "answers": "answers",
    "senses": "tagging",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    material, groups = _material(options)
    with tempfile.TemporaryDirectory(prefix="riparian-heads-") as folder:
        encoder = load(options.encoder, cache_dir=options.cache or Path(folder), device="cpu", engine=options.engine)
        began = time.process_time()
        run = Run(seed=options.seed, workers=1)
        report = named(HEADS[options.what]).train(encoder, material, Path(folder) / "head", run, options.set, groups)
    seconds = round(time.process_time() - began, 1)
    print(json.dumps({"encoder": encoder.info.name, "cpu_seconds": seconds, **report}, indent=2, ensure_ascii=False))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(HEADS))
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--encoder", default="sentence-transformers", help="kind, folder or hub id")
    parser.add_argument("--engine", default="auto", choices=["auto", "onnx", "torch"])
    parser.add_argument("--cache", type=Path, help="where converted weights are kept")
    parser.add_argument("--every", type=int, default=1, help="take every Nth example only")
    parser.add_argument("--word", default="bank", help="whose senses are told")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", type=_setting, action=_Settings, default={}, metavar="NAME=VALUE")
    return parser


class _Settings(argparse.Action):
    def __call__(self, parser: object, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        namespace.set = {**namespace.set, values[0]: values[1]}


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _material(options: argparse.Namespace) -> tuple[Material, Sequence[Hashable]]:
    origin = ", ".join(path.name for path in options.files)
    rows = [_rows(path) for path in options.files]
    if options.what == "answers":
        passages = {row["id"]: row for row in rows[0]}
        asked = [(row, passages[row["paragraph"]]) for row in rows[1]][:: options.every]
        return Material(origin, answered=[_answered(*pair) for pair in asked]), [one["article"] for _, one in asked]
    if options.what == "senses":
        found = [_sense(row) for row in rows[0] if row["word"] == options.word][:: options.every]
        return Material(origin, tagged=found), ()
    return Material(origin, labelled=[Labelled(row["text"], row["label"]) for row in rows[0]][:: options.every]), ()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def _answered(question: dict[str, Any], passage: dict[str, Any]) -> Answered:
    answer = question["answers"][0]
    start = answer["answer_start"]
    return Answered(question["question"], passage["text"], start, start + len(answer["text"]))


def _sense(row: dict[str, Any]) -> Tagged:
    words = tuple(row["text"].split(" "))
    return Tagged(words, tuple(row["sense"] if at == row["position"] else "" for at in range(len(words))))


if __name__ == "__main__":
    sys.exit(main())
