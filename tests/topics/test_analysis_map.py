"""The map: near stays near, old places stay, and it can be drawn without umap-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.types import CollectionId, EncoderId, Matrix
from tests.topics.analysed import mixtures
from topics.analysis import map as maps
from topics.analysis import places
from topics.analysis.map import Map
from topics.analysis.neighbours import nearest


def clouds(count: int, seed: int = 0, dimension: int = 12) -> tuple[Matrix, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    rows = np.eye(dimension)[labels] + rng.normal(0, 0.12, (count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def apart(found: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The part of points whose nearest point on the map is of their own cloud."""
    distance = np.linalg.norm(found[:, None] - found[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float((labels[distance.argmin(axis=1)] == labels).mean())


def ids(count: int) -> NDArray[np.int64]:
    return np.arange(1, count + 1, dtype=np.int64) * 10


def test_neighbours_are_those_of_a_full_sort() -> None:
    vectors, _ = clouds(50)
    numbers, cosines = nearest(vectors[:7], vectors, 5)
    products = vectors[:7] @ vectors.T
    np.testing.assert_array_equal(numbers, np.argsort(-products, axis=1, kind="stable")[:, :5])
    np.testing.assert_allclose(cosines, -np.sort(-products, axis=1)[:, :5])
    assert nearest(vectors[:3], vectors[:3], 3)[0][:, 0].tolist() == [0, 1, 2]


def test_without_umap_the_map_is_the_principal_components() -> None:
    vectors, _ = clouds(40)
    found = maps.draw(ids(40), vectors, method="pca")
    centred = vectors - vectors.mean(axis=0)
    scores = np.linalg.svd(centred, full_matrices=False)[0][:, :2]
    for axis in (0, 1):
        assert abs(np.corrcoef(found.places[:, axis], scores[:, axis])[0, 1]) == pytest.approx(1, abs=1e-4)
    assert np.abs(found.places).max() == pytest.approx(1)
    assert (found.method, found.kept, found.moved) == ("pca", 0, 0.0)


def test_few_points_are_laid_out_by_their_principal_components() -> None:
    assert maps.draw(ids(12), clouds(12)[0]).method == "pca"
    assert maps.draw(ids(1), clouds(1)[0]).places.tolist() == [[0.0, 0.0]]


def test_old_places_stay_to_the_bit_and_new_ones_come_near_their_like() -> None:
    vectors, labels = clouds(120)
    before = maps.draw(ids(100), vectors[:100], method="pca")
    after = maps.draw(ids(120), vectors, before)
    np.testing.assert_array_equal(after.places[:100], before.places)
    assert (after.kept, after.moved) == (100, 0.0)
    centres = np.stack([before.places[labels[:100] == k].mean(axis=0) for k in range(4)])
    to_centres = np.linalg.norm(after.places[100:, None] - centres[None], axis=2)
    wrong = to_centres.argmin(axis=1) != labels[100:]
    # two of four clouds of twelve dimensions may lie on each other in two; those two are alike here
    assert wrong.mean() <= 0.25
    assert len(np.unique(after.places, axis=0)) == 120


def test_removed_passages_leave_and_the_others_stay() -> None:
    vectors, _ = clouds(60)
    before = maps.draw(ids(60), vectors, method="pca")
    after = maps.draw(ids(60)[::2], vectors[::2], before)
    np.testing.assert_array_equal(after.places, before.places[::2])


def test_where_most_is_new_all_is_laid_out_again_onto_the_old_places() -> None:
    vectors, _ = clouds(200)
    before = maps.draw(ids(40), vectors[:40], method="pca")
    turned = Map(before.passages, before.places @ np.array([[0.0, -3.0], [3.0, 0.0]]), "pca", 0, 0.0)
    after = maps.draw(ids(200), vectors, turned, method="pca")
    spread = np.linalg.norm(turned.places - turned.places.mean(axis=0), axis=1).mean()
    assert after.kept == 40
    assert after.moved == pytest.approx(np.linalg.norm(after.places[:40] - turned.places, axis=1).mean())
    assert after.moved < 0.5 * spread


def test_places_turned_mirrored_stretched_and_moved_come_back() -> None:
    rng = np.random.default_rng(3)
    target = rng.normal(size=(30, 2))
    turned = 2.5 * target @ np.array([[0.6, 0.8], [0.8, -0.6]]) + [4, -1]
    np.testing.assert_allclose(maps.onto(turned, np.arange(20), target[:20]), target, atol=1e-9)


def test_a_map_is_what_it_was_after_it_was_saved(tmp_path: Path) -> None:
    found = maps.draw(ids(30), clouds(30)[0], method="pca")
    file = places.path(tmp_path, CollectionId(3), EncoderId(2))
    places.save(file, found)
    again = places.load(file)
    assert again is not None
    np.testing.assert_array_equal(again.places, found.places)
    np.testing.assert_array_equal(again.passages, found.passages)
    assert (again.method, again.kept, again.moved) == (found.method, found.kept, found.moved)
    file.write_bytes(file.read_bytes()[:100])
    assert places.load(file) is None


def test_topics_lie_in_the_median_of_their_passages() -> None:
    found = Map(np.array([1, 2, 3, 9]), np.array([[0.0, 0], [1, 4], [2, 2], [7, 7]]), "pca", 0, 0.0)
    drawn = places.drawn(found, mixtures(np.array([[1.0, 0], [0.8, 0.2], [0.6, 0.4]])))
    assert drawn.main.tolist() == [1, 1, 1, 0]
    assert drawn.topics == {1: (1.0, 2.0)}


@pytest.mark.slow
def test_umap_keeps_clouds_apart_and_gives_the_same_map_twice() -> None:
    pytest.importorskip("umap")
    vectors, labels = clouds(300)
    first, second = (maps.draw(ids(300), vectors) for _ in range(2))
    assert first.method == "umap"
    np.testing.assert_array_equal(first.places, second.places)
    assert apart(first.places, labels) >= 0.98
    grown = maps.draw(ids(340), clouds(340)[0], first)
    np.testing.assert_array_equal(grown.places[:300], first.places)
    assert apart(grown.places, clouds(340)[1]) >= 0.95
