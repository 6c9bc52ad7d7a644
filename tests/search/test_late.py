"""Late interaction: MaxSim as a loop over tokens says it, and what weighs in a query."""

from __future__ import annotations

from math import log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.vectors.token_states import main_directions, projected, restored, rounded
from search.late import Wanted, nearest_of, wanted
from tests.search.stated import StatedEncoder
from tests.search.world import World


def by_hand(query, weights, passage):
    """Khattab and Zaharia, equation 3, word for word."""
    total = 0.0
    for row, weight in zip(query, weights, strict=True):
        best = -1.0
        for other in passage:
            best = max(best, sum(float(a) * float(b) for a, b in zip(row, other, strict=True)))
        total += float(weight) * best
    return total


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6), asked=st.integers(1, 5))
def test_scores_are_those_of_a_loop_over_the_tokens(seed, lengths, asked):
    chance = np.random.default_rng(seed)
    states = [chance.normal(size=(length, 12)).astype(np.float32) for length in lengths]
    query = chance.normal(size=(asked, 12)).astype(np.float32)
    weights = chance.dirichlet(np.ones(asked))
    bases = [main_directions(chance.normal(size=(30, 12)).astype(np.float32), width) for width in (5, 12)]
    # passages of two bases, as where an encoder's states were kept along other directions later
    passages = {10 + n: (bases[n % 2], rounded(rows, bases[n % 2])) for n, rows in enumerate(states)}
    found = Wanted(query, weights).scores(passages)
    assert sorted(found) == [10 + n for n, length in enumerate(lengths) if length]
    for passage, score in found.items():
        basis, rows = passages[passage]
        assert score == pytest.approx(by_hand(projected(query, basis), weights, restored(rows)), abs=1e-5)


def wanted_of(world: World, text: str) -> Wanted | None:
    _, [states] = StatedEncoder(64).encode_both([text], "query", lambda rows: rows)
    return wanted(text, states, world.lexical.index(world.id))


def rows_of(*tokens: str):
    return np.stack([one.vectors[0] for one in StatedEncoder(64).encode_tokens(tokens)])


def test_a_word_weighs_its_rarity_and_a_stop_word_nothing(archive):
    found = wanted_of(archive, "the river, the invoice")
    assert found is not None
    assert found.states == pytest.approx(rows_of("river", "invoice"))
    # "river" is in two of the five documents, "invoice" in one
    rarities = np.array([log1p(3.5 / 2.5), log1p(4.5 / 1.5)])
    assert found.weights == pytest.approx(rarities / rarities.sum())


def test_a_word_of_no_document_weighs_the_most(archive):
    found = wanted_of(archive, "invoice glacier")
    assert found is not None
    assert found.weights == pytest.approx(np.array([log1p(3), log1p(11)]) / (log1p(3) + log1p(11)))


def test_stop_words_weigh_alike_where_there_is_nothing_else_and_signs_ask_for_nothing(archive):
    found = wanted_of(archive, "of the")
    assert found is not None
    assert found.weights.tolist() == [0.5, 0.5]
    assert wanted_of(archive, "?! ...") is None


def test_the_nearest_passages_of_a_document_are_compared_equal_ones_by_id():
    passages, owners = np.array([1, 2, 3, 4, 5]), np.array([7, 7, 7, 8, 8])
    assert nearest_of(passages, owners, {1: 0.1, 2: 0.3, 3: 0.3, 5: -0.5}, 2) == [2, 3, 5, 4]
