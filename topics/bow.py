"""From texts to a sparse bag of words: content words, a bounded vocabulary, counts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.text import base_language, fold, stop_words, words
from topics.base import BagOfWords

# Words that the English list of stopwordsiso holds (it was made for web search) although they carry a subject.
_SUBJECTS = frozenset(
    "computer index information invention microsoft netscape novel ones problem research room rooms shell state states "
    "test unix web website welcome words world young".split()
)
_CONTRACTION_ENDS = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})


@dataclass(frozen=True, slots=True)
class VocabularySettings:
    """`size` bounds the vocabulary. A word must occur in at least `min_texts` texts and in at most the part
    `max_share` of them; None chooses by the number of texts (see `bounds`)."""

    size: int = 2000
    min_texts: int | None = None
    max_share: float | None = None

    def bounds(self, texts: int) -> tuple[int, int]:
        """Fewest and most texts that a word may occur in.

        Small collections keep what occurs twice (below 20 texts: once) and drop only what nearly every text holds;
        large ones ask for three texts and drop what half of them hold, as the papers do.
        """
        fewest = self.min_texts if self.min_texts is not None else (1 if texts < 20 else 2 if texts < 200 else 3)
        share = self.max_share if self.max_share is not None else (1.0 if texts < 20 else 0.5)
        return fewest, max(fewest, int(share * texts))


Languages = tuple[str, ...]
"""ISO 639-1 codes whose stop words a text is cleared of: its own and, since a short text's language is easily taken
for another, that of most of its collection. () stands for English."""


@functools.cache
def stops(languages: Languages) -> frozenset[str]:
    """Words without a subject in any of the languages."""
    return frozenset().union(*(_stops(base_language(language)) for language in languages or ("en",)))


def _stops(code: str) -> frozenset[str]:
    if code != "en":
        return stop_words(code) if code else frozenset()
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return (stop_words("en") | frozenset(ENGLISH_STOP_WORDS)) - _SUBJECTS


def content_words(text: str, languages: Languages = ()) -> list[str]:
    """The folded words that can name a topic, in reading order.

    Left out: stop words of the languages, words that do not begin with a letter (19th), Latin words shorter than
    three letters, and single characters of other scripts. A word with an apostrophe counts as its main part
    (America's: america; l'eau: eau).
    """
    return [word for word, _, _ in _content_words(text, languages)]


def _content_words(text: str, languages: Languages) -> list[tuple[str, int, int]]:
    """The same with where they stand; a word that counts as its main part stands nowhere (0, 0)."""
    stop, kept = stops(languages), []
    for word, start, end in words(text):
        if counted := _content(word, stop):
            kept.append((counted, start, end) if counted == word else (counted, 0, 0))
    return kept


def _content(word: str, stop: frozenset[str]) -> str:
    """The form that is counted, "" for a word that is not."""
    if word in stop:
        return ""
    if "'" in word:
        parts = [part for part in word.split("'") if part not in _CONTRACTION_ENDS]
        word = max(parts, key=len, default="")
    shortest = 3 if word.isascii() else 2
    if len(word) < shortest or word in stop or not word[0].isalpha():
        return ""
    return word


class _Interned:
    """Numbers words in the order they are met and keeps every token as its number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.pieces: list[NDArray[np.int32]] = []

    def add(self, found: Sequence[str]) -> None:
        numbers = self.numbers
        for word in found:
            numbers.setdefault(word, len(numbers))
        self.pieces.append(np.fromiter((numbers[word] for word in found), np.int32, len(found)))


def build(texts: Iterable[tuple[str, Languages]], settings: VocabularySettings = VocabularySettings()) -> BagOfWords:
    """The bag of (text, languages) pairs, read once and not kept.

    The vocabulary holds the `size` words that occur in most texts within the settings' bounds; among equals the
    alphabet decides, so that the texts' order has no part in it. It is listed alphabetically. Where the bounds leave
    no word, they are dropped. Empty when the texts hold no content word.
    """
    interned = _Interned()
    forms: Counter[str] = Counter()
    for text, languages in texts:
        found = _content_words(text, languages)
        interned.add([word for word, _, _ in found])
        forms.update([text[start:end] for _, start, end in found])
    words_met = sorted(interned.numbers)
    rank = np.empty(len(words_met), np.int32)
    rank[np.array([interned.numbers[word] for word in words_met], np.int64)] = np.arange(len(words_met))
    starts = _starts(interned.pieces)
    tokens = rank[np.concatenate([np.zeros(0, np.int32), *interned.pieces])]
    chosen = _choose(_document_frequencies(tokens, starts, len(words_met)), len(interned.pieces), settings)
    vocabulary = tuple(words_met[number] for number in np.sort(chosen))
    place = np.full(len(words_met), -1, np.int32)
    place[np.sort(chosen)] = np.arange(len(vocabulary), dtype=np.int32)
    return replace(_bag(vocabulary, place[tokens], starts), written=_written(vocabulary, forms))


def _written(vocabulary: Sequence[str], forms: Mapping[str, int]) -> tuple[str, ...]:
    """Each word in its most frequent form; among equals the folded one, then the alphabet, decides."""
    best: dict[str, tuple[int, bool, str]] = {}
    for form, times in forms.items():
        word = fold(form)
        rank = (-times, form != word, form)
        if word not in best or rank < best[word]:
            best[word] = rank
    return tuple(best[word][2] if word in best else word for word in vocabulary)


def count(texts: Iterable[tuple[str, Languages]], vocabulary: Sequence[str]) -> BagOfWords:
    """The bag of (text, languages) pairs over a given vocabulary."""
    place: Mapping[str, int] = {word: number for number, word in enumerate(vocabulary)}
    pieces = [
        np.array([place[word] for word in content_words(text, languages) if word in place], np.int32)
        for text, languages in texts
    ]
    return joined(vocabulary, pieces)


def joined(vocabulary: Sequence[str], pieces: Sequence[NDArray[np.int32]]) -> BagOfWords:
    """The bag of texts whose words, as numbers in the vocabulary, are the pieces."""
    tokens = np.concatenate([np.zeros(0, np.int32), *pieces])
    return _bag(tuple(vocabulary), tokens, _starts(pieces))


def _choose(frequencies: NDArray[np.int64], texts: int, settings: VocabularySettings) -> NDArray[np.int64]:
    fewest, most = settings.bounds(texts)
    allowed = np.flatnonzero((frequencies >= fewest) & (frequencies <= most))
    if not len(allowed):
        allowed = np.flatnonzero(frequencies > 0)
    order = np.argsort(-frequencies[allowed], kind="stable")  # numbers grow with the alphabet
    return allowed[order][: settings.size]


def _document_frequencies(tokens: NDArray[np.int32], starts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    pairs = np.unique(_text_of(starts) * np.int64(max(size, 1)) + tokens)
    return np.bincount(pairs % max(size, 1), minlength=size).astype(np.int64)


def _bag(vocabulary: tuple[str, ...], tokens: NDArray[np.int32], starts: NDArray[np.int64]) -> BagOfWords:
    """Drops tokens outside the vocabulary (-1) and counts the rest."""
    known = tokens >= 0
    rows = _text_of(starts)[known]
    kept = tokens[known]
    lengths = np.bincount(rows, minlength=len(starts) - 1)
    counts = csr_matrix(
        (np.ones(len(kept), np.float32), (rows, kept)), shape=(len(starts) - 1, len(vocabulary)), dtype=np.float32
    )
    counts.sum_duplicates()
    return BagOfWords(vocabulary, counts, kept, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def _starts(pieces: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)


def _text_of(starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every token the number of its text."""
    return np.repeat(np.arange(len(starts) - 1, dtype=np.int64), np.diff(starts))
