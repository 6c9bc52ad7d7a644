"""From an encoder's tokens to words: the first token's vector, or the mean of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.encoders.base import Encoding
from riparian.encoders.words import align, spans


def encoding(*parts: tuple[str, int, int, list[float], bool]) -> Encoding:
    tokens, starts, ends, rows, known = zip(*parts, strict=True)
    return Encoding(
        tokens,
        np.array([starts, ends], dtype=np.int64).T,
        np.array(rows, dtype=np.float32),
        np.array(known, dtype=np.bool_),
    )


UNAFRAID = encoding(
    ("una", 0, 3, [1, 0], True), ("##fra", 3, 6, [0, 1], True), ("##id", 6, 8, [2, 5], True), ("!", 8, 9, [9, 9], True)
)


def test_words_are_runs_of_letters_and_digits() -> None:
    text = "Ça va, 3.14?  naïve_x 日本"

    assert [text[start:end] for start, end in spans(text)] == ["Ça", "va", "3", "14", "naïve_x", "日本"]


def test_a_word_takes_the_mean_of_its_pieces_or_the_first_of_them() -> None:
    words = spans("unafraid!")

    assert align(UNAFRAID, words).vectors.tolist() == [[1, 2]]
    assert align(UNAFRAID, words, "first").vectors.tolist() == [[1, 0]]


@pytest.mark.parametrize(("pooling", "expected"), [("first", [0, 1]), ("mean", [1, 3])])
def test_unknown_pieces_do_not_count(pooling: str, expected: list[float]) -> None:
    found = encoding(("una", 0, 3, [0, 0], False), ("fra", 3, 6, [0, 1], True), ("id", 6, 8, [2, 5], True))

    words = align(found, [(0, 8)], pooling)  # type: ignore[arg-type]

    assert words.vectors.tolist() == [expected]
    assert words.known.tolist() == [True]


def test_a_word_without_a_known_piece_is_flagged_and_zero() -> None:
    found = encoding(("una", 0, 3, [0, 0], False), ("", 4, 4, [7, 7], True))

    words = align(found, [(0, 3), (4, 8)])

    assert words.known.tolist() == [False, False]
    assert not words.vectors.any()


def test_a_piece_over_two_words_counts_for_both() -> None:
    found = encoding(("New York", 0, 8, [3, 4], True))

    assert align(found, spans("New York")).vectors.tolist() == [[3, 4], [3, 4]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_one_piece_a_word_gives_the_pieces_back(lengths: list[int]) -> None:
    ends = np.cumsum([length + 1 for length in lengths]) - 1
    words = [(int(end) - length, int(end)) for end, length in zip(ends, lengths, strict=True)]
    rows = np.random.default_rng(1).normal(size=(len(words), 3)).astype(np.float32)
    found = Encoding(tuple("x" * n for n in lengths), np.array(words), rows, np.ones(len(words), dtype=np.bool_))

    assert np.array_equal(align(found, words).vectors, rows)
    assert np.array_equal(align(found, words, "first").vectors, rows)
