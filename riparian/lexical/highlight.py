"""Which stretches of a text a query matched: the same words, stems and phrases that the index goes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import regex

from riparian.lexical import analysis
from riparian.lexical.query import Fuzzy, Group, Phrase, Prefix, Word, parse, wanted
from riparian.text import Word as Found
from riparian.text import words
from riparian.types import Span


def spans(query: str | Group, text: str, language: str, languages: Sequence[str] = ()) -> list[Span]:
    """What to mark in a text of `language`, in order, without overlaps; neighbouring words of a phrase are one span.

    `languages` are those of the collection, the most frequent first: they tell which words of the query are stop words.
    """
    group = parse(query) if isinstance(query, str) else query
    found = words(text)
    marks = _marks(group, language, languages or (language,))
    single = [Span(word.start, word.end) for word in found if marks.matches(word.word, language)]
    phrases = [span for phrase in marks.phrases for span in _occurrences(phrase, found)]
    return _merged([*single, *phrases, *_identifier_spans(marks.identifiers, text)])


@dataclass(slots=True)
class _Marks:
    """What counts as a match of one word, and the phrases and identifiers that count as wholes."""

    stems: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    prefixes: list[str] = field(default_factory=list)
    fuzzy: list[tuple[str, int]] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)

    def matches(self, word: str, language: str) -> bool:
        word = word[: analysis.LONGEST_WORD]
        if word in self.plain or any(word.startswith(prefix) for prefix in self.prefixes):
            return True
        if any(within(word, near, distance) for near, distance in self.fuzzy):
            return True
        stem = analysis.stemming(language)(word)
        return stem is not None and stem in self.stems


def _marks(group: Group, language: str, languages: Sequence[str]) -> _Marks:
    marks = _Marks()
    nodes = list(wanted(group))
    _add_words([node.text for node in nodes if isinstance(node, Word)], marks, language, languages)
    for node in nodes:
        match node:
            case Phrase():
                marks.phrases.append(node)
            case Prefix(text):
                *before, last = analysis.plain_words(text)
                marks.plain.update(before)
                marks.prefixes.append(last)
            case Fuzzy(text, distance):
                marks.fuzzy.append((analysis.plain_words(text)[0], distance))
    return marks


def _add_words(texts: Iterable[str], marks: _Marks, language: str, languages: Sequence[str]) -> None:
    texts = list(texts)
    plain = [word for text in texts for word in analysis.plain_words(text)]
    own = analysis.stemming(analysis.guess_language(plain, languages))
    here = analysis.stemming(language)
    marks.stems.update(stem for word in plain if own(word) is not None and (stem := here(word)) is not None)
    marks.identifiers.update(name for text in texts if (name := analysis.identifier(text)) is not None)
    if not marks.stems and not marks.identifiers:  # nothing but stop words: they are what was looked for
        marks.plain.update(plain)


def _occurrences(phrase: Phrase, found: Sequence[Found]) -> Iterator[Span]:
    """From the first to the last word of each place where the words stand in order, `slop` words between at most."""
    sought = [word.word for word in words(phrase.text)]
    for start, word in enumerate(found):
        if word.word != sought[0]:
            continue
        end = _follow(sought[1:], found, start, phrase.slop)
        if end is not None:
            yield Span(word.start, found[end].end)


def _follow(sought: Sequence[str], found: Sequence[Found], at: int, slop: int) -> int | None:
    """Where the phrase that starts at `at` ends, taking each next word at its first place within the slop left."""
    for word in sought:
        window = range(at + 1, min(at + 2 + slop, len(found)))
        here = next((i for i in window if found[i].word == word), None)
        if here is None:
            return None
        slop -= here - at - 1
        at = here
    return at


def _identifier_spans(names: Iterable[str], text: str) -> Iterator[Span]:
    """An identifier where it stands for itself: c++ is not marked inside c++11."""
    for name in sorted(names):
        pattern = rf"(?<![\p{{L}}\p{{N}}]){regex.escape(name)}(?![\p{{L}}\p{{N}}])"
        for match in regex.finditer(pattern, text, regex.IGNORECASE):
            yield Span(match.start(), match.end())


def _merged(found: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(found, key=lambda one: (one.start, one.end)):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def within(one: str, other: str, distance: int) -> bool:
    """Whether the words lie within so many letters inserted, dropped, changed, or swapped with their neighbour
    (optimal string alignment)."""
    if abs(len(one) - len(other)) > distance:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        nearest = _next_row(one, other, i, left, row, before)
        if min(nearest) > distance and min(row) > distance:
            return False
        before, row = row, nearest
    return row[-1] <= distance


def _next_row(one: str, other: str, i: int, left: str, row: list[int], before: list[int]) -> list[int]:
    current = [i]
    for j, right in enumerate(other, 1):
        cost = min(row[j] + 1, current[-1] + 1, row[j - 1] + (left != right))
        if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
            cost = min(cost, before[j - 2] + 1)
        current.append(cost)
    return current
