"""Bytes become clean text, dates become days, and a language is named only when it is sure."""

from __future__ import annotations

import codecs
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.assemble import Assembly, line_anchors
from indexer.readers.base import Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean, decode, json_value
from indexer.readers.language import detect_language, language_code
from riparian.types import Anchor
from tests.indexer.reading import failure_of, read_one

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний."
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。"
CZECH = "Řeka se vylila z břehů a lidé museli opustit své domy. Příliš žluťoučký kůň úpěl ďábelské ódy u potoka."
POLISH = "Rzeka wylała z brzegów, a mieszkańcy musieli opuścić swoje domy. Zażółć gęślą jaźń nad brzegiem potoku."
CHINESE = "河水上涨，漫过了堤岸，居民们不得不离开自己的家园。银行宣布明天关门，等待洪水退去之后再重新营业。"
KOREAN = (
    "강물이 불어나 둑을 넘었고 주민들은 집을 떠나야 했다. 은행은 내일 문을 닫고 홍수가 물러가기를 기다린다고 발표했다."
)
FRENCH = "L'été dernier, nous avons passé nos vacances à la mer. Où étiez-vous ? Çà et là, des bateaux s'éloignaient."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp866"),
        (CZECH, "cp1250"),
        (POLISH, "cp1250"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16-le"),
        (KOREAN, "euc_kr"),
        (JAPANESE, "iso2022_jp"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (FRENCH, "latin-1"),
        (FRENCH, "utf-8"),
        (FRENCH, "utf-16"),
        (FRENCH, "utf-8-sig"),
        (FRENCH, "utf-32"),
    ],
)
def test_text_in_any_encoding_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert read_one(tmp_path / "a.txt").text == text


def test_a_declared_encoding_is_believed_unless_it_cannot_be() -> None:
    assert decode("ñ".encode("cp850"), "cp850") == "ñ"
    assert decode("ñandú".encode(), "ascii") == "ñandú"
    assert decode("“ñ”".encode("cp1252"), "iso-8859-1") == "“ñ”"
    assert decode("ñ".encode(), "no-such-encoding") == "ñ"


def test_binary_data_is_not_text() -> None:
    with pytest.raises(Unreadable, match="not text"):
        decode(bytes(range(256)) * 20)
    with pytest.raises(Unreadable, match="not text"):
        decode(b"\0\1\2\3" * 1000)


@given(st.text(alphabet=st.characters(), max_size=200))
def test_clean_text_is_safe_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not {"\0", "\r", "\x0c", "\ufffe"} & set(cleaned)
    cleaned.encode("utf-8")


def test_line_ends_and_unseen_characters() -> None:
    assert clean("\ufeffa\r\nb\rc\u2028d\x00\x07\ud800e\u00a0f") == "a\nb\nc\nde f"


def test_json_values_are_finite_clean_and_shallow() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    value = json_value({"a\0": float("nan"), "b": date(2020, 1, 2), "c": {"d\ud800": (1, 2**70)}, "e": deep, "f": b"x"})
    assert value["a"] is None
    assert (value["b"], value["c"]) == ("2020-01-02", {"d": [1, str(2**70)]})
    assert isinstance(value["f"], str)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-01-02", date(2020, 1, 2)),
        ("2020-01-02T23:59:59+02:00", date(2020, 1, 2)),
        ("2020/1/2", date(2020, 1, 2)),
        ("20200102", date(2020, 1, 2)),
        ("D:20200423144218-04'00'", date(2020, 4, 23)),
        ("05-Jul-2001", date(2001, 7, 5)),
        ("July 5th, 2001", date(2001, 7, 5)),
        ("Monday, 1 October 2012", date(2012, 10, 1)),
        ("1er janvier 2020", date(2020, 1, 1)),
        ("5 de mayo de 2010", date(2010, 5, 5)),
        ("1. März 2020", date(2020, 3, 1)),
        ("Sat, 12 Jun 93 10:00:00 -0500", date(1993, 6, 12)),
        ("2001-07", date(2001, 7, 1)),
        ("1851", date(1851, 1, 1)),
        ("25/04/2020", date(2020, 4, 25)),
        ("03/04/2020", None),
        ("2020-13-45", None),
        ("hello", None),
        ("", None),
        (1_700_000_000, date(2023, 11, 14)),
        (1_700_000_000_000, date(2023, 11, 14)),
        (datetime(2020, 1, 2, 3), date(2020, 1, 2)),
        (None, None),
        (True, None),
        (float("inf"), None),
    ],
)
def test_dates_as_files_write_them(written: Any, expected: date | None) -> None:
    assert parse_date(written) == expected


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none()))
def test_no_value_breaks_the_reading_of_dates(value: Any) -> None:
    assert parse_date(value) is None or isinstance(parse_date(value), date)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUSSIAN, "ru"),
        (JAPANESE, "ja"),
        (FRENCH, "fr"),
        (FRENCH.upper(), "fr"),
        ("The river rose above its banks after three days of heavy rain.", "en"),
        ("ok", ""),
        ("12 34 56 78 90 " * 20, ""),
    ],
)
def test_a_language_is_named_when_it_is_sure(text: str, expected: str) -> None:
    assert detect_language(text) == expected


def test_declared_languages_become_codes() -> None:
    assert [language_code(code) for code in ("en-US", "eng", "Deutsch", "pt_BR", "und", "x-none", "")] == [
        *("en", "en", "de", "pt", "", "", ""),
    ]


def test_parts_are_joined_by_blank_lines_and_empty_ones_have_no_anchor() -> None:
    assembly = Assembly()
    for number, part in enumerate(["one\n", " \n", "two"], start=1):
        assembly.add(part, "page", number)
    assert assembly.text == "one\n\ntwo"
    assert assembly.anchors == (Anchor(0, "page", 1), Anchor(5, "page", 3))


def test_lines_are_counted_at_paragraphs() -> None:
    assert line_anchors("a\nb\n\n\nc\n \n  d") == (Anchor(0, "line", 1), Anchor(6, "line", 5), Anchor(12, "line", 7))


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    assert failure_of(tmp_path / "a.txt") == "the file is empty"
    (tmp_path / "b.txt").write_bytes(codecs.BOM_UTF8 + b" \n")
    assert failure_of(tmp_path / "b.txt") == "no text in it"
