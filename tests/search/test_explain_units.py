"""Tokens put together to words, stretches of words, and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.encoders.hashing import HashingEncoder
from search.explain.estimated import STRETCHES, stretches
from search.explain.kept import Kept
from search.explain.units import summed, units

TEXT = st.text(alphabet="ab é'-.,3水路\n", max_size=40)


def cut(text: str) -> list[str]:
    [tokens] = HashingEncoder(16).tokenize([text])
    return [text[unit.start : unit.end] for unit in units(text, tokens.offsets)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The well-known don't.", ["The", "well-known", "don't", "."]),
        ("3.14 (pi)", ["3.14", "(", "pi", ")"]),
        ("", []),
        ("a b", ["a", "b"]),
    ],
)
def test_pieces_join_to_words_and_signs_stand_alone(text: str, words: list[str]) -> None:
    assert cut(text) == words


def test_a_script_without_blanks_is_left_in_the_encoders_pieces() -> None:
    offsets = np.array([[0, 1], [1, 3], [3, 4], [4, 9]])
    found = units("水道水。river", offsets)
    assert [(unit.start, unit.end, unit.is_word) for unit in found] == [
        (0, 1, True),
        (1, 3, True),
        (3, 4, False),
        (4, 9, True),
    ]


@given(TEXT)
def test_every_token_is_in_one_unit_and_units_stand_in_order(text: str) -> None:
    [tokens] = HashingEncoder(16).tokenize([text])
    found = units(text, tokens.offsets)
    assert sorted(token for unit in found for token in unit.tokens) == list(range(len(tokens.tokens)))
    assert [unit.start for unit in found] == sorted(unit.start for unit in found)
    vectors = np.eye(len(tokens.tokens), dtype=np.float32)
    np.testing.assert_array_equal(summed(found, vectors).sum(axis=0), np.ones(len(tokens.tokens)))


@given(TEXT)
def test_stretches_cover_every_unit_in_few_parts(text: str) -> None:
    [tokens] = HashingEncoder(16).tokenize([text])
    found = units(text, tokens.offsets)
    parts = stretches(found)
    assert [token for part in parts for token in part.tokens] == [token for unit in found for token in unit.tokens]
    assert len(parts) <= STRETCHES and bool(parts) == bool(found)


def test_what_is_kept_is_made_once_and_the_least_used_is_forgotten() -> None:
    made: list[list[str]] = []

    def make(keys: list[str]) -> list[int]:
        made.append(keys)
        return [len(key) for key in keys]

    kept: Kept[str, int] = Kept(5, lambda size: size)
    assert kept.many(["aa", "b", "aa"], make) == [2, 1, 2]
    assert kept.many(["b", "aa"], make) == [1, 2]
    assert kept.many(["cccc"], make) == [4]
    assert kept.many(["aa"], make) == [2]
    assert made == [["aa", "b"], ["cccc"], ["aa"]]
