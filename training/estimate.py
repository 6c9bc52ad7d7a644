"""What indexing with an encoder will take, told from a small sample before it is begun: time, and room on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from riparian.encoders.base import Encoder, Progress
from riparian.errors import Invalid
from riparian.manifests import FileRecord
from riparian.types import Metric
from riparian.vectors import faiss
from riparian.vectors.manifest import IndexRecord, Manifest

T = TypeVar("T")

SAMPLE = 200
"""Passages that are enough to tell."""

_WARM_UP = 0.25  # of the sample: engines start, caches fill
_READABLE_S, _MOST_ROUNDS = 1.0, 20
_FLOAT, _ID = 4, 8
_FAISS_BYTES = 184
"""What FAISS writes about an index of lists whatever its size: headers, and the trained range of the 8-bit codes
without its numbers."""


@dataclass(frozen=True, slots=True)
class Speed:
    """JSON-able: how fast passages were encoded. CPU seconds are those of the whole process."""

    passages: int
    characters: int
    seconds: float
    cpu_seconds: float

    @property
    def passages_per_second(self) -> float:
        return self.passages / self.seconds

    @property
    def passages_per_cpu_second(self) -> float:
        return self.passages / self.cpu_seconds


@dataclass(frozen=True, slots=True)
class Estimate:
    """JSON-able. `seconds` and `cpu_seconds` are those of encoding all passages, `bytes` what the published vectors
    take on the disk; `sampled` passages were encoded to know."""

    passages: int
    characters: int
    seconds: float
    cpu_seconds: float
    bytes: int
    sampled: int


Clock = Callable[[], float]


def drawn(given: Sequence[T], seed: int, size: int = SAMPLE) -> list[T]:
    """A sample in random order; all of them, so ordered, where there are no more."""
    order = np.random.default_rng(seed).permutation(len(given))[:size]
    return [given[row] for row in order]


def speed(
    encoder: Encoder,
    sample: Sequence[str],
    progress: Progress | None = None,
    *,
    clock: Clock = time.perf_counter,
    cpu_clock: Clock = time.process_time,
) -> Speed:
    """Encodes the sample: its first quarter to warm up, the rest against the clock. Where that is done in no time it
    was a warm-up too, and is done again until there is a second to read: encoders that keep what they know of words
    are slow at first only. Invalid for no passage."""
    if not sample:
        raise Invalid("no passage was given to tell by how long encoding takes")
    warm = max(1, round(len(sample) * _WARM_UP))
    rest = sample[warm:] or sample
    encoder.encode_passages(sample[:warm], "passage", progress and _counted(progress, 0, len(sample)))
    began = clock(), cpu_clock()
    encoder.encode_passages(rest, "passage", progress and _counted(progress, warm, len(sample)))
    ended, rounds = (clock(), cpu_clock()), 1
    if ended[0] - began[0] < _READABLE_S:
        began, rounds = ended, 0
        while rounds < _MOST_ROUNDS and ended[0] - began[0] < _READABLE_S:
            encoder.encode_passages(rest, "passage")
            ended, rounds = (clock(), cpu_clock()), rounds + 1
    return Speed(
        passages=rounds * len(rest),
        characters=rounds * sum(map(len, rest)),
        seconds=max(ended[0] - began[0], 1e-6),
        cpu_seconds=max(ended[1] - began[1], 1e-6),
    )


def estimate(
    encoder: Encoder,
    sample: Sequence[str],
    passages: int,
    characters: int | None = None,
    progress: Progress | None = None,
    *,
    clock: Clock = time.perf_counter,
    cpu_clock: Clock = time.process_time,
) -> Estimate:
    """For `passages` of so many `characters` in all (where not known: as long as the sample's on average), from a
    sample of them in random order, `SAMPLE` or so. Time is taken to grow with the characters."""
    measured = speed(encoder, sample, progress, clock=clock, cpu_clock=cpu_clock)
    if characters is None:
        characters = round(passages * sum(map(len, sample)) / len(sample))
    share = characters / max(1, measured.characters)
    info = encoder.info
    return Estimate(
        passages=passages,
        characters=characters,
        seconds=measured.seconds * share,
        cpu_seconds=measured.cpu_seconds * share,
        bytes=generation_bytes(passages, info.passage_dim, info.name),
        sampled=len(sample),
    )


def generation_bytes(rows: int, dimension: int, encoder_name: str, flat_rows: int = faiss.FLAT_ROWS) -> int:
    """What a published generation of so many vectors takes: vectors, ids, the lists of FAISS where there are any, and
    the manifest (to a few bytes: it holds numbers and a name)."""
    files = {"vectors.f32": rows * dimension * _FLOAT, "ids.i64": rows * _ID}
    choice = faiss.choose(rows, flat_rows)
    index = None
    if choice.kind != "flat" and faiss.is_installed():
        # 8-bit codes and ids by list; the lists' centres and sizes; the range of each number
        codes, centres = rows * (dimension + _ID), choice.lists * (dimension * _FLOAT + _ID)
        files["index.faiss"] = codes + centres + 2 * dimension * _FLOAT + _FAISS_BYTES
        index = IndexRecord("IVF,SQ8", choice.reason, choice.lists, 10, 0.98)
    digest = "0" * 64
    manifest = Manifest(
        number=1,
        encoder=digest,
        encoder_name=encoder_name,
        rows=rows,
        dimension=dimension,
        metric=str(Metric.INNER_PRODUCT),
        covers=rows,
        created="2000-01-01T00:00:00+00:00",
        libraries={"numpy": np.__version__, "faiss": faiss.version()},
        files={name: FileRecord(digest, size) for name, size in files.items()},
        index=index,
    )
    return sum(files.values()) + len(manifest.to_bytes())


def _counted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)
