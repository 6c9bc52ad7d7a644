"""Stability: found again or not, foretold and seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.jobs import Cancelled
from topics.analysis import stability
from topics.clusters import spherical_kmeans

Ints = NDArray[np.int64]


def test_recurrence_is_one_for_the_same_groups_under_other_numbers() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    np.testing.assert_array_equal(stability.recurrence(labels, np.array([5, 5, 0, 0, 2]), 3), [1, 1, 1])


def test_recurrence_is_the_jaccard_of_the_best_matching() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(stability.recurrence(labels, groups, 3), [2 / 3, 3 / 4, 0])


def test_the_forecast_draws_noisy_topics_to_the_mean_and_leaves_clear_ones() -> None:
    clear = np.tile([0.9, 0.1, 0.5], (8, 1))
    np.testing.assert_allclose(stability.shrunk(clear), [0.9, 0.1, 0.5])
    noise = np.random.default_rng(0).normal(0.5, 0.2, (8, 40))
    assert stability.shrunk(noise).std() < 0.4 * noise.mean(axis=0).std()


def clouds(seed: int = 0) -> tuple[NDArray[np.float32], Ints, Ints]:
    """Two topics far apart, and one cloud that was cut in two at random: the first recur, the halves do not."""
    rng = np.random.default_rng(seed)
    centres = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    labels = np.repeat([0, 1, 2, 3], 60)
    rows = centres[np.minimum(labels, 2)] + rng.normal(0, 0.12, (240, 4))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, labels, np.arange(240) // 2


def test_topics_that_are_there_recur_and_arbitrary_ones_do_not() -> None:
    vectors, labels, documents = clouds()
    found = stability.measure(
        labels, documents, 4, lambda rows, seed: spherical_kmeans(vectors[rows], 4, seed)[1], draws=6, fresh=6
    )
    assert min(found.forecast[:2]) > 0.8
    assert max(found.forecast[2:]) < 0.75
    assert found.error < 0.1
    assert sum(one.topics for one in found.bins) == 4
    assert found.bias == pytest.approx(np.mean(np.subtract(found.forecast, found.observed)))
    assert all(low <= forecast + 0.2 for low, forecast in zip(found.low, found.forecast, strict=True))


def test_a_document_lies_whole_inside_or_outside_a_draw() -> None:
    documents = np.arange(60) // 3
    seen: list[Ints] = []

    def regroup(rows: Ints, seed: int) -> Ints:
        seen.append(rows)
        return np.zeros(len(rows), np.int64)

    stability.measure(np.zeros(60, np.int64), documents, 1, regroup, draws=2, fresh=1)
    for rows in seen:
        assert len(rows) == 48
        assert all(np.bincount(documents[rows], minlength=20) % 3 == 0)
    assert len({rows.tobytes() for rows in seen}) == 3


def test_it_can_be_stopped_between_draws() -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled("stopped")

    drawn: list[int] = []

    def regroup(rows: Ints, seed: int) -> Ints:
        drawn.append(seed)
        return np.zeros(len(rows), np.int64)

    with pytest.raises(Cancelled):
        stability.measure(np.zeros(9, np.int64), np.arange(9), 1, regroup, watch=stop)
    assert drawn == [0, 1]
