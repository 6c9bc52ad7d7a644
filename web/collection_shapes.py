"""Collections, what could not be read of them and what is wrong with them as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from riparian.encoders.language_advice import Advice
from riparian.types import Collection, FileRow, Problem
from web.shapes import Shape


class AdviceShape(Shape):
    """The collection is mainly in languages that its encoder is not made for."""

    languages: list[str] = Field(description="Those languages, the most frequent first.")
    documents: int = Field(description="Documents in them, of `told` whose language is known.")
    told: int
    encoder: str
    suggestion: str = Field(description='An encoder that knows the first of them; "" where none comes along.')
    sentence: str


class CollectionShape(Shape):
    id: int
    name: str
    created: datetime
    documents: int
    passages: int
    failures: int
    revision: int = Field(description="Grows by one with every committed change.")
    encoder: str | None
    settings: dict[str, Any]
    languages: dict[str, int] = Field(description='Documents of each language (ISO 639-1; "" where it is not known).')
    advice: AdviceShape | None


class FailureShape(Shape):
    """A file, or a member of one, that could not be read, and why."""

    path: str
    reason: str
    seen: datetime


class ProblemShape(Shape):
    collection: str
    part: str
    detail: str
    repaired: bool


def collection(
    value: Collection, encoder_name: str | None, languages: Mapping[str, int], advice: Advice | None
) -> CollectionShape:
    return CollectionShape(
        id=value.id,
        name=value.name,
        created=value.created,
        documents=value.documents,
        passages=value.passages,
        failures=value.failures,
        revision=value.revision,
        encoder=encoder_name,
        settings=dict(value.settings),
        languages=dict(languages),
        advice=AdviceShape(**advice.json_value()) if advice else None,
    )


def failure(value: FileRow) -> FailureShape:
    return FailureShape(path=value.path, reason=value.reason, seen=value.seen)


def problem(value: Problem) -> ProblemShape:
    return ProblemShape(collection=value.collection, part=value.part, detail=value.detail, repaired=value.repaired)
