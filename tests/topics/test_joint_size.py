"""What the joint model holds at a time: never all pairs of passages, never passages by words without the zeros."""

from __future__ import annotations

import tracemalloc
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.topics.themes import Themed, themed
from topics import kinds
from topics.base import FitSettings
from topics.joint import smoothing, start

LANDMARKS = 200


class Watched(np.ndarray):
    """Rows that note the shape of every product they take part in."""

    shapes: ClassVar[list[tuple[int, ...]]] = []

    def __matmul__(self, other: Any) -> Any:
        made = np.asarray(self) @ np.asarray(other)
        Watched.shapes.append(made.shape)
        return made


def test_neighbours_are_looked_for_a_bounded_block_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoothing, "_SCORES", 4_000)
    rows = smoothing.unit(np.random.default_rng(0).normal(size=(1_000, 4)).astype(np.float32))
    Watched.shapes = []
    found = smoothing.neighbour_weights(rows.view(Watched), rows[:LANDMARKS], 5, own=True)
    assert Watched.shapes == [(20, LANDMARKS)] * 50
    assert found.nnz == 5_000


def test_products_grow_with_the_passages_not_with_their_square() -> None:
    products = {}
    for count in (400, 800, 1_600):
        rows = smoothing.unit(np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32))
        Watched.shapes = []
        smoothing.neighbour_weights(rows[:LANDMARKS].view(Watched), rows[:LANDMARKS], 5, own=True)
        smoothing.neighbour_weights(rows[LANDMARKS:].view(Watched), rows[:LANDMARKS], 5, own=False)
        products[count] = sum(height * width for height, width in Watched.shapes)
    assert products == {count: count * LANDMARKS for count in (400, 800, 1_600)}


def test_the_tree_is_over_so_many_passages_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    grow = start.tree

    def counting(rows: np.ndarray) -> np.ndarray:
        seen.append(len(rows))
        return grow(rows)

    monkeypatch.setattr(start, "tree", counting)
    monkeypatch.setattr(start, "_MOST_IN_TREE", 100)
    for count in (60, 150, 300):
        _fit(themed(count))
    assert seen[0] == 60
    assert len(seen) > 20  # of more passages, trees over twenty halves of the first hundred
    assert max(seen) <= 100


def test_memory_grows_no_faster_than_the_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_MOST_IN_TREE", 100)
    monkeypatch.setattr(smoothing, "_SCORES", 50_000)
    peaks = [_peak(themed(count)) for count in (1_000, 2_000, 4_000)]
    assert peaks[2] < 2.2 * peaks[1] < 2.2 * 2.2 * peaks[0]
    assert peaks[2] < 4_000 * 4_000  # not even a byte a pair of passages


def _fit(data: Themed, **options: int) -> None:
    kinds.fit("joint", data.vectors, data.bag, FitSettings(4, 0, options), encoder="fp")


def _peak(data: Themed) -> int:
    _fit(data, landmarks=LANDMARKS)  # what is imported and cached at first is not the model's
    tracemalloc.start()
    try:
        _fit(data, landmarks=LANDMARKS)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
