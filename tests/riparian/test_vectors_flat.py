from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riparian.vectors.flat import FlatIndex

# Few distinct values: equal scores, cancelling sums and zero rows come up all the time.
VALUES = st.sampled_from([-1.0, -0.3333333, 0.0, 0.1, 0.70710677, 1.0])


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    rows, dimension = draw(st.integers(0, 60)), draw(st.integers(1, 9))
    matrix = draw(arrays.arrays(np.float32, (rows, dimension), elements=VALUES))
    queries = draw(arrays.arrays(np.float32, (draw(st.integers(1, 5)), dimension), elements=VALUES))
    return matrix, queries, draw(st.integers(1, 70))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_every_batch_gives_the_rows_of_a_stable_sort_of_float64_scores(
    case: tuple[np.ndarray, np.ndarray, int],
) -> None:
    matrix, queries, k = case
    ids = np.arange(len(matrix), dtype=np.int64) * 7 + 3
    index = FlatIndex(ids, matrix)
    for query, found in zip(queries, index.nearest(queries, k), strict=True):
        scores = (matrix.astype(np.float64) * query.astype(np.float64)).sum(axis=1).astype(np.float32)
        order = np.argsort(-scores, kind="stable")[:k]
        assert found.ids.tolist() == ids[order].tolist()
        assert found.scores.tolist() == scores[order].tolist()


def test_many_equal_rows_across_blocks_come_by_id() -> None:
    row = np.array([[0.6, 0.8]], dtype=np.float32)
    index = FlatIndex(np.arange(150_000, dtype=np.int64), np.repeat(row, 150_000, axis=0))
    for found in index.nearest(np.repeat(row, 40, axis=0), 7):
        assert found.ids.tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert found.scores.tolist() == pytest.approx([1.0] * 7)


@pytest.mark.parametrize("ids", [[2, 1], [1, 1], [1]])
def test_ids_that_do_not_ascend_or_do_not_fit_are_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="ids"):
        FlatIndex(np.array(ids), np.zeros((2, 3), dtype=np.float32))


def test_a_row_with_nan_is_refused() -> None:
    matrix = np.zeros((3, 2), dtype=np.float32)
    matrix[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        FlatIndex(np.arange(3), matrix)


def test_a_matrix_of_float64_is_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        FlatIndex(np.arange(3), np.zeros((3, 2)))
