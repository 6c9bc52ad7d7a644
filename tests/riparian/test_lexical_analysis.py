from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.lexical import analysis
from riparian.text import words


@pytest.mark.parametrize(
    ("text", "language", "stems"),
    [
        ("The running of the bulls", "en", ["run", "bull"]),
        ("Die Häuser und die Banken", "de", ["haus", "bank"]),
        ("Les nations unies", "fr", ["nation", "uni"]),
        ("Los bancos del río", "es", ["banc", "rio"]),
        ("реки и банки", "ru", ["рек", "банк"]),
        ("東京の首都", "ja", ["東京", "京の", "の首", "首都"]),
        ("The running", "", ["running"]),
        ("running", "tlh", ["running"]),
        ("Café", "en", ["cafe"]),
    ],
)
def test_stems_follow_the_language(text: str, language: str, stems: list[str]) -> None:
    assert analysis.stems(analysis.plain_words(text), language) == stems


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See CVE-2021-44228.", ["cve-2021-44228"]),
        ("(bob@Example.org),", ["bob@example.org"]),
        ("C++, C# and .NET", ["c++", "c#"]),
        ("https://example.org/a?b=1", ["https://example.org/a?b=1"]),
        ("x_y 3.14 1,000", ["x_y", "3.14", "1,000"]),
        ("well-known and/or it’s l'eau", []),
        ("plain words 42 b2b.", []),
        ("-- ... ++ 🙂", []),
        ("東京は、日本の首都です。", []),
        ("a" * 60 + "-1" + "b" * 60, []),
    ],
)
def test_identifiers_are_words_with_signs_as_they_are_written(text: str, found: list[str]) -> None:
    assert analysis.identifiers(text) == found


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_through_ascii_finds_the_same_words(text: str) -> None:
    assert analysis.plain_words(text) == [word.word[: analysis.LONGEST_WORD] for word in words(text)]


@given(st.text(), st.sampled_from(["", "en", "de", "ar", "el", "ja", "tr", "pl", "zz"]))
def test_every_text_can_be_analysed_in_every_language(text: str, language: str) -> None:
    stems = analysis.stems(analysis.plain_words(text), language)
    assert all(stem and not any(sign.isspace() for sign in stem) for stem in stems)
    assert all(name and not any(sign.isspace() for sign in name) for name in analysis.identifiers(text))


def test_the_language_of_a_query_shows_in_its_stop_words() -> None:
    assert analysis.guess_language(["the", "bank"], ["de", "en"]) == "en"
    assert analysis.guess_language(["die", "bank"], ["en", "de"]) == "de"
    assert analysis.guess_language(["bank"], ["fr", "en"]) == "fr"
    assert analysis.guess_language(["bank"], []) == ""
