"""Words of all topics chosen together: as many as asked, those that belong together, none in many topics."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topics import fuzzy
from topics.pairs import Ints, Reals


def coherences(rng: np.random.Generator, words: int) -> Reals:
    values = rng.normal(0.1, 0.1, (words, words))
    values = (values + values.T) / 2
    np.fill_diagonal(values, 0)
    return np.asarray(values)


def pool(*words: int) -> Ints:
    return np.array(words, np.int64)


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(0, 14), max_size=5), words=st.integers(1, 8), seed=st.integers(0, 99))
def test_as_many_different_words_of_the_pool_as_asked(sizes: list[int], words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pools = [rng.permutation(20)[:size].astype(np.int64) for size in sizes]
    made = fuzzy.choose(pools, coherences(rng, 20), rng.random((len(pools), 20)), fuzzy.Cooling(words))
    for chosen, given_pool in zip(made, pools, strict=True):
        assert len(chosen) == len(set(chosen)) == min(words, len(given_pool))
        assert set(chosen) <= set(given_pool.tolist())


def test_words_that_belong_together_are_chosen() -> None:
    together = np.full((8, 8), -0.2)
    together[:4, :4] = together[4:, 4:] = 0.3
    np.fill_diagonal(together, 0)
    gains = np.array([[0.1, 0, 0, 0, 0.1, 0.1, 0, 0.05]])
    made = fuzzy.choose([pool(*range(8))], together, gains, fuzzy.Cooling(words=4))
    assert set(made[0]) == {4, 5, 6, 7}


@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_a_word_of_two_topics_stays_where_it_is_worth_more_if_repeating_costs(cost: float) -> None:
    gains = np.array([[0.5, 0.1, 0.3], [0.4, 0.1, 0.3]])
    settings = fuzzy.Cooling(words=1, repeat_cost=cost)
    made = fuzzy.choose([pool(0, 1), pool(0, 2)], np.zeros((3, 3)), gains, settings)
    assert made == ([[0], [2]] if cost else [[0], [0]])


def test_what_differs_by_rounding_alone_falls_the_same_way() -> None:
    rng = np.random.default_rng(4)
    pools, coherence = [pool(*range(12)), pool(*range(6, 20))], coherences(rng, 20)
    gains = np.full((2, 20), 0.2)
    noise = coherence + 1e-12 * coherences(rng, 20)
    assert fuzzy.choose(pools, noise, gains) == fuzzy.choose(pools, coherence, gains)


def test_equal_words_are_taken_in_the_order_of_the_pool() -> None:
    assert fuzzy.choose([pool(7, 3, 5, 1)], np.zeros((8, 8)), np.zeros((1, 8)), fuzzy.Cooling(words=2)) == [[7, 3]]


def test_nothing_is_chosen_from_nothing() -> None:
    assert fuzzy.choose([pool(), pool()], np.zeros((0, 0)), np.zeros((2, 0))) == [[], []]


def test_samples_agree_more_than_their_best_sets_do() -> None:
    sets = np.array(list(itertools.combinations(range(14), 5)))
    pairs = list(itertools.combinations(range(5), 2))
    best, cooled = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = coherences(rng, 14)
        seen = [truth + (coherences(rng, 14) - 0.1) * (1 - np.eye(14)) / 2 for _ in range(8)]
        best.append([set(sets[sum(one[sets[:, i], sets[:, j]] for i, j in pairs).argmax()].tolist()) for one in seen])
        settings = fuzzy.Cooling(words=5, temperature=0.1)
        cooled.append([set(fuzzy.choose([pool(*range(14))], one, np.zeros((1, 14)), settings)[0]) for one in seen])
    assert agreement(cooled) > agreement(best) + 0.02


def agreement(samples: list[list[set[int]]]) -> float:
    """Mean Jaccard of two samples of one truth."""
    return float(np.mean([len(a & b) / len(a | b) for sets in samples for a, b in itertools.combinations(sets, 2)]))
