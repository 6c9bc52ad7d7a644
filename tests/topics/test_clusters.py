from __future__ import annotations

import numpy as np
import pytest

from tests.topics.themes import purity, themed
from topics.clusters import class_tf_idf, membership, refine, spherical_kmeans, starting_rows


def test_groups_are_the_themes() -> None:
    world = themed()
    centres, labels = spherical_kmeans(world.vectors, 4, seed=0)
    assert purity(world.labels, labels) == 1.0
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_two_clear_themes_are_never_one_group(seed: int) -> None:
    world = themed(300, seed)
    _, labels = spherical_kmeans(world.vectors, 4, seed)
    assert purity(world.labels, labels) >= 0.95


def test_one_seed_gives_one_grouping() -> None:
    world = themed()
    one, other = (spherical_kmeans(world.vectors, 7, seed=3) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_fewer_starting_rows_are_the_first_of_more() -> None:
    vectors = themed().vectors
    assert np.array_equal(starting_rows(vectors, 3, 5), starting_rows(vectors, 9, 5)[:3])


def test_identical_rows_are_no_trouble() -> None:
    vectors = np.tile(np.eye(1, 5, dtype=np.float32), (6, 1))
    centres, labels = spherical_kmeans(vectors, 3, seed=0)
    assert np.isfinite(centres).all()
    assert len(set(labels.tolist())) == 1


def test_every_row_goes_to_its_nearest_centre() -> None:
    vectors = themed().vectors
    centres, labels = refine(vectors, starting_rows(vectors, 4, 0), rounds=50)
    assert np.array_equal(labels, (vectors @ centres.T).argmax(axis=1))


def test_class_tf_idf_is_the_published_formula() -> None:
    counts = np.array([[4, 0, 2], [1, 3, 2]], np.float32)
    mean = 12 / 2
    expected = [[4 / 6 * np.log(1 + mean / 5), 0, 2 / 6 * np.log(1 + mean / 4)],
                [1 / 6 * np.log(1 + mean / 5), 3 / 6 * np.log(1 + mean / 3), 2 / 6 * np.log(1 + mean / 4)]]  # fmt: skip
    np.testing.assert_allclose(class_tf_idf(counts), expected, rtol=1e-6)


def test_membership_sums_rows_by_group() -> None:
    summed = membership(np.array([1, 0, 1]), 3) @ np.array([[1.0], [2.0], [4.0]])
    assert summed.tolist() == [[2.0], [5.0], [0.0]]


@pytest.mark.parametrize("groups", [1, 5])
def test_an_unused_word_marks_nothing(groups: int) -> None:
    counts = np.zeros((groups, 2), np.float32)
    counts[:, 0] = 1
    assert (class_tf_idf(counts)[:, 1] == 0).all()
