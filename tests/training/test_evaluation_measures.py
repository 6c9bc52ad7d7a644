"""Measures against ir-measures, and the laws of intervals."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from training.evaluation.measures import MEASURES, MRR, NDCG, RECALL_1, RECALL_10, measure
from training.evaluation.statistics import interval, paired

OTHERS = {NDCG: nDCG @ 10, MRR: RR @ 10, RECALL_1: R @ 1, RECALL_10: R @ 10}

documents = st.integers(0, 25)
rankings = st.lists(documents, max_size=15, unique=True)
judgments = st.dictionaries(documents, st.integers(0, 3), min_size=1, max_size=12).filter(lambda g: any(g.values()))


@given(st.lists(st.tuples(rankings.filter(bool), judgments), min_size=1, max_size=5))
def test_measures_are_those_of_ir_measures(questions: list[tuple[list[int], dict[int, int]]]) -> None:
    names = {measure: name for name, measure in OTHERS.items()}
    qrels = {str(n): {str(d): gain for d, gain in gains.items()} for n, (_, gains) in enumerate(questions)}
    run = {str(n): {str(d): -float(at) for at, d in enumerate(found)} for n, (found, _) in enumerate(questions)}
    ours = [measure(found, gains) for found, gains in questions]
    for metric in ir_measures.iter_calc(list(names), qrels, run):
        assert ours[int(metric.query_id)][names[metric.measure]] == pytest.approx(metric.value)


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        ([7, 1, 2], {NDCG: 1.0, MRR: 1.0, RECALL_1: 1.0, RECALL_10: 1.0}),
        ([1, 2, 7], {NDCG: 0.5, MRR: 1 / 3, RECALL_1: 0.0, RECALL_10: 1.0}),
        ([*range(20, 30), 7], dict.fromkeys(MEASURES, 0.0)),
        ([], dict.fromkeys(MEASURES, 0.0)),
    ],
)
def test_one_relevant_document_scores_by_its_rank(ranking: list[int], expected: dict[str, float]) -> None:
    assert measure(ranking, {7: 1.0}) == pytest.approx(expected)


def test_a_question_without_relevant_documents_scores_nothing() -> None:
    assert measure([1, 2], {1: 0.0}) == dict.fromkeys(MEASURES, 0.0)


def test_the_interval_of_many_values_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(3).normal(0.5, 0.2, size=400)
    found = interval(values, seed=1)
    half = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.002)
    assert found == interval(values, seed=1) != interval(values, seed=2)


def test_drawing_piece_by_piece_covers_every_draw() -> None:
    values = np.linspace(0, 1, 1_000)  # 5,000 draws of these do not fit into one piece
    found = interval(values, seed=1)
    assert found.low < 0.5 < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(1_000), rel=0.1)


def test_a_paired_difference_is_sharper_than_the_two_means() -> None:
    numbers = np.random.default_rng(5)
    first = numbers.random(200)
    second = first + 0.02 + numbers.normal(0, 0.01, size=200)
    gain = paired(second, first, seed=1)
    assert gain.is_above_zero and not gain.is_below_zero
    assert interval(second, 1).low < interval(first, 1).high
    assert paired(first, second, 1).is_below_zero
    assert paired(first, first, 1).low == paired(first, first, 1).high == 0.0


def test_answers_to_other_questions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not answers to the same questions"):
        paired(np.zeros(3), np.zeros(4), seed=1)
    with pytest.raises(ValueError, match="no values"):
        interval(np.zeros(0), seed=1)
