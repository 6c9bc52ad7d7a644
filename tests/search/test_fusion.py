"""What fusing rankings keeps, whatever they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from search.fusion import Ranking, min_max, reciprocal_rank, scaled

SCORES = st.floats(-5, 50, allow_nan=False, width=32)
RANKINGS = st.dictionaries(st.integers(1, 40), SCORES, max_size=30).map(
    lambda found: Ranking.of(np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float64))
)
FUSIONS = pytest.mark.parametrize("fuse", [min_max, reciprocal_rank])


def ranking(**scores: float) -> Ranking:
    """`ranking(d3=0.5)`: document 3 scores 0.5."""
    ids = np.array([int(name[1:]) for name in scores], dtype=np.int64)
    return Ranking.of(ids, np.array(list(scores.values()), dtype=np.float64))


def rank_of(fused: Ranking, document: int) -> int:
    return fused.ids.tolist().index(document)


@FUSIONS
@given(found=RANKINGS, weight=st.floats(0.01, 1))
def test_a_single_ranking_keeps_its_order(fuse, found, weight):
    assert fuse([found], [weight]).ids.tolist() == found.ids.tolist()


@FUSIONS
@given(found=RANKINGS, weight=st.floats(0.01, 1), depth=st.integers(1, 10))
def test_what_lies_below_the_depth_keeps_its_order_too(fuse, found, weight, depth):
    assert fuse([found], [weight], depth=depth).ids.tolist() == found.ids.tolist()


@FUSIONS
@given(one=RANKINGS, other=RANKINGS, weight=st.floats(0, 1))
def test_every_document_of_any_ranking_comes_out_once(fuse, one, other, weight):
    fused = fuse([one, other], [weight, 1 - weight])
    assert sorted(fused.ids.tolist()) == sorted(set(one.ids.tolist()) | set(other.ids.tolist()))


@FUSIONS
@given(one=RANKINGS, other=RANKINGS, unrelated=RANKINGS)
def test_an_unrelated_ranking_never_turns_over_what_the_others_agree_on(fuse, one, other, unrelated):
    elsewhere = Ranking(unrelated.ids + 1000, unrelated.scores)
    before = fuse([one, other], [0.5, 0.5])
    after = fuse([one, other, elsewhere], [0.5, 0.5, 0.5])
    assert [i for i in after.ids.tolist() if i < 1000] == before.ids.tolist()


@FUSIONS
@given(one=RANKINGS, other=RANKINGS, weight=st.floats(0, 1))
def test_the_order_in_which_the_rankings_are_given_does_not_matter(fuse, one, other, weight):
    first, second = fuse([one, other], [weight, 1 - weight]), fuse([other, one], [1 - weight, weight])
    assert first.ids.tolist() == second.ids.tolist()
    assert first.scores.tolist() == second.scores.tolist()


@given(found=RANKINGS.filter(lambda r: len(r) > 1 and np.ptp(r.scores) > 0.1), factor=st.floats(0.5, 4))
def test_min_max_does_not_ask_in_what_unit_a_retriever_scores(found, factor):
    assert_allclose(scaled(Ranking(found.ids, found.scores * factor - 3)), scaled(found), atol=1e-6)


@given(found=RANKINGS)
def test_scaled_scores_lie_between_nought_and_one(found):
    values = scaled(found)
    assert all(0 <= value <= 1 for value in values)
    assert not len(found) or values[0] == 1


def test_min_max_values():
    lexical, semantic = ranking(d1=10, d2=6, d3=2), ranking(d2=0.9, d4=0.7, d1=0.5)
    fused = min_max([semantic, lexical], [0.5, 0.5])
    assert dict(zip(fused.ids.tolist(), fused.scores.tolist(), strict=True)) == pytest.approx(
        {2: 0.75, 1: 0.5, 4: 0.25, 3: 0.0}
    )
    assert fused.ids.tolist() == [2, 1, 4, 3]


def test_reciprocal_rank_values():
    fused = reciprocal_rank([ranking(d1=3, d2=2), ranking(d2=9)], [1, 1])
    assert fused.ids.tolist() == [2, 1]
    assert_allclose(fused.scores, [1 / 62 + 1 / 61, 1 / 61])


def test_equal_scores_and_ranks_go_to_the_smaller_id():
    assert min_max([ranking(d9=1, d5=0), ranking(d3=1, d5=0)], [0.5, 0.5]).ids.tolist() == [3, 9, 5]


def test_one_candidate_alone_counts_in_full():
    assert scaled(ranking(d7=0.1)).tolist() == [1.0]


def test_nothing_found_gives_nothing():
    assert len(min_max([Ranking.empty(), Ranking.empty()], [0.5, 0.5])) == 0
    assert len(min_max([], [])) == 0


def test_as_many_weights_as_rankings_are_needed():
    with pytest.raises(ValueError, match="2 rankings need as many weights, got 1"):
        min_max([Ranking.empty(), Ranking.empty()], [1.0])
