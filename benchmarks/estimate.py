"""How far the estimate before indexing is off: told from 200 passages, measured on all of them.

    python benchmarks/estimate.py [--encoders SPEC...] [--copies 1] [--seeds 3] [--json]

The passages are those of the sample archive, cut as the indexer cuts them, `--copies` times (each copy with a word of
its own before every passage, so that none is like another). The estimate is made first, from a fresh encoder and a
sample; then all passages are encoded in the indexer's batches. CPU seconds are those of the whole process.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from indexer.embedding import BATCH, BATCH_CHARACTERS
from indexer.inputs import encoder_input
from indexer.passages import split
from indexer.sample import sample_documents
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.types import Matrix
from riparian.vectors.generations import write_generation
from training.estimate import drawn, estimate


@dataclass(frozen=True, slots=True)
class Outcome:
    """`off` is estimated to measured, less one."""

    encoder: str
    seed: int
    passages: int
    estimated_cpu: float
    measured_cpu: float
    cpu_off: float
    estimated_wall: float
    measured_wall: float
    wall_off: float
    estimated_bytes: int
    measured_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="*", default=["sentence-transformers", "use", "glove", "hashing"])
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3, help="estimates for each encoder, each from another sample")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    outcomes = [one for spec in chosen.encoders for one in measured(spec, chosen.copies, chosen.seeds, chosen.threads)]
    if chosen.json:
        print(json.dumps([asdict(one) for one in outcomes], indent=2))
        return
    for one in outcomes:
        print(
            f"{one.encoder}, sample {one.seed}, {one.passages} passages: CPU seconds {one.estimated_cpu:.1f} told, "
            f"{one.measured_cpu:.1f} taken ({one.cpu_off:+.0%}); wall {one.estimated_wall:.1f}, {one.measured_wall:.1f}"
            f" ({one.wall_off:+.0%}); bytes {one.estimated_bytes}, {one.measured_bytes}"
        )


def measured(spec: str, copies: int, seeds: int, threads: int) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory(prefix="riparian-estimate-") as scratch:

        def load() -> Encoder:
            return registry.load(spec, cache_dir=Path(scratch) / "cache", device="cpu", threads=threads)

        texts = passages(load(), copies)
        characters = sum(map(len, texts))
        told = [estimate(load(), drawn(texts, seed), len(texts), characters) for seed in range(seeds)]
        encoder = load()
        wall, cpu = time.perf_counter(), time.process_time()
        rows = [encoder.encode_passages(batch, "passage") for batch in batches(texts)]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = written(encoder, rows, Path(scratch))
        for seed, one in enumerate(told):
            yield Outcome(
                encoder=spec,
                seed=seed,
                passages=len(texts),
                estimated_cpu=one.cpu_seconds,
                measured_cpu=cpu,
                cpu_off=one.cpu_seconds / cpu - 1,
                estimated_wall=one.seconds,
                measured_wall=wall,
                wall_off=one.seconds / wall - 1,
                estimated_bytes=one.bytes,
                measured_bytes=size,
            )


def passages(encoder: Encoder, copies: int) -> list[str]:
    limit = encoder.info.max_tokens
    found = [
        encoder_input(document.title, document.text[span.start : span.end])
        for document in sample_documents()
        for span in split(document.text, offsets_of=lambda text: encoder.tokenize([text])[0].offsets, max_tokens=limit)
    ]
    return [f"copy{copy} {text}" if copy else text for copy in range(copies) for text in found]


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """As the indexer makes them: texts of like length."""
    batch: list[str] = []
    for text in sorted(texts, key=len, reverse=True):
        if batch and (len(batch) == BATCH or sum(map(len, batch)) + len(text) > BATCH_CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    yield batch


def written(encoder: Encoder, rows: Sequence[Matrix], folder: Path) -> int:
    count = sum(map(len, rows))
    made = write_generation(
        folder,
        1,
        np.arange(1, count + 1),
        rows,
        encoder=encoder.fingerprint(),
        encoder_name=encoder.info.name,
        dimension=encoder.info.passage_dim,
        covers=count,
    )
    return sum(path.stat().st_size for path in made.iterdir())


if __name__ == "__main__":
    main()
