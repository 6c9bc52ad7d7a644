"""Answers and summaries as JSON: every piece of text with its document, its place and its offsets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from riparian.types import Anchor
from search.answers import Answer, Answers
from search.summaries import Summary, SummarySentence
from web import shapes
from web.shapes import DocumentRef, PlaceShape, Shape, SpanShape


class AnswerSpanShape(Shape):
    """A stretch of a document that answers, and the sentence around it, in code points of its text."""

    kind: Literal["span", "sentence"]
    text: str
    start: int
    end: int
    sentence: SpanShape
    quote: str = Field(description="The sentence around it.")
    score: float
    document: DocumentRef
    passage: int
    place: PlaceShape | None


class AnswersShape(Shape):
    question: str
    answers: list[AnswerSpanShape]
    no_answer: float | None = Field(description="How likely the passages read hold none; null where nothing can tell.")
    model: str = Field(description='"" where sentences answer.')
    passages: int = Field(description="How many were read.")
    notes: list[str]


class SummarySentenceShape(Shape):
    text: str
    start: int
    end: int
    score: float = Field(description="How central it is, 0 to 1.")
    document: DocumentRef
    passage: int | None
    place: PlaceShape | None


class SummaryShape(Shape):
    """Sentences as they stand in the archive; `read` of `all` were compared."""

    sentences: list[SummarySentenceShape]
    read: int
    all: int
    encoder: str


def answers(value: Answers) -> AnswersShape:
    return AnswersShape(
        question=value.question,
        answers=[_answer(one) for one in value.answers],
        no_answer=value.no_answer,
        model=value.model,
        passages=value.passages,
        notes=list(value.notes),
    )


def _answer(one: Answer) -> AnswerSpanShape:
    return AnswerSpanShape(
        kind=one.kind,
        text=one.text,
        start=one.span.start,
        end=one.span.end,
        sentence=SpanShape(start=one.sentence.start, end=one.sentence.end),
        quote=one.quote,
        score=one.score,
        document=shapes.document_ref(one.document),
        passage=one.passage,
        place=_place(one.place),
    )


def summary(value: Summary) -> SummaryShape:
    return SummaryShape(
        sentences=[_sentence(one) for one in value.sentences], read=value.read, all=value.all, encoder=value.encoder
    )


def _sentence(one: SummarySentence) -> SummarySentenceShape:
    return SummarySentenceShape(
        text=one.text,
        start=one.span.start,
        end=one.span.end,
        score=one.score,
        document=shapes.document_ref(one.document),
        passage=one.passage,
        place=_place(one.place),
    )


def _place(anchor: Anchor | None) -> PlaceShape | None:
    return PlaceShape(kind=anchor.kind, number=anchor.number) if anchor is not None else None
