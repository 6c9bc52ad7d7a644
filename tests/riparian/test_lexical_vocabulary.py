"""What an unknown word may have been: words that a scanner, or a slip, makes of each other."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riparian.lexical.vocabulary import SHORTEST, Vocabulary, as_scanned, reach

HELD = Vocabulary([("modern", 9), ("modem", 2), ("tumor", 4), ("candidate", 30), ("cat", 5), ("2041", 3)])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("candiclate", "candidate"),  # d read as cl
        ("rnodern", "modern"),
        ("tum0r", "tumor"),
        ("candldate", "candidate"),
        ("cndidate", "candidate"),
        ("canddiate", "candidate"),  # two letters swapped
        ("candidates", "candidate"),
    ],
)
def test_the_nearest_word_is_the_one_that_was_meant(typed: str, meant: str):
    assert HELD.near(typed)[0].word == meant


def test_of_equally_near_words_the_one_with_the_fewer_changed_letters_then_the_more_frequent_comes_first():
    held = Vocabulary([("modern", 9), ("modem", 20), ("model", 99)])
    assert [one.word for one in held.near("rnodern")] == [
        "modern",
        "modem",
        "model",
    ]  # alike to a scanner; fewer letters differ
    assert [one.word for one in Vocabulary([("cable", 1), ("fable", 3), ("table", 2)]).near("xable")] == [
        "fable", "table", "cable",
    ]  # fmt: skip


def test_short_words_and_numbers_are_like_nothing():
    assert HELD.near("cap") == HELD.near("2042") == HELD.near("20415") == []
    words = ("worl", "world", "worldly", "worldlys", "vps4a", "12345a")
    assert [reach(one) for one in words] == [None, 1, 1, 2, 0, None]


def test_a_name_with_a_digit_is_taken_for_what_a_scanner_makes_of_it_alone():
    held = Vocabulary([("vps4a", 3), ("tumor", 3)])
    assert held.near("vps9a") == []
    assert [one.word for one in held.near("tum0r")] == ["tumor"]


def test_what_is_held_is_known_with_its_documents_and_is_not_like_itself():
    assert (HELD.documents("candidate"), HELD.documents("candidates")) == (30, 0)
    assert "candidate" not in [one.word for one in HELD.near("candidate")]


@given(st.text("abcdefghilmnorstuvw", min_size=SHORTEST, max_size=12), st.data())
def test_a_word_with_one_letter_dropped_is_near(word: str, data: st.DataObject):
    """Where no two letters are taken for one, before or after."""
    at = data.draw(st.integers(0, len(word) - 1))
    dropped = word[:at] + word[at + 1 :]
    assume(reach(dropped) and dropped != word)
    assume(len(as_scanned(word)) == len(word) and len(as_scanned(dropped)) == len(dropped))
    assert [one.word for one in Vocabulary([(word, 1)]).near(dropped)] == [word]
