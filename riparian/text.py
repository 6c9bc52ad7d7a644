"""Words and sentences of a text with where they stand, shared by lexical search, topics, passages and highlights."""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import regex
import sentencex

from riparian.types import Span

# Letters, digits and their combining marks; an apostrophe or middle dot between letters stays inside (don't, l'eau,
# col·legi). Scripts written without spaces match as a run of their own, to be cut into pairs.
_WORDS: Any = regex.compile(
    r"(?P<unspaced>[\p{Han}\p{Hiragana}\p{Katakana}ー々]+)"
    r"|[[\p{L}\p{N}\p{M}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
    r"(?:['’·][[\p{L}\p{M}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+)*",
    regex.VERSION1,
)
_SPACE: Any = regex.compile(r"\s+")


class Word(NamedTuple):
    """A word in folded form (NFKC, case-folded, straight apostrophe) and the code points it covers."""

    word: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Every word in reading order. Chinese and Japanese, having no spaces, give overlapping pairs of characters."""
    found: list[Word] = []
    for match in _WORDS.finditer(text):
        start, end = match.span()
        if match.group("unspaced") is not None:
            found.extend(_pairs(text, start, end))
        else:
            found.append(Word(fold(text[start:end]), start, end))
    return found


def _pairs(text: str, start: int, end: int) -> Iterator[Word]:
    if end - start == 1:
        yield Word(fold(text[start:end]), start, end)
    for left in range(start, end - 1):
        yield Word(fold(text[left : left + 2]), left, left + 2)


def fold(word: str) -> str:
    """The form in which words are compared: NFKC, case-folded, with a straight apostrophe."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


def sentences(text: str, language: str = "") -> list[Span]:
    """The sentences in order, each without the white space around it; white space alone is no sentence.

    `language` is an ISO 639-1 code; unknown or "" uses the general rules.
    """
    if not text:
        return []
    spans = (
        _trimmed(text, found["start_index"], found["end_index"])
        for found in sentencex.get_sentence_boundaries(base_language(language) or "en", text)
    )
    return [span for span in spans if span.start < span.end]


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    kept = piece.lstrip()
    start += len(piece) - len(kept)
    return Span(start, start + len(kept.rstrip()))


def base_language(language: str) -> str:
    """ISO 639 code without region or script: "pt-BR" and "pt_BR" give "pt"."""
    return language.replace("_", "-").partition("-")[0].strip().lower()


def collapse(text: str) -> str:
    """NFC with every run of white space as one blank, none at the ends."""
    return str(_SPACE.sub(" ", unicodedata.normalize("NFC", text))).strip()


def sound(text: str) -> str:
    """The text with "?" for each half of a surrogate pair, which bytes on a command line may become and which no
    encoder or database takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def content_digest(text: str) -> str:
    """SHA-256 (hex) of the collapsed text: equal for texts that differ in line breaks or Unicode composition only."""
    return hashlib.sha256(collapse(text).encode("utf-8", "replace")).hexdigest()


@functools.cache
def stop_words(language: str) -> frozenset[str]:
    """Words too common to tell anything in `language`, folded like `words` does; empty for an unknown language."""
    import stopwordsiso  # reads its 1 MB table at import

    return frozenset(fold(word) for word in stopwordsiso.stopwords(base_language(language)))
