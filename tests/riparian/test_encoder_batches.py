"""Batches run on several threads, halve when memory runs out, and stop when they are told to."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riparian.encoders.batches import Batch, by_length, run
from riparian.encoders.model_folder import Recipe
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source
from tests.riparian.encoder_models import tiny_bert

TEXTS = [f"{'ducks on the river ' * (number % 5)}bank {number}" for number in range(23)]


class Narrow:
    """An engine with room for `rows` rows; states depend on each id and its place, not on the company."""

    name, budget, pads = "narrow", 400, True

    def __init__(self, rows: int, workers: int = 1) -> None:
        self.rows, self.workers, self.refused = rows, workers, 0

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        if len(ids) > self.rows:
            self.refused += 1
            raise MemoryError(f"{len(ids)} rows")
        places = np.arange(ids.shape[1])[None, :, None] + np.arange(8)[None, None, :]
        return np.sin(ids[:, :, None] * 0.01 + places).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_bert(tmp_path_factory.mktemp("model"))
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"hidden_size": 32', '"hidden_size": 8'))
    return folder


def encoder(model: Path, engine: Narrow) -> TransformerEncoder:
    source = Source("bert", model, model, "bert", "bert", "none", (), "a test")
    return TransformerEncoder(source, Recipe(64), Subwords(model), engine)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(rows: int, workers: int, model: Path) -> None:
    narrow = Narrow(rows, workers)

    found = encoder(model, narrow).encode_passages(TEXTS, "passage")

    assert narrow.refused > 0
    assert np.abs(found - encoder(model, Narrow(1000)).encode_passages(TEXTS, "passage")).max() < 1e-6


def test_token_vectors_survive_halving_too(model: Path) -> None:
    found = encoder(model, Narrow(2)).encode_tokens(TEXTS)

    for mine, expected in zip(found, encoder(model, Narrow(1000)).encode_tokens(TEXTS), strict=True):
        assert np.array_equal(mine.vectors, expected.vectors)


def test_a_single_row_that_does_not_fit_is_an_error(model: Path) -> None:
    with pytest.raises(MemoryError, match="1 rows"):
        encoder(model, Narrow(0)).encode_passages(TEXTS, "passage")


@given(count=st.integers(0, 40), size=st.integers(1, 9), room=st.integers(1, 9), threads=st.integers(1, 3))
def test_every_row_is_computed_once_in_order(count: int, size: int, room: int, threads: int) -> None:
    planned = by_length([1] * count, size)

    def compute(batch: Batch) -> list[int]:
        if len(batch) > room:
            raise MemoryError
        return [row * row for row in batch]

    done = list(run(planned, compute, threads))

    assert [row for batch, _ in done for row in batch] == list(range(count))
    assert all(found == [row * row for row in batch] for batch, found in done)
    assert all(len(batch) <= room for batch, _ in done)


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_stops_before_the_next_batches(threads: int) -> None:
    computed: list[Batch] = []
    lock = threading.Lock()

    def compute(batch: Batch) -> int:
        with lock:
            computed.append(batch)
        return 0

    work = run([(row,) for row in range(1000)], compute, threads)
    next(work)
    work.close()

    assert len(computed) <= 2 * threads + 1 + threads


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_batch_comes_out_and_stops_the_others(threads: int) -> None:
    computed: list[Batch] = []

    def compute(batch: Batch) -> int:
        computed.append(batch)
        if batch == (3,):
            raise OSError("disk")
        return 0

    with pytest.raises(OSError, match="disk"):
        list(run([(row,) for row in range(1000)], compute, threads))
    assert len(computed) < 20


def test_progress_may_stop_an_encoder_between_batches(model: Path) -> None:
    narrow = Narrow(1000)
    narrow.budget = 10
    seen: list[int] = []

    def stop_at_five(done: int, total: int) -> None:
        seen.append(done)
        if done >= 5:
            raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError, match="of 23"):
        encoder(model, narrow).encode_passages(TEXTS, "passage", stop_at_five)
    assert max(seen) < len(TEXTS)


def test_rows_of_one_length_come_together_where_nothing_pads(model: Path) -> None:
    lengths = [3, 1, 3, 2, 1, 3]

    assert by_length(lengths, 6, pads=False) == [(0, 2), (5,), (3,), (1, 4)]
    assert by_length(lengths, 6) == [(0, 2), (5, 3), (1, 4)]
