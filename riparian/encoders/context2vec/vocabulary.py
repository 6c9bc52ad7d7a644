"""The words of a model and their numbers; texts as sentences of words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from riparian.encoders.elmo import words as cutting
from riparian.encoders.elmo.words import Cut

UNKNOWN, BEGIN, END, FIRST_WORD = 0, 1, 2, 3
"""Numbers of a word that is not in the vocabulary, and of the marks around a sentence, as published."""

MARKS = ("<UNK>", "<BOS>", "<EOS>")
TOKENS = f"{cutting.VERSION} lower-case"
"""Named in the fingerprint."""

_MOST_BYTES = 1_024


class Vocabulary:
    """Lower-cased words by number; the marks stand first."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, words: Iterable[str]) -> list[int]:
        """UNKNOWN for a word that is not there; a mark is never what a text says."""
        return [self._known.get(folded(word), UNKNOWN) for word in words]

    @cached_property
    def _known(self) -> dict[str, int]:
        return {word: FIRST_WORD + row for row, word in enumerate(self.words[FIRST_WORD:])}


def folded(word: str) -> str:
    """The form in which words are counted and looked up: lower case, a straight apostrophe."""
    return word.lower().replace("’", "'")


def cut(text: str) -> Cut:
    """Words with offsets and sentences; case is kept."""
    return cutting.cut(text, _MOST_BYTES)
