"""The loop that every training runs in: what is counted, kept and told, and which batch a step takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riparian.encoders.batches import Batch
from riparian.encoders.epochs import Epochs
from riparian.encoders.held_out import key_of, share_of
from riparian.encoders.steps import KeptArrays, run
from riparian.errors import BadWeights, Conflict


class Memory:
    """Keeps the number of steps, and each number it was ever given."""

    def __init__(self) -> None:
        self.written: list[int] = []

    def read(self) -> int:
        return self.written[-1] if self.written else 0

    def write(self, done: int) -> None:
        self.written.append(done)


def test_steps_are_kept_every_so_often_at_the_end_and_where_they_are_stopped() -> None:
    kept, learnt = Memory(), list[int]()

    def stop(done: int, total: int) -> None:
        assert total == 10
        if done == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(10, learnt.append, stop, kept, every=3)
    assert kept.written == [3, 5]

    run(10, learnt.append, None, kept, every=3)
    assert kept.written == [3, 5, 6, 9, 10]
    assert learnt == list(range(10))


def test_a_progress_that_listens_hears_each_loss_before_its_step() -> None:
    class Listening:
        def __init__(self) -> None:
            self.heard: list[object] = []

        def __call__(self, done: int, total: int) -> None:
            self.heard.append((done, total))

        def loss(self, value: float) -> None:
            self.heard.append(value)

    listening = Listening()
    run(2, lambda step: np.float32(step + 0.5), listening)
    assert listening.heard == [0.5, (1, 2), 1.5, (2, 2)]

    quiet = Listening()
    run(2, lambda step: None, quiet)
    assert quiet.heard == [(1, 2), (2, 2)]


def test_an_epoch_is_planned_once_and_steps_count_through_all_of_them() -> None:
    asked: list[int] = []

    def plan(epoch: int) -> list[Batch]:
        asked.append(epoch)
        return [(epoch, 0), (epoch, 1), (epoch, 2)]

    epochs = Epochs(plan)

    assert [epochs.batch(step) for step in range(8)] == [(step // 3, step % 3) for step in range(8)]
    assert asked == [0, 1, 2]
    assert epochs.batch(1) == (0, 1)
    assert len(epochs) == 3


def test_arrays_come_back_as_they_were_and_only_into_the_run_they_are_of(tmp_path: Path) -> None:
    path, found = tmp_path / "run.safetensors", {"rows": np.zeros((2, 3), np.float32), "counts": np.zeros(2, np.int64)}
    assert KeptArrays(path, "one", found).read() == 0
    KeptArrays(path, "one", {"rows": np.full((2, 3), 7, np.float32), "counts": np.array([1, 2])}).write(12)

    assert KeptArrays(path, "one", found).read() == 12
    assert found["rows"].tolist() == [[7, 7, 7], [7, 7, 7]]
    assert found["counts"].tolist() == [1, 2]
    with pytest.raises(Conflict, match="other settings or text"):
        KeptArrays(path, "another", found).read()
    with pytest.raises(BadWeights, match=r"tensor rows of shape \(3, 2\), found another or none"):
        KeptArrays(path, "one", {"rows": np.zeros((3, 2), np.float32)}).read()


def test_what_is_held_out_follows_from_the_sentence_and_the_seed() -> None:
    sentences = [key_of((f"word{number}", "\ud800")) for number in range(2_000)]
    shares = np.array([share_of(sentence, seed=1) for sentence in sentences])

    assert share_of(sentences[0], 1) == shares[0] != share_of(sentences[0], 2)
    assert 0 <= shares.min() < shares.max() < 1
    assert np.mean(shares < 0.1) == pytest.approx(0.1, abs=0.03)
