from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.types import Ids
from riparian.vectors.base import VectorIndex
from riparian.vectors.flat import FlatIndex
from riparian.vectors.generations import blocks_of, next_number, open_generation, write_generation
from riparian.vectors.view import View

DIMENSION = 5
NONE: Ids = np.empty(0, dtype=np.int64)

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "remove", "compact"]), st.integers(0, 120), st.integers(0, 6)),
    max_size=60,
)


def flat(rows: dict[int, np.ndarray]) -> FlatIndex:
    ids = np.array(sorted(rows), dtype=np.int64)
    matrix = np.array([rows[one] for one in ids.tolist()], dtype=np.float32).reshape(len(ids), DIMENSION)
    return FlatIndex(ids, matrix)


class Archive:
    """What the catalog does with a view: additions in a delta, removals as tombstones, compaction into a generation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base: VectorIndex | None = None
        self.delta: dict[int, np.ndarray] = {}
        self.removed: set[int] = set()
        self.alive: dict[int, np.ndarray] = {}

    def take(self, step: Step) -> None:
        kind, one, seed = step
        if kind == "put":
            # few different vectors, so that equal scores decide often
            self.delta[one] = self.alive[one] = np.random.default_rng(seed).standard_normal(DIMENSION).astype("f4")
        elif kind == "remove":
            self.delta.pop(one, None)
            self.alive.pop(one, None)
            self.removed.add(one)
        else:
            self.compact()

    def compact(self) -> None:
        view = self.view()
        path = write_generation(
            self.folder,
            next_number(self.folder),
            view.ids,
            blocks_of(view, rows=16),
            encoder="e",
            encoder_name="test",
            dimension=DIMENSION,
        )
        self.base, self.delta, self.removed = open_generation(path, "e"), {}, set()

    def view(self) -> View:
        return View(self.base, flat(self.delta), np.array(sorted(self.removed), dtype=np.int64))


@given(STEPS, st.integers(1, 130), st.sets(st.integers(0, 125)))
@settings(max_examples=80, deadline=None)
def test_any_history_answers_like_one_flat_index_over_what_is_alive(steps: list[Step], k: int, some: set[int]) -> None:
    queries = np.random.default_rng(99).standard_normal((3, DIMENSION)).astype(np.float32)
    allowed = np.array(sorted(some), dtype=np.int64)
    with TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        for step in steps:
            archive.take(step)
        view, plain = archive.view(), flat(archive.alive)
        assert view.ids.tolist() == plain.ids.tolist()
        np.testing.assert_array_equal(view.vectors(plain.ids), plain.matrix)
        for filter_ in (None, allowed):
            for mine, expected in zip(
                view.nearest(queries, k, filter_), plain.nearest(queries, k, filter_), strict=True
            ):
                assert mine.ids.tolist() == expected.ids.tolist()
                assert mine.scores.tolist() == expected.scores.tolist()


def test_more_hidden_rows_than_are_asked_for_beyond_k_are_filtered() -> None:
    rows = {one: np.random.default_rng(one).standard_normal(DIMENSION).astype("f4") for one in range(500)}
    view = View(flat(rows), flat({}), np.arange(300))
    assert (view.hidden, view.added, len(view)) == (300, 0, 200)
    [found] = view.nearest(np.ones((1, DIMENSION), dtype=np.float32), 20)
    [expected] = flat({one: rows[one] for one in range(300, 500)}).nearest(np.ones((1, DIMENSION), dtype="f4"), 20)
    assert found.ids.tolist() == expected.ids.tolist()


def test_an_id_that_was_removed_and_added_again_is_alive_with_its_new_vector() -> None:
    old, new = np.eye(DIMENSION, dtype=np.float32)[:2]
    view = View(flat({4: old}), flat({4: new}), np.array([4]))
    assert view.ids.tolist() == [4]
    np.testing.assert_array_equal(view.vectors(np.array([4])), new[None])
    [found] = view.nearest(old[None], 5)
    assert (found.ids.tolist(), found.scores.tolist()) == ([4], [0.0])


def test_a_removed_row_has_no_vector() -> None:
    view = View(flat({4: np.ones(DIMENSION, dtype="f4")}), flat({}), np.array([4]))
    with pytest.raises(KeyError, match="4"):
        view.vectors(np.array([4]))
    assert view.nearest(np.ones((1, DIMENSION), dtype=np.float32), 3)[0].ids.tolist() == []


def test_a_view_without_a_generation_is_its_delta() -> None:
    view = View(None, flat({9: np.ones(DIMENSION, dtype="f4")}), NONE)
    assert view.nearest(np.ones((1, DIMENSION), dtype=np.float32), 3)[0].scores.tolist() == [5.0]
    empty = View(None, flat({}), NONE)
    assert empty.nearest(np.ones((1, DIMENSION), dtype=np.float32), 3)[0].ids.tolist() == []


def test_base_and_delta_of_different_dimension_do_not_meet() -> None:
    with pytest.raises(ValueError, match="dimension"):
        View(FlatIndex(np.arange(1), np.ones((1, 3), dtype=np.float32)), flat({}), NONE)
