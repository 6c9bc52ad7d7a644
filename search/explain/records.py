"""What an explanation says: frozen records, each with the numbers that add up to the score they explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from riparian.types import DocumentId, PassageId, ScorePart

Place = Literal["query", "title", "text"]
Method = Literal["exact", "estimated"]


@dataclass(frozen=True, slots=True)
class WordShare:
    """A word, or a stretch of words, and what it adds to the cosine.

    `start` and `end` are code points of the query, of the document's title, or of the document's text, as `place` says.
    `pull` is by how much the word moves the passage's vector towards the query's (above 0) or away from it: its share
    less what a word of its weight would add if it pointed where the whole passage does. The pulls sum to 0.
    """

    text: str
    start: int
    end: int
    place: Place
    share: float
    pull: float = 0.0


@dataclass(frozen=True, slots=True)
class WordAt:
    """A word and where it stands: code points of the query, the title or the document's text."""

    text: str
    start: int
    end: int
    place: Place


@dataclass(frozen=True, slots=True)
class Link:
    """A word of the query and the word of the passage that is nearest to it in this context.

    `cosine` is that of their contextual vectors; `weight` the query word's part of the whole (inverse document
    frequency, the weights sum to 1).
    """

    query: WordAt
    passage: WordAt
    cosine: float
    weight: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """Where the cosine of a passage and the query comes from.

    The shares of `passage` and `rest` sum to `cosine` (within 1e-5), and so do those of `query` with `query_rest`,
    where the query has any. "exact": the passage's vector is a sum over its tokens and `rest` is what special tokens
    and prompts give. "estimated": it is not, and stretches of words were left out to see what changes; `how` says both
    in words. `stored` is the cosine by the vector of the index, whose storage may be less precise.
    """

    method: Method
    how: str
    cosine: float
    stored: float | None
    passage: tuple[WordShare, ...]
    rest: float
    query: tuple[WordShare, ...]
    query_rest: float
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class TermShare:
    """What a word, phrase or pattern of the query adds to a document's BM25 score; below 0 for one to be avoided."""

    term: str
    words: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Terms:
    """The document's BM25 score over its title and whole text; the terms sum to it. Terms that it lacks have 0."""

    score: float
    terms: tuple[TermShare, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """What one retriever gave to the score: `adds` = weight times its scaled score (or reciprocal rank)."""

    part: ScorePart
    weight: float
    adds: float


@dataclass(frozen=True, slots=True)
class Placing:
    """How the document got its place: `rank` from 1 before near-copies are collapsed, None = ranked by nobody.

    What is given sums to `score`, up to `other`: what re-ranking changed. `late` is what that went by, where it was
    among the first.
    """

    rank: int | None
    score: float
    given: tuple[Given, ...]
    other: float
    late: ScorePart | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a passage answers a query. `meaning` or `terms` is None where that retriever was not asked or cannot tell."""

    passage: PassageId
    document: DocumentId
    title: str
    text: str
    start: int
    meaning: Meaning | None
    terms: Terms | None
    placing: Placing
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that both passages have or lack, and what it adds to each."""

    label: str
    first: float
    second: float

    @property
    def gap(self) -> float:
        return self.first - self.second


@dataclass(frozen=True, slots=True)
class Contrast:
    """Why one passage lies above another: differences, the largest first, that sum to the difference of the scores.

    `by_query` shares out the cosines' difference over the words of the query, `by_word` over those of both passages
    (equal words together); `by_term` the BM25 scores'; `by_retriever` the final scores'.
    """

    first: Explanation
    second: Explanation
    by_query: tuple[Difference, ...]
    by_word: tuple[Difference, ...]
    by_term: tuple[Difference, ...]
    by_retriever: tuple[Difference, ...]
