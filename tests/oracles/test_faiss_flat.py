"""FAISS against the exact reference, on vectors with the neighbourhoods of real text."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import faiss
import numpy as np
import pytest

from riparian.errors import Conflict
from riparian.types import Ids, Matrix
from riparian.vectors.faiss import FaissIndex, check_installation, choose, device
from riparian.vectors.flat import FlatIndex

ROWS, DIMENSION, K = 12_000, 64, 10


@cache
def rows() -> tuple[Ids, Matrix]:
    random = np.random.default_rng(4)
    centres = random.standard_normal((200, DIMENSION))
    matrix = centres[random.integers(0, 200, ROWS)] + 0.6 * random.standard_normal((ROWS, DIMENSION))
    return np.arange(ROWS, dtype=np.int64) * 2, _unit(matrix)


@cache
def queries() -> Matrix:
    noise = 0.1 * np.random.default_rng(6).standard_normal((100, DIMENSION))
    return _unit(rows()[1][::120] + noise)


@cache
def flat() -> FlatIndex:
    return FlatIndex(*rows())


@cache
def lists() -> FaissIndex:
    return FaissIndex.build(*rows(), flat_rows=1000, few_rows=0)


def _unit(matrix: np.ndarray) -> Matrix:
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def test_the_reference_agrees_with_faiss_s_own_flat_index() -> None:
    theirs = faiss.IndexFlatIP(DIMENSION)
    theirs.add(rows()[1])
    scores, numbers = theirs.search(queries(), K)
    for mine, their_scores, their_rows in zip(flat().nearest(queries(), K), scores, numbers, strict=True):
        assert mine.ids.tolist() == (their_rows * 2).tolist()
        np.testing.assert_allclose(mine.scores, their_scores, atol=2e-6)


def test_comparing_every_row_through_faiss_gives_the_reference_to_the_bit() -> None:
    for mine, exact in zip(FaissIndex.build(*rows()).nearest(queries(), K), flat().nearest(queries(), K), strict=True):
        assert mine.ids.tolist() == exact.ids.tolist()
        assert mine.scores.tolist() == exact.scores.tolist()


def test_inverted_lists_find_98_percent_of_the_true_neighbours_with_their_exact_scores() -> None:
    true = flat().nearest(queries(), K)
    assert lists().probes < lists()._lists.nlist
    assert _recall(lists().nearest(queries(), K), true) >= 0.98


@pytest.mark.parametrize("share", [0.11, 0.3, 0.5, 0.9])
def test_a_filter_over_inverted_lists_keeps_recall_and_never_returns_another_row(share: float) -> None:
    allowed = np.sort(np.random.default_rng(8).choice(rows()[0], int(share * ROWS), replace=False))
    found = lists().nearest(queries(), K, allowed)
    assert all(len(one.ids) == K and np.isin(one.ids, allowed).all() for one in found)
    assert _recall(found, flat().nearest(queries(), K, allowed)) >= 0.97


def test_a_filter_that_leaves_one_far_corner_is_still_answered_in_full() -> None:
    """The allowed rows lie in lists that no query's probes reach."""
    toward = _unit(rows()[1][:1])
    far = np.argsort(rows()[1] @ toward[0])[: int(0.12 * ROWS)]
    allowed = np.sort(rows()[0][far])
    [found], [exact] = lists().nearest(toward, K, allowed), flat().nearest(toward, K, allowed)
    assert len(found.ids) == K
    assert len(set(found.ids.tolist()) & set(exact.ids.tolist())) >= 9


def _recall(found: list, true: list) -> float:  # type: ignore[type-arg]
    hits = 0
    for mine, exact in zip(found, true, strict=True):
        scores = dict(zip(exact.ids.tolist(), exact.scores.tolist(), strict=True))
        both = [one for one in mine.ids.tolist() if one in scores]
        assert [mine.scores[mine.ids == one][0] for one in both] == [scores[one] for one in both]
        hits += len(both)
    return hits / sum(len(exact.ids) for exact in true)


def test_the_structure_follows_the_number_of_rows_and_says_why() -> None:
    assert (choose(100_000).kind, choose(100_001).kind) == ("flat", "ivf")
    assert choose(1_000_000).lists == 2048
    assert "every row is compared" in choose(5).reason


def test_two_faiss_packages_in_one_environment_are_refused() -> None:
    check_installation(["faiss-cpu"])
    with pytest.raises(Conflict, match="faiss-cpu and faiss-gpu are both installed"):
        check_installation(["faiss-gpu", "faiss-cpu"])


def test_the_device_comes_with_its_reason() -> None:
    assert device().is_gpu == (hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0)
    assert "FAISS" in device().reason


def test_naming_the_vector_rooms_does_not_import_faiss() -> None:
    check = "import riparian.vectors.generations, riparian.vectors.view, sys; sys.exit('faiss' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
