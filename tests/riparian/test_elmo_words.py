"""How a text is cut into sentences of words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.elmo.words import cut


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("They don't, it's the U.S. rate: 3.14!", "They do n't , it 's the U.S. rate : 3.14 !"),
        ("A well-known 1,000-word café.", "A well-known 1,000 - word café ."),
        ("日本の川", "日 本 の 川"),
        ("Ducks (two) swim…", "Ducks ( two ) swim …"),
    ],
)
def test_words_are_cut_as_in_the_corpora_of_such_models(text: str, words: str) -> None:
    assert list(cut(text, 48).tokens.tokens) == words.split()


def test_each_sentence_is_a_range_of_words() -> None:
    found = cut("Ducks swim. The bank is closed!\n\nNobody came.", 48)

    assert [" ".join(found.tokens.tokens[start:end]) for start, end in found.sentences] == [
        "Ducks swim .",
        "The bank is closed !",
        "Nobody came .",
    ]


def test_a_word_of_more_bytes_than_the_model_reads_becomes_several() -> None:
    found = cut("x" * 100 + " é" + "é" * 30, 48)

    assert [len(word) for word in found.tokens.tokens] == [48, 48, 4, 24, 7]


@settings(deadline=None)
@given(st.text(max_size=80), st.integers(4, 48))
def test_every_character_that_is_not_white_space_lies_in_exactly_one_word(text: str, most: int) -> None:
    found = cut(text, most)

    seen = [at for start, end in found.tokens.offsets.tolist() for at in range(start, end)]
    assert len(seen) == len(set(seen))
    assert {at for at, letter in enumerate(text) if not letter.isspace()} <= set(seen)
    assert all(len(word.encode()) <= most for word in found.tokens.tokens)
    assert [at for part in found.sentences for at in range(*part)] == list(range(len(found.tokens.tokens)))
