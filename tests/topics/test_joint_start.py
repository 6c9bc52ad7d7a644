"""Where the joint model starts: what trees over many parts agree on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics.joint import start
from topics.joint.smoothing import unit


def blobs(a_group: int = 60, seed: int = 0) -> tuple[Matrix, NDArray[np.int64]]:
    """Unit rows about five directions, in an order that says nothing."""
    rng = np.random.default_rng(seed)
    middles = np.eye(5, 12) + 0.2 * rng.normal(size=(5, 12))
    labels = rng.permutation(np.repeat(np.arange(5), a_group))
    return unit((middles[labels] + 0.15 * rng.normal(size=(len(labels), 12))).astype(np.float32)), labels


def same_groups(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    return (
        len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(set(one.tolist())) == len(set(other.tolist()))
    )


def test_a_row_alone_decides_in_which_parts_it_is() -> None:
    rows, _ = blobs()
    parts = start.parts_of(rows)
    order = np.random.default_rng(1).permutation(len(rows))[:200]
    np.testing.assert_array_equal(start.parts_of(rows[order]), parts[order])
    assert abs(parts.mean() - 1 / 2) < 0.02
    assert len({column.tobytes() for column in parts.T}) == parts.shape[1]


def test_trees_over_parts_agree_on_groups_that_are_there() -> None:
    rows, labels = blobs()
    found = start.agreed(rows, start.projected(rows, 8), start.parts_of(rows), 5)
    assert same_groups(found, labels)


def test_where_parts_would_be_small_one_tree_finds_the_groups() -> None:
    rows, labels = blobs(a_group=8)
    centres = start.starting_centres(rows, rows, 5, 8)
    assert same_groups(start.assign(rows, centres), labels)


def test_centres_of_a_sample_are_near_those_of_the_whole() -> None:
    rows, _ = blobs(a_group=100)
    rows = rows + 0.25 * np.random.default_rng(3).normal(size=rows.shape).astype(np.float32)
    rows = unit(rows)
    whole = start.starting_centres(rows, rows, 9, 8)
    part = start.starting_centres(rows[:450], rows[:450], 9, 8)
    assert np.median((whole @ part.T).max(axis=1)) > 0.95
