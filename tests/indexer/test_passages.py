"""Passages cover the text, keep the limit, and prefer to end where the text ends something."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.passages import LONGEST, LONGEST_WORDS, split
from riparian.encoders.base import Offsets

TEXTS = st.one_of(
    st.text(alphabet=st.sampled_from("ab. \n!?A日。é"), max_size=600),
    st.lists(
        st.sampled_from(["One two three. ", "Four!\n", "\n\n", "word " * 30, "x" * 90, " ", "日本。", "Dr. No. "]),
        max_size=40,
    ).map("".join),
    st.text(max_size=200),
)


def tokens(text: str) -> Offsets:
    """Words cut into pieces of four characters, as a subword tokenizer would."""
    found = [match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def counted(text: str, start: int, end: int) -> int:
    return sum(start <= at < end for at, _ in tokens(text).tolist())


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(4, 40), st.integers(0, 3), st.sampled_from([0.0, 0.15, 0.4]))
def test_every_character_is_covered_within_the_limit_and_in_order(
    text: str, limit: int, reserve: int, overlap: float
) -> None:
    spans = split(text, offsets_of=tokens, max_tokens=limit, reserve=reserve, overlap=overlap)
    reached = 0
    for span in spans:
        assert span.start <= reached < span.end
        assert counted(text, span.start, span.end) <= max(1, limit - reserve)
        reached = span.end
    assert reached == len(text)
    assert [span.start for span in spans] == sorted({span.start for span in spans})


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(4, 40))
def test_joining_what_each_passage_adds_gives_the_text_back(text: str, limit: int) -> None:
    joined, reached = "", 0
    for span in split(text, offsets_of=tokens, max_tokens=limit):
        joined += text[reached : span.end]
        reached = span.end
    assert joined == text


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_splitting_twice_gives_the_same_spans(text: str) -> None:
    assert split(text, offsets_of=tokens, max_tokens=12) == split(text, offsets_of=tokens, max_tokens=12)


def test_an_empty_text_has_no_passages() -> None:
    assert split("", offsets_of=tokens, max_tokens=10) == []


def test_a_short_text_is_one_passage() -> None:
    assert [(s.start, s.end) for s in split(" One. Two. \n", offsets_of=tokens, max_tokens=10)] == [(0, 12)]


def test_a_text_just_over_the_limit_becomes_two_passages_of_about_equal_size() -> None:
    text = "Ten words make up this one plain short sentence here. " * 30
    spans = split(text, offsets_of=word_tokens, max_tokens=254, overlap=0.0)
    sizes = [len(text[s.start : s.end].split()) for s in spans]
    assert sizes == [150, 150]


def test_passages_end_at_a_blank_line_when_one_is_near() -> None:
    paragraph = "Alpha beta gamma delta. " * 11
    text = paragraph + "\n\n" + "Alpha beta gamma delta. " * 16
    first, *_ = split(text, offsets_of=word_tokens, max_tokens=60, overlap=0.0)
    assert first.end == len(paragraph) + 2


def test_a_heading_goes_with_what_follows() -> None:
    paragraph = "Alpha beta gamma delta. " * 11
    text = paragraph + "\n\nThe next section\n\n" + paragraph
    first, *_ = split(text, offsets_of=word_tokens, max_tokens=60, overlap=0.0)
    assert text[first.end :].startswith("The next section")


def test_a_passage_repeats_the_last_whole_sentence_of_the_one_before() -> None:
    text = "".join(f"Sentence number {i} has exactly eight words inside. " for i in range(12))
    first, second, *_ = split(text, offsets_of=word_tokens, max_tokens=40, overlap=0.2)
    repeated = text[second.start : first.end]
    assert re.fullmatch(r"Sentence number \d+ has exactly eight words inside\. ", repeated)


def test_a_sentence_beyond_the_limit_is_broken_at_words() -> None:
    text = " ".join(f"w{i:03}" for i in range(100))
    pieces = [text[s.start : s.end] for s in split(text, offsets_of=word_tokens, max_tokens=30, overlap=0.0)]
    assert [len(piece.split()) for piece in pieces] == [25, 25, 25, 25]


def test_a_table_is_broken_at_line_ends() -> None:
    text = "".join(f"{i}\tvalue {i}\n" for i in range(100))
    spans = split(text, offsets_of=word_tokens, max_tokens=40, overlap=0.0)
    assert all(text[s.end - 1] == "\n" for s in spans)


def test_a_word_without_end_is_cut_into_readable_passages() -> None:
    text = "x" * 100_000
    spans = split(text, offsets_of=word_tokens, max_tokens=254)
    assert max(s.end - s.start for s in spans) <= 254 * 64


@pytest.mark.parametrize("character", ["漢", "x "])
def test_without_a_limit_passages_hold_two_hundred_words(character: str) -> None:
    text = character * 2000
    spans = split(text, overlap=0.0)
    assert len(spans) == 2000 // LONGEST_WORDS // (2 if character == "漢" else 1)


def test_an_encoder_that_takes_whole_books_still_gets_passages() -> None:
    text = "Some words follow each other here. " * 2000
    assert (
        max(len(text[s.start : s.end].split()) for s in split(text, offsets_of=word_tokens, max_tokens=8192)) <= LONGEST
    )


def test_a_book_is_tokenized_once() -> None:
    asked: list[int] = []

    def counting(text: str) -> Offsets:
        asked.append(len(text))
        return word_tokens(text)

    text = "A sentence of some words. " * 20_000
    split(text, offsets_of=counting, max_tokens=254)
    assert asked == [len(text)]


def word_tokens(text: str) -> Offsets:
    return np.array([match.span() for match in re.finditer(r"\S+", text)], dtype=np.int64).reshape(-1, 2)
