"""Labels that topics learned as JSON, the same in the API and in `--json` of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from topics.learned import LabelledDocument, Learned, Told
from web.shapes import Shape, SpanShape, span


class ToldShape(Shape):
    label: str
    probability: float


class LabelCountShape(Shape):
    label: str
    given: int = Field(description="Documents that carry the label.")
    told: int = Field(description="Documents whose likeliest label it is.")
    told_without: int = Field(description="Of these, documents that carry none.")


class LearnedShape(Shape):
    """What the topics learned of a field of the documents."""

    field: str
    accuracy: float | None = Field(
        description="Part of the held-out documents, whose labels the fit was not told, that are told right; "
        "null where too few carry a label."
    )
    guess: float | None = Field(description="What the most frequent label would give there.")
    held_out: int
    labels: list[LabelCountShape]


class LabelledPassageShape(Shape):
    passage: int
    span: SpanShape
    labels: list[ToldShape]


class LabelledDocumentShape(Shape):
    """The likeliest labels of a document, the mean of its passages' by length, and of each passage."""

    field: str
    given: str = Field(description="What the document carries; empty where it carries none.")
    labels: list[ToldShape]
    passages: list[LabelledPassageShape]


def told(values: Sequence[Told]) -> list[ToldShape]:
    return [ToldShape(label=one.label, probability=one.probability) for one in values]


def learned(value: Learned) -> LearnedShape:
    labels = [
        LabelCountShape(label=one.label, given=one.given, told=one.told, told_without=one.told_without)
        for one in value.labels
    ]
    return LearnedShape(
        field=value.field, accuracy=value.accuracy, guess=value.guess, held_out=value.held_out, labels=labels
    )


def document(value: LabelledDocument) -> LabelledDocumentShape:
    passages = [
        LabelledPassageShape(passage=int(one.passage_id), span=span(one.span), labels=told(one.told))
        for one in value.passages
    ]
    return LabelledDocumentShape(field=value.field, given=value.given, labels=told(value.told), passages=passages)
