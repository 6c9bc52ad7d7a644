"""Finding senses among vectors, the tree of joins, company, and change over time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from riparian.errors import Invalid
from riparian.types import Span
from senses import labels, tree
from senses.assign import assigned
from senses.change import Dated, change
from senses.company import bags
from senses.evidence import Background
from senses.induce import FEWEST, induce
from senses.views import Views
from tests.senses.conftest import cloud

WIDTH = 24


def views(centres: int, sizes: tuple[int, ...], seed: int = 0, spread: float = 0.12) -> Views:
    axes = np.eye(WIDTH)[:centres]
    if centres > 1:  # what all share is taken away, as the archive's mean is
        axes[:, :centres] -= 1 / centres
    return Views(*(cloud(axes, sizes, spread, seed + number) for number in range(4)))


def own_words(sizes: tuple[int, ...]) -> csr_array:
    """Each heap has a word of its own near it."""
    return csr_array(np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0))


def nothing_near(rows: int) -> csr_array:
    return csr_array((rows, 1), dtype=np.float32)


FLAT = Background(*(np.zeros(WIDTH, dtype=np.float32) for _ in range(3)))


def test_two_heaps_are_two_senses_and_the_small_one_is_found() -> None:
    apart = views(2, (100, 20))
    alike = Views(views(1, (120,)).token, apart.context, apart.window, apart.sentence)
    found = induce(alike, own_words((100, 20)), FLAT)
    assert sorted(np.bincount(found.labels()).tolist()) == [20, 100]
    assert len(set(found.labels()[100:])) == 1


def test_one_heap_is_one_sense() -> None:
    found = induce(views(1, (120,)), own_words((120,)), FLAT)
    assert found.labels().tolist() == [0] * 120
    assert found.division == (tuple(range(found.finest)),)


def test_too_few_occurrences_are_one_sense() -> None:
    found = induce(views(2, (6, 5)), nothing_near(11), FLAT)
    assert FEWEST > 11
    assert found.labels().tolist() == [0] * 11


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_occurrences_changes_nothing(random: object) -> None:
    given_views = views(3, (40, 30, 8), seed=3, spread=0.2)
    order = np.arange(78)
    random.shuffle(order)  # type: ignore[attr-defined]
    before = induce(given_views, nothing_near(78), FLAT).labels()
    after = induce(given_views.take(order), nothing_near(78), FLAT).labels()
    assert after.tolist() == before[order].tolist()


def test_every_division_of_the_tree_holds_each_group_once() -> None:
    found = induce(views(3, (40, 30, 8)), nothing_near(78), FLAT)
    for senses in range(1, found.finest + 1):
        division = tree.cut_into(found.tree, found.finest, senses)
        assert len(division) == senses
        assert sorted(group for groups in division for group in groups) == list(range(found.finest))
    with pytest.raises(Invalid, match="not"):
        tree.cut_into(found.tree, found.finest, found.finest + 1)


def test_splitting_what_was_joined_last_gives_its_two_parts() -> None:
    joins = [(0, 1, 2.0), (2, 3, 1.0), (4, 5, -1.0)]
    assert tree.split(joins, 4, (0, 1, 2, 3)) == [(0, 1), (2, 3)]
    assert tree.split(joins, 4, (0, 2)) == [(0,), (2,)]
    with pytest.raises(Invalid, match="split"):
        tree.split(joins, 4, (3,))


def test_company_is_what_stands_near_one_sense_more_than_near_the_other() -> None:
    sentences = ["bank loan credit"] * 6 + ["bank river reeds"] * 6
    found = bags(sentences, [Span(0, 4)] * 12)
    sense = np.array([0] * 6 + [1] * 6)
    company = labels.company_of(found, sense, 2)
    assert [{one.word for one in words} for words in company] == [{"loan", "credit"}, {"river", "reeds"}]
    assert {one.count for one in company[0]} == {6}
    assert company[0][0].weight == pytest.approx(2 * 12 * np.log(2), abs=1e-3)  # perfect separation of 6 and 6


def test_new_rows_join_the_group_of_their_neighbours() -> None:
    known, fresh = views(2, (30, 30), seed=1), views(2, (5, 5), seed=50)
    groups, doubt = assigned(known, np.array([0] * 30 + [1] * 30), fresh)
    assert groups.tolist() == [0] * 5 + [1] * 5
    assert doubt.max() < 0.5


def drawn(shares: tuple[float, ...], seed: int) -> list[Dated]:
    """Documents a month apart, three occurrences each; the share of sense 1 follows `shares`."""
    draw = np.random.default_rng(seed)
    found = []
    for document in range(60):
        share = shares[document * len(shares) // 60]
        day = date(2000, 1, 1) + timedelta(days=30 * document)
        own = float(draw.beta(8 * share + 0.5, 8 * (1 - share) + 0.5))  # occurrences of a document go together
        found += [Dated(document, day, int(draw.random() < own)) for _ in range(3)]
    return found


def test_a_change_of_senses_is_told_and_its_documents_are_named() -> None:
    found = change(drawn((0.05, 0.95), 1), 2)
    assert found.p is not None and found.p <= 0.01
    assert found.periods[0].shares[1] < 0.4 < 0.6 < found.periods[-1].shares[1]
    assert found.turning and set(found.turning) <= set(range(60))
    assert sum(period.occurrences for period in found.periods) == 180


def test_false_alarms_are_as_rare_as_they_are_said_to_be() -> None:
    alarms = sum((change(drawn((0.3,), seed), 2, draws=99).p or 1) <= 0.1 for seed in range(150))
    assert 5 <= alarms <= 26  # 15 expected; the bounds hold but once in a thousand


def test_too_few_documents_tell_nothing_of_change() -> None:
    few = [Dated(number, date(2000 + number, 1, 1), number % 2) for number in range(5)]
    assert change(few, 2).p is None
    assert change([], 2).periods == ()
