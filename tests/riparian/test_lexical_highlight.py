from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.lexical.analysis import plain_words
from riparian.lexical.highlight import spans, within

TEXT = "The banks of the River were flooded; C++11 and C++ (see CVE-2021-44228). A bank lends the money quickly."


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("bank river", ["banks", "River", "bank"]),
        ("the bank", ["banks", "bank"]),
        ('"lends the money"', ["lends the money"]),
        ('"bank lends" money', ["bank lends", "money"]),
        ('"lends money"', []),
        ('"lends money"~1', ["lends the money"]),
        ("cve-2021-44228", ["CVE-2021-44228"]),
        ("flood*", ["flooded"]),
        ("rivre~1", ["River"]),
        ("money -bank", ["money"]),
        ("title:money", ["money"]),
        ("+money AND river", ["River", "money"]),
        ("of the", ["The", "of", "the", "the"]),
        ("nothing here", []),
    ],
)
def test_what_ranked_is_marked(query: str, marked: list[str]) -> None:
    assert [TEXT[span.start : span.end] for span in spans(query, TEXT, "en")] == marked


def test_marks_follow_the_language_of_the_text() -> None:
    text = "Die Häuser am Fluss"
    assert [text[s.start : s.end] for s in spans("haus", text, "de", ["en", "de"])] == ["Häuser"]
    assert spans("haus", text, "en", ["en", "de"]) == []


def test_stop_words_of_the_query_s_language_are_not_marked_elsewhere() -> None:
    text = "Das Buch heißt: the bank"
    assert [text[s.start : s.end] for s in spans("the bank", text, "de", ["en", "de"])] == ["bank"]


def test_chinese_and_japanese_are_marked_without_blanks() -> None:
    text = "東京は日本の首都です"
    assert [text[s.start : s.end] for s in spans("日本 首都", text, "ja")] == ["日本", "首都"]


@pytest.mark.parametrize(
    ("one", "other", "distance", "near"),
    [
        ("river", "river", 0, True),
        ("river", "rivers", 1, True),
        ("river", "rivre", 1, True),
        ("river", "rover", 1, True),
        ("river", "rovers", 1, False),
        ("river", "rovers", 2, True),
        ("ab", "ba", 1, True),
        ("", "ab", 2, True),
        ("abcdef", "badcfe", 2, False),
    ],
)
def test_distance_counts_inserted_dropped_changed_and_swapped_letters(
    one: str, other: str, distance: int, near: bool
) -> None:
    assert within(one, other, distance) is near
    assert within(other, one, distance) is near


QUERIES = st.one_of(st.text(max_size=30), st.sampled_from(["bank", '"a b"', "b*", "a~1", "x-1", "-a b"]))


@given(QUERIES.filter(plain_words), st.text(max_size=80))
@settings(deadline=None)
def test_marks_are_in_order_inside_the_text_and_apart(query: str, text: str) -> None:
    found = spans(query, text, "en")
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
