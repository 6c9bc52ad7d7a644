"""Topics over time and in groups: exact shares, changes that are there, and no more false alarms than allowed."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from riparian.errors import BadQuery
from riparian.types import DocumentId
from tests.topics.analysed import START, Reals, dated, mixtures
from topics.analysis import groups, periods, significance


def themes(documents: int, topics: int, seed: int) -> Reals:
    return np.random.default_rng(seed).dirichlet(np.full(topics, 0.2), documents)


# ------------------------------------------------------------------------------ adjusting p values


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_those_of_scipy(values: list[float]) -> None:
    p = np.array(values)
    np.testing.assert_allclose(significance.benjamini_hochberg(p), false_discovery_control(p), atol=1e-12)


def test_adjusting_keeps_the_shape() -> None:
    p = np.array([[0.01, 0.5], [0.02, 0.9]])
    np.testing.assert_allclose(significance.benjamini_hochberg(p), [[0.04, 2 / 3], [0.04, 0.9]])


# ------------------------------------------------------------------------------ over time


def test_shares_of_a_period_are_means_of_its_documents_and_sum_to_one() -> None:
    theta = themes(90, 4, 0)
    days = np.random.default_rng(1).integers(0, 4 * 365, 90)
    found = periods.over_time(mixtures(theta), dated(days), "year")
    assert [period.name for period in found.periods] == ["2001", "2002", "2003", "2004"]
    assert sum(period.documents for period in found.periods) == found.documents == 90
    lines = {line.topic.number: line for line in found.timelines}
    for place, period in enumerate(found.periods):
        inside = np.array([period.first <= START + timedelta(days=int(day)) <= period.last for day in days])
        assert period.documents == inside.sum()
        shares = [lines[k].shares[place] for k in range(4)]
        assert shares == pytest.approx(theta[inside].mean(axis=0).tolist())
        assert sum(share or 0 for share in shares) == pytest.approx(1)


def test_a_topic_that_comes_up_is_found_with_its_period_and_the_documents_behind_it() -> None:
    theta = themes(200, 6, 2)
    days = np.sort(np.random.default_rng(3).integers(0, 5 * 365, 200))
    in_third = (days >= 2 * 365) & (days < 3 * 365)
    changed = np.flatnonzero(in_third)[:12]
    theta[changed] = 0.02
    theta[changed, 4] = 0.9
    found = periods.over_time(mixtures(theta), dated(days), "year")
    first = found.timelines[0]
    assert (first.topic.number, first.changes, first.high) == (4, True, (2,))
    assert {int(driver.document_id) - 1 for driver in first.drivers} <= set(np.flatnonzero(in_third).tolist())
    assert all(driver.period == 2 and driver.weight > 0.5 for driver in first.drivers)
    assert 0 < sum(driver.part for driver in first.drivers) < 1


def test_a_slow_rise_is_a_trend() -> None:
    days = np.arange(300) * 4
    theta = np.full((300, 3), 0.2)
    theta[:, 2] += np.linspace(-0.1, 0.1, 300) + np.random.default_rng(0).normal(0, 0.15, 300)
    found = periods.over_time(mixtures(theta), dated(days), "month")
    line = next(line for line in found.timelines if line.topic.number == 2)
    assert line.changes
    assert line.trend > 0.2
    assert line.p_trend == pytest.approx(1 / 2000)


def test_the_parts_of_all_documents_make_the_whole_spread() -> None:
    theta, sets = themes(60, 3, 5), np.arange(60) % 4
    compared = significance.between(theta, sets, 4, permutations=199)
    overall = theta.mean(axis=0)
    parts = (compared.shares[sets] - overall) * (theta - overall)
    np.testing.assert_allclose(parts.sum(axis=0), compared.spread)


def shuffled(rng: np.random.Generator, seed: int, permutations: int) -> periods.OverTime:
    """60 documents of five topics, dated at random within four years."""
    theta = rng.dirichlet(np.full(5, 0.2), 60)
    dates = dated(rng.integers(0, 4 * 365, 60))
    return periods.over_time(mixtures(theta), dates, "year", seed=seed, permutations=permutations)


def test_shuffled_dates_raise_alarms_no_more_often_than_the_level_says() -> None:
    """Under shuffled dates every alarm is false, so the part of runs with any is the false discovery rate."""
    rng = np.random.default_rng(7)
    runs, alarms = 80, 0
    for run in range(runs):
        found = shuffled(rng, run, 399)
        alarms += any(line.changes for line in found.timelines)
    assert alarms / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
def test_shuffled_dates_raise_alarms_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(11)
    runs, alarms, rejected = 400, 0, 0.0
    for run in range(runs):
        found = shuffled(rng, run, 1999)
        alarms += any(line.changes for line in found.timelines)
        rejected += float(np.mean([line.p_spread <= 0.05 for line in found.timelines])) / runs
    assert alarms / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert rejected == pytest.approx(0.05, abs=0.02)


def test_the_limits_for_many_documents_say_what_shuffling_says() -> None:
    theta = themes(2000, 4, 8)
    theta[:700, 1] += 0.02
    sets = np.arange(2000) // 500
    shuffling = significance.between(theta, sets, 4, permutations=999)
    tiled = np.tile(theta, (1, 40))  # the same weights, too many to shuffle
    assert significance.number_of_permutations(tiled) == 0
    limit = significance.between(tiled, sets, 4)
    np.testing.assert_allclose(limit.p[:4], shuffling.p, atol=0.05)
    np.testing.assert_array_equal(limit.shares[:, :4], shuffling.shares)
    days = dated(np.random.default_rng(2).integers(0, 2000, 2000))
    by_shuffling = periods.over_time(mixtures(theta), days, "year", permutations=999)
    at_limit = periods.over_time(mixtures(tiled), days, "year")
    assert at_limit.permutations == 0
    p = {line.topic.number: line.p_trend for line in at_limit.timelines}
    assert all(abs(p[line.topic.number] - line.p_trend) < 0.05 for line in by_shuffling.timelines)
    values = [(row + 1, "a" if row < 300 else "b") for row in range(2000)]
    few = groups.compare(mixtures(theta), values, "type", permutations=999).groups[1]
    many = groups.compare(mixtures(tiled), values, "type").groups[1]
    assert [c.p for c in many.contrasts[:4]] == pytest.approx([c.p for c in few.contrasts], abs=0.05)


def test_the_unit_is_the_finest_that_gives_few_periods() -> None:
    assert periods.unit_for(date(2020, 1, 5), date(2021, 3, 1)) == "month"
    assert periods.unit_for(date(2014, 3, 12), date(2019, 12, 10)) == "quarter"
    assert periods.unit_for(date(1996, 5, 8), date(2026, 8, 5)) == "year"
    assert periods.unit_for(date(1790, 1, 1), date(2020, 1, 1)) == "decade"


@settings(max_examples=40, deadline=None)
@given(st.dates(date(1700, 1, 1), date(2100, 12, 31)), st.integers(0, 20_000), st.sampled_from(periods.UNITS))
def test_periods_follow_each_other_without_a_gap(first: date, length: int, unit: periods.Unit) -> None:
    last = min(first + timedelta(days=length), date(2100, 12, 31))
    days = {DocumentId(1): first, DocumentId(2): last, DocumentId(3): first}
    try:
        found = periods.over_time(mixtures(np.array([[1.0, 0], [0, 1], [1, 0]])), days, unit, permutations=1)
    except BadQuery:
        return
    for before, after in pairwise(found.periods):
        assert after.first == before.last + timedelta(days=1)
    assert found.periods[0].first <= first <= found.periods[0].last
    assert found.periods[-1].first <= last <= found.periods[-1].last


def test_undated_documents_are_left_out_and_counted() -> None:
    days = dated(np.array([0, 400, 800, 1000]))
    del days[DocumentId(2)]
    found = periods.over_time(mixtures(themes(4, 2, 0)), days, "year")
    assert (found.documents, found.undated) == (3, 1)
    assert found.periods[1].documents == 0
    assert all(line.shares[1] is None for line in found.timelines)


def test_too_few_dates_are_refused_with_their_number() -> None:
    with pytest.raises(BadQuery, match="only 2 documents with topics have a date"):
        periods.over_time(mixtures(themes(2, 2, 0)), dated(np.array([0, 400])))
    with pytest.raises(BadQuery, match="lie in 2001; ask for a shorter period"):
        periods.over_time(mixtures(themes(3, 2, 0)), dated(np.array([0, 1, 2])), "year")


# ------------------------------------------------------------------------------ groups


def test_a_group_is_compared_with_all_others_that_have_a_value() -> None:
    theta = themes(40, 3, 1)
    values = [(row + 1, "a" if row < 10 else "b") for row in range(35)]
    found = groups.compare(mixtures(theta), values, "type", permutations=199)
    assert [(group.value, group.documents) for group in found.groups] == [("b", 25), ("a", 10)]
    assert found.documents == 35
    contrast = found.groups[1].contrasts[2]
    assert contrast.share == pytest.approx(theta[:10, 2].mean())
    assert contrast.rest == pytest.approx(theta[10:35, 2].mean())


def test_what_a_group_has_more_of_is_found_and_the_rest_is_not() -> None:
    theta = themes(120, 5, 4)
    theta[:30] *= 0.3
    theta[:30, 3] += 0.7
    values = [(row + 1, "mine" if row < 30 else "theirs") for row in range(120)]
    mine = next(g for g in groups.compare(mixtures(theta), values, "author").groups if g.value == "mine")
    assert [c.topic.number for c in mine.contrasts if c.differs and c.log_odds > 0] == [3]
    assert mine.contrasts[3].low > 0


def test_intervals_of_the_log_odds_hold_the_truth_about_as_often_as_they_say() -> None:
    """Beta weights with means .3 in the group and .2 in the rest; 95 % intervals."""
    rng = np.random.default_rng(0)
    truth = np.log(0.3 / 0.7) - np.log(0.2 / 0.8)
    inside, runs = 0, 300
    values = [(row + 1, "a" if row < 40 else "b") for row in range(120)]
    for _ in range(runs):
        weights = np.concatenate([rng.beta(0.9, 2.1, 40), rng.beta(0.6, 2.4, 80)])
        found = groups.compare(mixtures(np.stack([weights, 1 - weights], axis=1)), values, "type", permutations=1)
        contrast = next(g for g in found.groups if g.value == "a").contrasts[0]
        inside += contrast.low <= truth <= contrast.high
    assert 0.91 <= inside / runs <= 0.985


def test_a_document_with_two_values_counts_in_both_groups() -> None:
    values = [(row + 1, "a") for row in range(12)] + [(row + 1, "b") for row in range(6, 20)]
    found = groups.compare(mixtures(themes(20, 2, 0)), values, "meta.tags", permutations=99)
    assert [(group.value, group.documents) for group in found.groups] == [("b", 14), ("a", 12)]


def test_values_with_too_few_documents_are_refused_with_a_reason() -> None:
    values = [(row + 1, f"author {row % 7}") for row in range(20)]
    with pytest.raises(BadQuery, match="no value of author is carried by 5 documents"):
        groups.compare(mixtures(themes(20, 2, 0)), values, "author")
