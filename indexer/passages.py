"""Cuts a document into passages: whole sentences, small enough for an encoder, nothing left out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import regex

from riparian.encoders.base import Offsets
from riparian.text import sentences
from riparian.types import PassageSpan

LONGEST = 384
"""Tokens of a passage at most, also where an encoder takes more: a passage about one thing is found more easily."""

LONGEST_WORDS = 200
"""Words of a passage at most for an encoder without a limit."""

# A passage may end this far below its ideal size to end with a sentence or a paragraph.
_SMALLEST_SHARE = 0.5
# What ending inside a paragraph costs, in parts of the ideal size.
_PARAGRAPH_WORTH = 0.25

# A paragraph as short as this may be a heading.
_HEADING_TOKENS = 14

# A run of letters this long counts as one word more; so does a gap this long between tokens. It keeps passages of
# encoded data, of scripts without spaces and of words that a tokenizer gives up on at a readable size.
_LONG_RUN = 24
_LONG_GAP = 64

_WORD = regex.compile(
    rf"[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]{{1,2}}|[^\s\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]{{1,{_LONG_RUN}}}"
)


def split(
    text: str,
    *,
    offsets_of: Callable[[str], Offsets] | None = None,
    max_tokens: int | None = None,
    reserve: int = 0,
    overlap: float = 0.15,
    language: str = "",
) -> list[PassageSpan]:
    """Ascending spans that together cover every character of `text`; [] only for "".

    `offsets_of(text)` gives the encoder's tokens of the whole text; it is asked once. No span holds more than
    `min(max_tokens, LONGEST) - reserve` of them (`reserve` = tokens of a title that is encoded with each passage).
    Without a limit, words are counted and `LONGEST_WORDS` holds. Spans end with sentences, better with paragraphs; a
    sentence beyond the limit is broken at a line, else a word, else a token. `overlap` is the share of a passage that
    its successor repeats, in whole sentences. Passages of one document are about equally long.
    """
    if not text:
        return []
    if offsets_of is None or max_tokens is None:
        starts, limit = word_starts(text), LONGEST_WORDS
    else:
        starts, limit = _token_starts(text, offsets_of(text)), min(max_tokens, LONGEST)
    plan = _Plan(text, _with_long_gaps_filled(starts, len(text)), max(1, limit - reserve), min(max(overlap, 0.0), 0.5))
    return plan.spans(language)


def word_starts(text: str) -> list[int]:
    """Where each word starts; two characters of Chinese or Japanese count as a word."""
    return [match.start() for match in _WORD.finditer(text)]


def _token_starts(text: str, offsets: Offsets) -> list[int]:
    """Ascending positions at which the tokens count: their first character that is not white space."""
    if not len(offsets):
        return []
    # Byte-level tokens of one character share its start; the running maximum keeps the counts monotone.
    starts = np.maximum.accumulate(np.asarray(offsets, dtype=np.int64)[:, 0]).tolist()
    return [start + 1 if text[start : start + 1].isspace() else start for start in starts]


def _with_long_gaps_filled(starts: list[int], length: int) -> list[int]:
    edges = [0, *starts, length]
    filled = list(starts)
    for left, right in pairwise(edges):
        if right - left > _LONG_GAP:
            filled.extend(range(left + _LONG_GAP, right, _LONG_GAP))
    return filled if len(filled) == len(starts) else sorted(filled)


@dataclass(frozen=True, slots=True)
class _Plan:
    text: str
    starts: Sequence[int]
    limit: int
    overlap: float

    def spans(self, language: str) -> list[PassageSpan]:
        ends = self._unit_ends(language)
        cuts = self._cuts(ends)
        edges = [0, *cuts]
        return [
            PassageSpan(self._reach_back(edges[i], edges[i + 1], ends, edges[i - 1] if i else 0), edges[i + 1])
            for i in range(len(cuts))
        ]

    def _tokens(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)

    # ---------------------------------------------------------------- units: sentences or parts of them

    def _unit_ends(self, language: str) -> list[int]:
        """Ends of units that follow on from one another; white space belongs to the unit before it."""
        begins = [span.start for span in sentences(self.text, language)][1:]
        ends: list[int] = []
        start = 0
        for end in [*begins, len(self.text)]:
            if self._tokens(start, end) > self._room:
                ends.extend(self._broken(start, end))
            ends.append(end)
            start = end
        return ends

    @property
    def _room(self) -> int:
        """Tokens of new text in a passage that also repeats the end of its predecessor."""
        return max(1, self.limit - int(self.limit * self.overlap))

    def _broken(self, start: int, end: int) -> list[int]:
        """Inner ends that cut a sentence beyond the limit into about equal parts."""
        cuts: list[int] = []
        while (left := self._tokens(start, end)) > self._room:
            parts = -(-left // self._room)
            first = bisect_left(self.starts, start)
            ideal, last = self._position(first + -(-left // parts)), self._position(first + self._room)
            cut = self._place_to_break(start, ideal, last)
            if not start < cut < end:  # one character of more tokens than a passage may hold
                break
            cuts.append(cut)
            start = cut
        return cuts

    def _position(self, token: int) -> int:
        return self.starts[token] if token < len(self.starts) else len(self.text)

    def _place_to_break(self, start: int, ideal: int, last: int) -> int:
        """The line start, else word start nearest before `last`, past the first half; else a token start."""
        least = start + (ideal - start) // 2
        line = self.text.rfind("\n", least, last) + 1
        if line > least and line <= last:
            return line
        word = next((at for at in range(ideal, least, -1) if self.text[at - 1].isspace()), 0)
        if word:
            return word
        token = bisect_right(self.starts, ideal) - 1
        return self.starts[token] if self.starts[token] > start else self._position(bisect_right(self.starts, start))

    # ---------------------------------------------------------------- cuts: which units make a passage

    def _cuts(self, ends: list[int]) -> list[int]:
        cuts: list[int] = []
        start, index = 0, 0
        while index < len(ends):
            index = self._choose(start, index, ends, first=not cuts)
            cuts.append(ends[index])
            start, index = ends[index], index + 1
        return self._without_empty_tail(cuts)

    def _choose(self, start: int, index: int, ends: list[int], *, first: bool) -> int:
        """The unit that ends the passage beginning at `start`: near an equal share of what is left."""
        left = self._tokens(start, len(self.text))
        room = self.limit if first else self._room
        if left <= room:
            return len(ends) - 1
        parts = 1 + -(-(left - room) // self._room) if first else -(-left // self._room)
        ideal = left / parts
        best, best_cost = index, float("inf")
        for candidate in range(index, len(ends)):
            size = self._tokens(start, ends[candidate])
            if size > room and candidate > index:
                break
            cost = abs(size - ideal) / ideal
            if size < ideal * _SMALLEST_SHARE:
                cost += 1.0
            if not self._ends_well(ends[candidate - 1] if candidate else 0, ends[candidate]):
                cost += _PARAGRAPH_WORTH
            if cost <= best_cost:
                best, best_cost = candidate, cost
        return best

    def _ends_well(self, start: int, end: int) -> bool:
        """Whether the unit ends a paragraph, and is no heading: those belong to what follows."""
        return self._ends_paragraph(end) and not (
            self._tokens(start, end) <= _HEADING_TOKENS and (start == 0 or self._ends_paragraph(start))
        )

    def _ends_paragraph(self, end: int) -> bool:
        """Whether a blank line lies in the white space before `end`."""
        lines = 0
        while end > 0 and lines < 2 and self.text[end - 1].isspace():
            end -= 1
            lines += self.text[end] == "\n"
        return lines == 2

    def _without_empty_tail(self, cuts: list[int]) -> list[int]:
        """A last passage without any token joins the one before."""
        if len(cuts) > 1 and not self._tokens(cuts[-2], cuts[-1]):
            return [*cuts[:-2], cuts[-1]]
        return cuts

    # ---------------------------------------------------------------- overlap

    def _reach_back(self, start: int, end: int, ends: list[int], earliest: int) -> int:
        """Where the passage begins when it repeats whole units before `start`, one at least if that fits."""
        wanted = int(self.limit * self.overlap)
        if not wanted or start == 0:
            return start
        reached = start
        at = bisect_left(ends, start)
        while at > 0 and ends[at - 1] > earliest:
            candidate = ends[at - 1]
            repeated, size = self._tokens(candidate, start), self._tokens(candidate, end)
            if size > self.limit or (repeated > wanted and (reached < start or repeated > 2 * wanted)):
                break
            reached, at = candidate, at - 1
        return reached
