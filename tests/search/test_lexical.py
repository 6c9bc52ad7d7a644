"""What a query's operators mean for the side that does not search by words."""

from __future__ import annotations

import pytest

from riparian.lexical.query import parse
from search.lexical import Places, Words, constraints
from tests.search.world import World


@pytest.mark.parametrize("query", ["river storm", "river, storm?", "CVE-2021-44228", "river OR storm", "to be or not"])
def test_bare_words_constrain_nothing(query):
    assert constraints(parse(query)) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("+river storm", {1, 5}),
        ("river -storm", {2, 3, 4}),
        ('"the river"', {1}),
        ('"the river" boats', {1}),
        ("NOT river", {2, 3, 4}),
        ("river AND NOT storm", set()),
        ("riv*", {1, 5}),
        ("riv* dough", None),
        ('"the river" OR "the bread"', {1, 3}),
        ("(river AND storm) OR (bread AND oven)", {1, 3, 5}),
        ("title:bread", {3}),
    ],
)
def test_what_every_hit_must_meet(archive, query, found):
    layout_of_all = _AnyDocument()
    words = Words.of_query(archive.lexical.index(archive.id), query)
    eligible = words.eligible(layout_of_all)
    assert (None if eligible is None else set(eligible.tolist())) == found


@pytest.mark.parametrize(
    ("query", "meaning"),
    [
        ("What is a river's bank?", "What is a river's bank?"),
        ('"smooth river" -storm +boat', "smooth river boat"),
        ("title:flood riv* colour~1", "flood riv colour"),
        ("(river AND boat) NOT bread", "river boat"),
    ],
)
def test_an_encoder_is_given_what_the_query_asks_for(archive, query, meaning):
    assert Words.of_query(archive.lexical.index(archive.id), query).meaning == meaning


def test_in_a_pasted_text_nothing_is_an_operator(archive):
    words = Words.of_text(archive.lexical.index(archive.id), 'I did NOT see the -river "at night"')
    assert words.meaning == 'I did NOT see the -river "at night"'
    assert 5 in words.matches(None)


def test_shares_are_of_the_best_passage_of_the_same_document():
    assert Places({1: 7, 2: 7, 3: 8}, {1: 4.0, 2: 1.0, 3: 0.5}).shares() == {1: 1.0, 2: 0.25, 3: 1.0}


class _AnyDocument:
    """A layout to which every document belongs."""

    def has(self, documents):
        return documents >= 0


def test_passages_are_scored_by_their_own_words(archive: World):
    words = Words.of_query(archive.lexical.index(archive.id), "insurance invoice")
    with archive.database.read() as catalog:
        _, second = catalog.passages.of_document(1)
    places = words.places([1], 2)
    assert set(places.scores) == {second.id}
    assert places.documents[second.id] == 1
