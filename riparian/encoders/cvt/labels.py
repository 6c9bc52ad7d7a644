"""Where tags come from: files of tagged sentences, or the casing of any text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from riparian.errors import MissingPath, UnreadableFile

_BLANK = re.compile(r"[ \t]+")

LOWER, CAPITALISED, UPPER, MIXED = CASES = ("lower", "Capitalised", "UPPER", "mixed")


class TaggedSentence(NamedTuple):
    """Words with a tag each; "" = none known."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


def read_tagged(path: Path) -> tuple[TaggedSentence, ...]:
    """The sentences of a UTF-8 file of lines ``word tag``, blank lines between sentences.

    Raises MissingPath, and UnreadableFile naming the first line that is not a word and a tag.
    """
    if not path.is_file():
        raise MissingPath(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, f"is not UTF-8 ({error.reason} at byte {error.start})") from error
    found = tuple(_sentences(path, lines))
    if not found:
        raise UnreadableFile(path, "holds no line of a word and a tag")
    return found


def case_of(word: str) -> str:
    """One of CASES; "" for a word without cased letters. A single capital letter counts as Capitalised."""
    cased = [letter for letter in word if letter.lower() != letter.upper()]
    large = [letter != letter.lower() for letter in cased]
    if not cased:
        return ""
    if not any(large):
        return LOWER
    if large[0] and not any(large[1:]):
        return CAPITALISED
    return UPPER if all(large) else MIXED


def cased(words: Sequence[str]) -> TaggedSentence:
    """The words in lower case, tagged with how they were written."""
    return TaggedSentence(tuple(word.lower() for word in words), tuple(case_of(word) for word in words))


def _sentences(path: Path, lines: Sequence[str]) -> Iterator[TaggedSentence]:
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        fields = [field for field in _BLANK.split(line.rstrip("\r")) if field]
        if fields and len(fields) != 2:
            raise UnreadableFile(path, f"line {number}: expected a word and its tag, found {len(fields)} fields")
        if fields:
            words.append(fields[0])
            tags.append(fields[1])
        elif words:
            yield TaggedSentence(tuple(words), tuple(tags))
            words, tags = [], []
