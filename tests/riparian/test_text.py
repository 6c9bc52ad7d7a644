"""Words and sentences stand where they say, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.text import base_language, collapse, content_digest, fold, sentences, stop_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don’t STOP", ["don't", "stop"]),
        ("l'eau d’ici", ["l'eau", "d'ici"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("Straße", ["strasse"]),
        ("foo_bar x1 3.14", ["foo", "bar", "x1", "3", "14"]),
        ("日本語", ["日本", "本語"]),
        ("a漢b", ["a", "漢", "b"]),
        ("ﬁne Ⅳ", ["fine", "iv"]),
        ("— … !", []),
    ],
)
def test_words_are_found_and_folded(text: str, expected: list[str]) -> None:
    assert [word.word for word in words(text)] == expected


@given(st.text(max_size=300))
def test_a_word_is_the_folded_text_between_its_offsets(text: str) -> None:
    found = words(text)
    assert [fold(text[word.start : word.end]) for word in found] == [word.word for word in found]
    assert [word.start for word in found] == sorted(word.start for word in found)


def test_sentences_keep_abbreviations_together_and_leave_white_space_out() -> None:
    text = "  Dr. Smith went home at 5 p.m. today.  He slept 😀.\n\n Then nothing. \n"
    assert [text[span.start : span.end] for span in sentences(text, "en")] == [
        "Dr. Smith went home at 5 p.m. today.",
        "He slept 😀.",
        "Then nothing.",
    ]


def test_sentences_of_japanese_end_at_its_full_stop() -> None:
    text = "日本語の文です。次の文です！"
    assert [text[span.start : span.end] for span in sentences(text, "ja")] == ["日本語の文です。", "次の文です！"]


@given(st.text(max_size=300), st.sampled_from(["", "en", "de", "xx", "zh"]))
def test_sentences_hold_every_visible_character_in_order(text: str, language: str) -> None:
    spans = sentences(text, language)
    assert "".join("".join(text[span.start : span.end].split()) for span in spans) == "".join(text.split())


def test_the_digest_passes_over_line_breaks_and_composition_but_not_case() -> None:
    assert content_digest("cafe\u0301  au\nlait ") == content_digest("café au lait")
    assert content_digest("A") != content_digest("a")
    assert collapse(" a \n\t b ") == "a b"


def test_stop_words_are_folded_and_unknown_languages_have_none() -> None:
    assert {"the", "and", "don't"} <= stop_words("en-GB")
    assert "und" in stop_words("de")
    assert stop_words("xx") == frozenset()
    assert base_language("pt_BR") == "pt"
