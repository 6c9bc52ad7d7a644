"""What every vector index promises, checked against a naive sort in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from riparian.types import Ids, Matrix
from riparian.vectors.base import VectorIndex
from riparian.vectors.faiss import FaissIndex
from riparian.vectors.flat import FlatIndex
from riparian.vectors.view import View

Build = Callable[[Ids, Matrix], VectorIndex]


def _view(ids: Ids, matrix: Matrix) -> View:
    """A base with rows that are replaced and rows that are gone, and a delta that makes up for it."""
    half = len(ids) // 2
    wrong = np.ascontiguousarray(-matrix[: half + 3])
    wrong[:half] = matrix[:half]
    gone = np.array([10**9, 10**9 + 1])
    base = FlatIndex(np.concatenate((ids[: half + 3], gone)), np.concatenate((wrong, matrix[:2])))
    return View(base, FlatIndex(ids[half:], matrix[half:]), gone)


BUILDERS: dict[str, Build] = {
    "flat": FlatIndex,
    "faiss": FaissIndex.build,
    "faiss-lists": lambda ids, matrix: FaissIndex.build(ids, matrix, flat_rows=100),
    "view": _view,
}
ROWS, DIMENSION = 3000, 48


@pytest.fixture(scope="module")
def rows() -> tuple[Ids, Matrix]:
    random = np.random.default_rng(1)
    centres = random.standard_normal((40, DIMENSION))
    matrix = centres[random.integers(0, 40, ROWS)] + 0.4 * random.standard_normal((ROWS, DIMENSION))
    unit = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    unit[7] = 0.0  # a text without any known token
    unit[20] = unit[10]  # equal texts
    return np.cumsum(random.integers(1, 5, ROWS)).astype(np.int64), unit


@pytest.fixture(scope="module", params=sorted(BUILDERS))
def index(request: pytest.FixtureRequest, rows: tuple[Ids, Matrix]) -> VectorIndex:
    return BUILDERS[request.param](*rows)


@pytest.fixture(scope="module")
def queries(rows: tuple[Ids, Matrix]) -> Matrix:
    noise = 0.05 * np.random.default_rng(2).standard_normal((70, DIMENSION))
    return (rows[1][:70] + noise).astype(np.float32)


def naive(ids: Ids, matrix: Matrix, query: Matrix, k: int) -> tuple[list[int], list[float]]:
    scores = (matrix.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    order = sorted(range(len(ids)), key=lambda row: (-scores[row], ids[row]))[:k]
    return [int(ids[row]) for row in order], [float(scores[row]) for row in order]


def test_nearest_are_those_of_a_full_sort(index: VectorIndex, rows: tuple[Ids, Matrix], queries: Matrix) -> None:
    found = index.nearest(queries, 10)
    shared = 0
    for query, neighbours in zip(queries, found, strict=True):
        ids, scores = naive(*rows, query, 10)
        shared += len(set(ids) & set(neighbours.ids.tolist()))
        known = dict(zip(*naive(*rows, query, ROWS), strict=True))
        np.testing.assert_allclose(neighbours.scores, [known[one] for one in neighbours.ids.tolist()], atol=1e-7)
        if _is_exact(index):
            assert neighbours.ids.tolist() == ids
            np.testing.assert_allclose(neighbours.scores, scores, atol=1e-7)
    assert shared >= (1.0 if _is_exact(index) else 0.97) * 10 * len(queries)


def _is_exact(index: VectorIndex) -> bool:
    return not isinstance(index, FaissIndex) or index.is_exact


def test_scores_are_the_same_alone_and_in_a_batch(index: VectorIndex, queries: Matrix) -> None:
    together = index.nearest(queries, 10)
    for row, expected in enumerate(together):
        [alone] = index.nearest(queries[row : row + 1], 10)
        assert alone.ids.tolist() == expected.ids.tolist()
        assert alone.scores.tolist() == expected.scores.tolist()


def test_equal_scores_are_ordered_by_id(index: VectorIndex, rows: tuple[Ids, Matrix]) -> None:
    ids, matrix = rows
    [found] = index.nearest(matrix[20:21], 2)
    assert found.ids.tolist() == [int(ids[10]), int(ids[20])]
    assert found.scores[0] == found.scores[1]


def test_a_zero_query_gives_the_smallest_ids(index: VectorIndex) -> None:
    [found] = index.nearest(np.zeros((1, DIMENSION), dtype=np.float32), 5)
    assert found.scores.tolist() == [0.0] * 5
    if _is_exact(index):
        assert found.ids.tolist() == index.ids[:5].tolist()


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.95, 1.0])
def test_a_filter_gives_the_best_allowed_rows(
    index: VectorIndex, rows: tuple[Ids, Matrix], queries: Matrix, share: float
) -> None:
    ids, matrix = rows
    chosen = np.sort(np.random.default_rng(3).choice(ROWS, max(1, int(share * ROWS)), replace=False))
    found = index.nearest(queries[:10], 10, ids[chosen])
    for query, neighbours in zip(queries, found, strict=False):
        assert neighbours.ids.tolist() == naive(ids[chosen], matrix[chosen], query, 10)[0]


def test_ids_that_are_not_in_the_index_are_allowed_in_vain(index: VectorIndex, queries: Matrix) -> None:
    known = index.ids[[5, 9]]
    [found] = index.nearest(queries[:1], 10, np.sort(np.concatenate((known, [-4, 10**12]))))
    assert sorted(found.ids.tolist()) == known.tolist()


def test_no_allowed_row_gives_no_neighbour(index: VectorIndex, queries: Matrix) -> None:
    for found in index.nearest(queries[:2], 3, np.empty(0, dtype=np.int64)):
        assert found.ids.shape == found.scores.shape == (0,)


def test_fewer_rows_than_k_give_all_of_them_without_padding(index: VectorIndex, queries: Matrix) -> None:
    [found] = index.nearest(queries[:1], ROWS + 10)
    assert np.sort(found.ids).tolist() == index.ids.tolist()
    assert (np.diff(found.scores) <= 0).all()


def test_the_k_nearest_are_a_prefix_of_the_next_k(index: VectorIndex, queries: Matrix) -> None:
    few, more = index.nearest(queries, 5), index.nearest(queries, 6)
    if _is_exact(index):
        assert [found.ids.tolist() for found in few] == [found.ids[:5].tolist() for found in more]


def test_stored_rows_come_back_in_the_order_asked(index: VectorIndex, rows: tuple[Ids, Matrix]) -> None:
    ids, matrix = rows
    wanted = np.array([2500, 3, 1700, 3])
    np.testing.assert_array_equal(index.vectors(ids[wanted]), matrix[wanted])
    assert index.ids.tolist() == ids.tolist()
    assert index.dimension == DIMENSION


def test_an_unknown_id_is_a_key_error_that_names_it(index: VectorIndex) -> None:
    with pytest.raises(KeyError, match="-17"):
        index.vectors(np.array([-17]))


@pytest.mark.parametrize(
    ("queries", "k", "why"),
    [
        (np.zeros((1, DIMENSION + 1), dtype=np.float32), 1, "shape"),
        (np.zeros(DIMENSION, dtype=np.float32), 1, "shape"),
        (np.full((1, DIMENSION), np.nan, dtype=np.float32), 1, "NaN"),
        (np.zeros((1, DIMENSION), dtype=np.float32), 0, "k must be at least 1"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(index: VectorIndex, queries: Matrix, k: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        index.nearest(queries, k)


def test_no_queries_give_no_answers(index: VectorIndex) -> None:
    assert index.nearest(np.empty((0, DIMENSION), dtype=np.float32), 3) == []


@pytest.mark.parametrize("name", ["faiss", "flat"])
def test_an_empty_index_answers_with_nothing(name: str) -> None:
    index = BUILDERS[name](np.empty(0, dtype=np.int64), np.empty((0, 4), dtype=np.float32))
    [found] = index.nearest(np.ones((1, 4), dtype=np.float32), 3)
    assert found.ids.tolist() == []
