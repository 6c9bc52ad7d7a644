"""Whether an encoder knows a language: what its tokens say and what its card says.

A tokenizer that was made for other languages gives itself away: words without a vector, unknown pieces, or words cut
into many small pieces. That costs no encoding: some hundred passages tell it in well under a second. Where the
thresholds come from, and how retrieval goes on either side of them, stands in `docs/languages.md`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
import regex
from numpy.typing import NDArray

from riparian.encoders.base import Encoder, Tokens
from riparian.text import base_language, words

MOST_UNKNOWN, SOME_UNKNOWN = 0.15, 0.05
MOST_PIECES, SOME_PIECES = 1.9, 1.6
"""Above the first the verdict is FOREIGN, above the second PARTLY."""

ENOUGH_WORDS = 50
"""Fewer words of a language than this tell nothing."""

_HAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_LETTERS_A_WORD = 4  # of Thai, Lao, Khmer and Burmese, which are written without spaces: about what a word has


class Verdict(StrEnum):
    """How well an encoder knows a language."""

    KNOWS = "knows it"
    PARTLY = "knows it in part"
    FOREIGN = "does not know it"
    UNTOLD = "cannot be told"


@runtime_checkable
class TellsKnown(Protocol):
    """What an encoder with a vocabulary has beside the members of every encoder. One that spells its words (ELMo,
    hashed n-grams) has none, and its tokens cannot tell what it knows."""

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each text, for each token that `tokenize` gives: whether the encoder has an entry of its own for it."""
        ...


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the passages of one language say of an encoder.

    `words` are those of `riparian.text`, where Chinese and Japanese count two characters a word, Thai, Lao, Khmer and
    Burmese four letters. `unknown` is the share, among tokens with a letter or digit, of those the encoder has no
    entry for; `pieces` are such tokens a word. Both are None where they tell nothing: for an encoder without a
    vocabulary, and of less than `ENOUGH_WORDS` words. `stated`: whether the encoder's card names the language, None
    where it names none.
    """

    language: str
    passages: int
    words: int
    unknown: float | None
    pieces: float | None
    stated: bool | None
    verdict: Verdict
    reason: str

    def json_value(self) -> dict[str, Any]:
        return {
            "passages": self.passages,
            "words": self.words,
            "unknown": _rounded(self.unknown),
            "pieces_per_word": _rounded(self.pieces),
            "stated": self.stated,
            "verdict": self.verdict.value,
            "reason": self.reason,
        }


def gauge(encoder: Encoder, texts_by_language: Mapping[str, Sequence[str]]) -> dict[str, Gauge]:
    """One gauge a language, in the order given; the keys are ISO 639-1 codes, "" for what is not known.

    Cuts the texts into tokens and encodes nothing. Some hundred passages a language are enough.
    """
    return {language: _gauge(encoder, language, texts) for language, texts in texts_by_language.items()}


def _gauge(encoder: Encoder, language: str, texts: Sequence[str]) -> Gauge:
    counted, stated = sum(map(count_words, texts)), is_stated(encoder.info.languages, language)
    unknown = pieces = None
    if isinstance(encoder, TellsKnown) and counted >= ENOUGH_WORDS:
        tokens, unknown = _told(encoder.tokenize(texts), encoder.known(texts))
        pieces = tokens / counted
    verdict, reason = judge(unknown, pieces, stated)
    return Gauge(language, len(texts), round(counted), unknown, pieces, stated, verdict, reason)


def judge(unknown: float | None, pieces: float | None, stated: bool | None) -> tuple[Verdict, str]:
    """The verdict and its reason, of the measures of `Gauge`."""
    found = [
        (_beyond(unknown, SOME_UNKNOWN, MOST_UNKNOWN), f"{unknown or 0:.0%} of its words or pieces are unknown"),
        (_beyond(None if stated else pieces, SOME_PIECES, MOST_PIECES), f"words are cut into {pieces or 0:.1f} pieces"),
    ]
    for verdict in (Verdict.FOREIGN, Verdict.PARTLY):
        if reasons := [reason for worst, reason in found if worst is verdict]:
            return verdict, "; ".join(reasons)
    if stated is None:
        told = unknown is not None
        return (Verdict.KNOWS, "few unknown words") if told else (Verdict.UNTOLD, "its tokens tell nothing")
    return (Verdict.KNOWS, "stated") if stated else (Verdict.PARTLY, "not among the languages stated")


def _beyond(measure: float | None, some: float, most: float) -> Verdict:
    if measure is None or measure <= some:
        return Verdict.KNOWS
    return Verdict.FOREIGN if measure > most else Verdict.PARTLY


def is_stated(languages: Iterable[str], language: str) -> bool | None:
    """Whether the languages of a card include this one; None where either is not told."""
    named = {base_language(one) for one in languages}
    if not named or not language:
        return None
    return base_language(language) in named or "multilingual" in named


def count_words(text: str) -> float:
    """How many words a text has, those of scripts without spaces by their usual length."""
    return sum(map(_weight, (word.word for word in words(text))))


def _weight(word: str) -> float:
    if _HAN.match(word):
        return 1.0 if len(word) == 1 else 0.5  # pairs overlap
    if _UNSPACED.match(word):
        return math.ceil(len(word) / _LETTERS_A_WORD)
    return 1.0


def _told(cut: Sequence[Tokens], known: Sequence[NDArray[np.bool_]]) -> tuple[int, float]:
    """(tokens with a letter or digit, share of them that is unknown)."""
    pairs = [
        (token, bool(is_known))
        for tokens, flags in zip(cut, known, strict=True)
        for token, is_known in zip(tokens.tokens, flags, strict=True)
    ]
    spoken = [is_known for token, is_known in pairs if not is_known or _says_something(token)]
    return len(spoken), (1 - sum(spoken) / len(spoken)) if spoken else 0.0


def _says_something(token: str) -> bool:
    return any(unicodedata.category(character)[0] in "LNM" for character in token)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
