"""Explanations as JSON: the same in the API and in `riparian explain --json`. Each list sums to the score beside it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from search.explain.records import Contrast, Difference, Explanation, Meaning, Placing, Terms
from web.shapes import ScorePartShape, Shape


class WordShareShape(Shape):
    text: str
    start: int
    end: int
    place: Literal["query", "title", "text"] = Field(description="What `start` and `end` count in.")
    share: float = Field(description="What the word adds to the cosine.")
    pull: float = Field(description="By how much it moves the passage towards the query; below 0: away from it.")


class WordAtShape(Shape):
    text: str
    start: int
    end: int
    place: Literal["query", "title", "text"]


class LinkShape(Shape):
    """A word of the query, and the nearest word of the passage in its context."""

    query: WordAtShape
    passage: WordAtShape
    cosine: float
    weight: float = Field(description="How much the query's word tells; the weights sum to 1.")


class MeaningShape(Shape):
    """Where the cosine comes from: the shares of `passage` and `rest` sum to it, those of `query` and `query_rest` too
    (where there are any: a query that examples moved is not the sum of its words)."""

    method: Literal["exact", "estimated"]
    how: str
    cosine: float
    stored: float | None = Field(description="By the vector of the index, whose storage may be less precise.")
    passage: list[WordShareShape]
    rest: float
    query: list[WordShareShape]
    query_rest: float
    links: list[LinkShape]


class TermShareShape(Shape):
    term: str
    words: list[str]
    score: float


class TermsShape(Shape):
    """The document's BM25 score over title and whole text, by the words of the query."""

    score: float
    terms: list[TermShareShape]


class GivenShape(Shape):
    """What a retriever gave: weight times its scaled score (or reciprocal rank)."""

    retriever: str
    raw: float
    scaled: float
    rank: int
    weight: float
    adds: float


class PlacingShape(Shape):
    """What was given and `other` sum to `score`; `rank` is null for a document that the search does not rank."""

    rank: int | None
    score: float
    given: list[GivenShape]
    other: float = Field(description="What re-ranking changed.")
    late: ScorePartShape | None = Field(description="What re-ranking went by, for the first documents.")


class ExplanationShape(Shape):
    passage: int
    document: int
    title: str
    meaning: MeaningShape | None
    terms: TermsShape | None
    placing: PlacingShape
    notes: list[str]


class DifferenceShape(Shape):
    label: str
    first: float
    second: float
    gap: float


class ContrastShape(Shape):
    """Why one passage stands above another: differences, the largest first."""

    by_query: list[DifferenceShape] = Field(description="The cosines' difference by words of the query.")
    by_word: list[DifferenceShape] = Field(description="The same by words of the passages.")
    by_term: list[DifferenceShape] = Field(description="The BM25 scores' difference.")
    by_retriever: list[DifferenceShape] = Field(description="The final scores' difference.")


class ExplainedShape(Shape):
    """A passage's explanation; with `against`, that of another one and what tells them apart."""

    query: str
    explanation: ExplanationShape
    against: ExplanationShape | None = None
    contrast: ContrastShape | None = None


def explanation(value: Explanation) -> ExplanationShape:
    return ExplanationShape(
        passage=value.passage,
        document=value.document,
        title=value.title,
        meaning=_meaning(value.meaning) if value.meaning else None,
        terms=_terms(value.terms) if value.terms else None,
        placing=_placing(value.placing),
        notes=list(value.notes),
    )


def contrast(query: str, value: Contrast) -> ExplainedShape:
    return ExplainedShape(
        query=query,
        explanation=explanation(value.first),
        against=explanation(value.second),
        contrast=ContrastShape(
            by_query=_differences(value.by_query),
            by_word=_differences(value.by_word),
            by_term=_differences(value.by_term),
            by_retriever=_differences(value.by_retriever),
        ),
    )


def _meaning(value: Meaning) -> MeaningShape:
    return MeaningShape.model_validate(asdict(value))


def _terms(value: Terms) -> TermsShape:
    return TermsShape.model_validate(asdict(value))


def _placing(value: Placing) -> PlacingShape:
    given = [GivenShape(**asdict(one.part), weight=one.weight, adds=one.adds) for one in value.given]
    late = ScorePartShape(**asdict(value.late)) if value.late else None
    return PlacingShape(rank=value.rank, score=value.score, given=given, other=value.other, late=late)


def _differences(found: tuple[Difference, ...]) -> list[DifferenceShape]:
    return [DifferenceShape(label=one.label, first=one.first, second=one.second, gap=one.gap) for one in found]
