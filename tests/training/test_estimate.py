"""Time and room told before indexing: by characters, without the start, the room to the byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from riparian.encoders.base import Progress
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import Invalid
from riparian.types import Matrix, Role
from riparian.vectors.generations import write_generation
from training.estimate import drawn, estimate, generation_bytes, speed


class Worker(HashingEncoder):
    """Takes a second to start and a millisecond a character, on two clocks of its own."""

    def __init__(self) -> None:
        super().__init__(32)
        self.now = 0.0

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        self.now += (1.0 if not self.now else 0.0) + sum(map(len, texts)) / 1000
        return super().encode_passages(texts, role, progress)

    def clock(self) -> float:
        return self.now

    def cpu_clock(self) -> float:
        return 2 * self.now


def texts(count: int, seed: int = 0) -> list[str]:
    lengths = np.random.default_rng(seed).integers(1, 60, size=count)
    return [" ".join(["word"] * int(length)) for length in lengths]


def test_time_grows_with_the_characters_and_the_start_is_left_out() -> None:
    worker, many = Worker(), texts(5000)
    total = sum(map(len, many))
    found = estimate(worker, drawn(many, 1), len(many), total, clock=worker.clock, cpu_clock=worker.cpu_clock)
    assert found.seconds == pytest.approx(total / 1000)
    assert found.cpu_seconds == pytest.approx(2 * total / 1000)
    assert (found.passages, found.characters, found.sampled) == (5000, total, 200)


def test_unknown_lengths_are_taken_to_be_those_of_the_sample() -> None:
    worker, many = Worker(), texts(5000)
    found = estimate(worker, drawn(many, 1), len(many), clock=worker.clock, cpu_clock=worker.cpu_clock)
    assert found.characters == pytest.approx(sum(map(len, many)), rel=0.1)
    assert json.loads(json.dumps(asdict(found)))["passages"] == 5000


def test_speed_counts_what_came_after_the_warm_up() -> None:
    worker = Worker()
    found = speed(worker, ["ab" * 50] * 40, clock=worker.clock, cpu_clock=worker.cpu_clock)
    assert (found.passages, found.characters, found.seconds) == (30, 3000, pytest.approx(3.0))
    assert found.passages_per_second == pytest.approx(10) and found.passages_per_cpu_second == pytest.approx(5)


def test_progress_counts_the_whole_sample() -> None:
    seen: list[tuple[int, int]] = []
    speed(HashingEncoder(16), texts(200), lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (200, 200)


def test_one_passage_is_enough_and_none_is_refused() -> None:
    worker = Worker()
    assert estimate(worker, ["ab" * 50], 10, clock=worker.clock, cpu_clock=worker.cpu_clock).seconds == pytest.approx(1)
    with pytest.raises(Invalid, match="no passage was given"):
        speed(HashingEncoder(16), [])


def test_what_is_done_in_no_time_is_done_again_until_it_can_be_read() -> None:
    class Learner(Worker):
        """Ten times as fast with words that it has seen."""

        def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
            before = self.now
            rows = super().encode_passages(texts, role, progress)
            self.now = before + sum(map(len, texts)) / (1e4 if len(texts) < 30 or before < 0.6 else 1e5)
            return rows

    worker = Learner()
    found = speed(worker, ["ab" * 50] * 80, clock=worker.clock, cpu_clock=worker.cpu_clock)
    assert found.seconds >= 1 and found.passages > 60
    assert found.passages_per_second == pytest.approx(1000, rel=0.01)


def test_a_sample_is_drawn_by_the_seed() -> None:
    many = texts(1000)
    assert len(drawn(many, 1)) == 200 and drawn(many, 1) == drawn(many, 1) != drawn(many, 2)
    assert sorted(drawn(many[:50], 1)) == sorted(many[:50])


@pytest.mark.parametrize(("rows", "dimension", "flat"), [(0, 8, 100), (500, 16, 1000), (3000, 16, 1000)])
def test_the_room_is_that_of_a_published_generation(tmp_path: Path, rows: int, dimension: int, flat: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(rows, dimension)).astype(np.float32)

    def blocks() -> Iterator[Matrix]:
        yield matrix

    folder = write_generation(
        tmp_path,
        1,
        np.arange(1, rows + 1),
        blocks(),
        encoder="a" * 64,
        encoder_name="hashed",
        dimension=dimension,
        covers=rows,
        flat_rows=flat,
    )
    found = sum(path.stat().st_size for path in folder.iterdir())
    assert generation_bytes(rows, dimension, "hashed", flat) == pytest.approx(found, abs=24 if rows > flat else 0)
