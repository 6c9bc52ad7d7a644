"""What of a text is indexed: stems to rank by, plain words to match exactly, and identifiers as they are written.

Stop words and stems follow the language of the text (Snowball, tantivy's own). A language without a stemmer keeps its
words as they are. Chinese and Japanese come as overlapping pairs of characters (`riparian.text.words`).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import regex
import tantivy

from riparian.text import base_language, fold, stop_words, words

# fmt: off
ENGLISH_STOP_WORDS = frozenset((
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with"
).split())
# fmt: on
"""Lucene's list. Longer ones drop words that tell documents apart."""

_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
_STOP_LISTS = frozenset({"da", "de", "es", "fi", "fr", "hu", "it", "nb", "nl", "nn", "no", "pt", "ru", "sv"})
"""Languages whose short stop list comes with the stemmer; the others take stopwordsiso's."""

LONGEST_WORD = 100
"""Code points of a word that count: longer ones are encoded data, and every index has a limit."""

_ASCII_WORDS = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
_LEADING = "([{<\"'“”‘’«»‹›¿¡,;:!?.…*_|`=~"
_TRAILING = ")]}>\"'“”‘’«»‹›,;:!?.…*_|`=~"
_ORDINARY: Any = regex.compile(r"[\p{L}\p{M}]+(?:[-‐‑–—/'’·][\p{L}\p{M}]+)*|[\p{L}\p{M}\p{N}]+")
_UNSPACED: Any = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_TELLING: Any = regex.compile(r"[\p{L}\p{N}]")

Stem = Callable[[str], str | None]


def plain_words(text: str) -> list[str]:
    """Every word, folded, in order; nothing is left out, so neighbours stay neighbours."""
    if text.isascii():  # three times as fast, the same words
        return [word[:LONGEST_WORD] for word in _ASCII_WORDS.findall(text.lower())]
    # folding spells some ligatures out as several words
    return [part[:LONGEST_WORD] for word in words(text) for part in word.word.split()]


def stems(plain: Iterable[str], language: str) -> list[str]:
    """The stems of the plain words that are no stop words of `language`, in order."""
    stem = stemming(language)
    return [found for word in plain if (found := stem(word)) is not None]


@functools.cache
def stemming(language: str) -> Stem:
    """A function from a folded word to its stem in `language` (ISO 639), or None for a stop word."""
    code = base_language(language)
    stop = _stop_words(code)
    analyse = _stemmer(code)

    @functools.lru_cache(maxsize=200_000)
    def stem(word: str) -> str | None:
        return None if word in stop or _is_stop_word(code, word) else _without_accents(analyse(word))

    return stem


def is_stop_word(word: str, language: str) -> bool:
    return stemming(language)(word) is None


def identifiers(text: str) -> list[str]:
    """Words with signs inside or at the end, as written but folded: CVE-2021-44228, a@b.org, C++, 3.14, x_y.

    Words joined by hyphens or slashes only (well-known, and/or) are none: their parts are words of their own.
    """
    return [found for chunk in text.split() if (found := identifier(chunk)) is not None]


def identifier(chunk: str) -> str | None:
    """The identifier that a run of signs without blanks is, or None."""
    if chunk.isalnum():
        return None
    bare = chunk.lstrip(_LEADING).rstrip(_TRAILING)
    if not bare or len(bare) > LONGEST_WORD or bare.isalnum() or _ORDINARY.fullmatch(bare):
        return None
    if _UNSPACED.search(bare) or not _TELLING.search(bare):
        return None
    return "".join(fold(bare).split())  # folding gives some signs a blank


def guess_language(found: Sequence[str], languages: Iterable[str]) -> str:
    """Which of the languages (more likely ones first) a query's folded words are in, by its stop words."""
    return max(languages, key=lambda language: sum(is_stop_word(word, language) for word in found), default="")


def _stop_words(code: str) -> frozenset[str]:
    if code in ("", "en"):
        return ENGLISH_STOP_WORDS
    return frozenset() if code in _STOP_LISTS else stop_words(code)


@functools.cache
def _stop_filter(code: str) -> Any:
    return _analyser(tantivy.Filter.stopword(_STEMMERS[code]))


def _is_stop_word(code: str, word: str) -> bool:
    return code in _STOP_LISTS and not _stop_filter(code).analyze(word)


def _stemmer(code: str) -> Callable[[str], str]:
    if code not in _STEMMERS:
        return lambda word: word
    analyser = _analyser(tantivy.Filter.stemmer(_STEMMERS[code]))
    return lambda word: str(analyser.analyze(word)[0])


def _analyser(filter_: Any) -> Any:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(filter_).build()


def _without_accents(word: str) -> str:
    """café → cafe in Latin script; other scripts' marks are letters in their own right."""
    if word.isascii() or not unicodedata.name(word[0], "").startswith("LATIN"):
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)) or word
