"""What leaves the program as JSON: one shape a thing, the same in the API and in `--json` of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from riparian.types import (
    Anchor,
    Document,
    Excerpt,
    FacetValue,
    Hit,
    Passage,
    RelevanceBasis,
    SearchAnswer,
    Span,
)


class Shape(BaseModel):
    """The base: `dict()` of it is JSON (dates as ISO 8601 text)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def json_value(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class SpanShape(Shape):
    """Half-open range of code points of the document's text."""

    start: int
    end: int


class PlaceShape(Shape):
    """Where a person finds it: page 3, row 17, line 40."""

    kind: str
    number: int


class DocumentRef(Shape):
    """A document as a hit names it. `title` is its own title ("" when it has none), `name` always says something."""

    id: int
    title: str
    name: str
    source: str
    date: date | None
    author: str
    language: str
    type: str


class DocumentShape(DocumentRef):
    """A document with its metadata; its text stands at `/documents/{id}/text`."""

    collection: str
    length: int = Field(description="Code points of the text.")
    digest: str
    parent: int | None = Field(description="The e-mail or archive member it came with.")
    duplicate_group: int | None
    metadata: dict[str, Any]


class PassageShape(Shape):
    """A stretch of a document: `text` is the document's text from `start` to `end` (code points)."""

    id: int
    start: int
    end: int
    text: str
    place: PlaceShape | None = None


class DocumentPassage(PassageShape):
    """A passage that says whose it is."""

    document: int
    position: int


class ScorePartShape(Shape):
    """What one retriever gave: its own score, the score scaled to 0..1, its rank from 1."""

    retriever: str
    raw: float
    scaled: float
    rank: int


class ExcerptShape(Shape):
    """A passage and what to mark in it."""

    passage: PassageShape
    highlights: list[SpanShape] = Field(description="Words that matched, as spans of the document's text.")
    best_sentence: SpanShape | None = Field(description="The sentence of the passage closest in meaning to the query.")
    topic: int | None


class HitShape(Shape):
    """A ranked document with its best passage, how it was scored, and what to mark in it."""

    rank: int
    score: float
    parts: list[ScorePartShape]
    document: DocumentRef
    passage: PassageShape
    highlights: list[SpanShape] = Field(description="Words that matched, as spans of the document's text.")
    best_sentence: SpanShape | None = Field(description="The sentence of the passage closest in meaning to the query.")
    duplicates: int = Field(description="Near-duplicates collapsed under this hit.")
    topic: int | None
    more: list[ExcerptShape] = Field(description="The next best passages of the document, where asked for.")
    relevance: float | None = Field(description="0 to 1, of like meaning for every query; null where not measured.")


class FacetShape(Shape):
    value: str
    label: str
    count: int


class RelevanceBasisShape(Shape):
    """What the relevance of hits rests on."""

    kind: str = Field(
        description="label-free: how far a hit stands out; judgments: the chance that a judge accepts it."
    )
    passages: int = Field(description="Passages of the collection when it was measured; 0 = unknown.")
    queries: int = Field(description="Judged queries that it was fitted to; 0 label-free, as the next two.")
    hits: int
    accepted: int
    error: list[float] | None = Field(
        description="Expected calibration error on queries held out, with the ends of its 95 % interval."
    )


class RespeltShape(Shape):
    """A word of the query and what looks like it, which was looked for besides."""

    typed: str
    used: list[str] = Field(description="Words of the collection, the likeliest first.")
    unknown: bool = Field(description="Whether no document holds it as typed; else these are misread forms of it.")


class AnswerShape(Shape):
    """Hits in order, exact facet counts over `total` documents, and what answered."""

    hits: list[HitShape]
    query: str
    mode: str
    weight: float
    total: int
    facets: dict[str, list[FacetShape]]
    encoder: str
    generation: int | None
    notes: list[str]
    rerank: str = Field(description="How the first hits were put in order again: maxsim, cross-encoder or none.")
    rerank_ms: float = Field(description="The milliseconds that took.")
    close: bool | None = Field(description="Whether a hit stands out from chance; null where that was not measured.")
    basis: RelevanceBasisShape | None = Field(description="What relevance rests on; null where that was not measured.")
    respelt: list[RespeltShape] = Field(description="Did you mean: words looked for by what looks like them.")


# ------------------------------------------------------------------------------ from values to shapes


def span(value: Span) -> SpanShape:
    return SpanShape(start=value.start, end=value.end)


def place(value: Anchor | None) -> PlaceShape | None:
    return None if value is None else PlaceShape(kind=value.kind, number=value.number)


def document_ref(value: Document) -> DocumentRef:
    return DocumentRef(**_ref(value))


def document(value: Document, collection_name: str) -> DocumentShape:
    return DocumentShape(
        **_ref(value),
        collection=collection_name,
        length=value.length,
        digest=value.digest,
        parent=value.parent_id,
        duplicate_group=value.duplicate_group,
        metadata=dict(value.metadata),
    )


def _ref(value: Document) -> dict[str, Any]:
    return {
        "id": value.id,
        "title": value.title,
        "name": value.display_title,
        "source": value.source,
        "date": value.date,
        "author": value.author,
        "language": value.language,
        "type": value.type,
    }


def passage(value: Passage, at: Anchor | None = None) -> PassageShape:
    return PassageShape(id=value.id, start=value.start, end=value.end, text=value.text, place=place(at))


def document_passage(value: Passage, anchors: Sequence[Anchor] = ()) -> DocumentPassage:
    return DocumentPassage(
        id=value.id,
        start=value.start,
        end=value.end,
        text=value.text,
        place=place(_anchor_at(anchors, value.start)),
        document=value.document_id,
        position=value.position,
    )


def _anchor_at(anchors: Sequence[Anchor], start: int) -> Anchor | None:
    """The last anchor that begins at or before `start`."""
    return max((a for a in anchors if a.start <= start), key=lambda a: a.start, default=None)


def hit(value: Hit) -> HitShape:
    return HitShape(
        rank=value.rank,
        score=value.score,
        parts=[ScorePartShape(retriever=p.retriever, raw=p.raw, scaled=p.scaled, rank=p.rank) for p in value.parts],
        document=document_ref(value.document),
        passage=passage(value.passage, value.place),
        highlights=[span(s) for s in value.highlights],
        best_sentence=None if value.best_sentence is None else span(value.best_sentence),
        duplicates=value.duplicates,
        topic=value.topic_id,
        more=[excerpt(e) for e in value.more],
        relevance=value.relevance,
    )


def excerpt(value: Excerpt) -> ExcerptShape:
    return ExcerptShape(
        passage=passage(value.passage, value.place),
        highlights=[span(s) for s in value.highlights],
        best_sentence=None if value.best_sentence is None else span(value.best_sentence),
        topic=value.topic_id,
    )


def facets(value: Mapping[str, Sequence[FacetValue]]) -> dict[str, list[FacetShape]]:
    return {
        field: [FacetShape(value=v.value, label=v.label or v.value, count=v.count) for v in values]
        for field, values in value.items()
    }


def answer(value: SearchAnswer) -> AnswerShape:
    return AnswerShape(
        hits=[hit(h) for h in value.hits],
        query=value.query,
        mode=value.mode.value,
        weight=value.weight,
        total=value.total,
        facets=facets(value.facets),
        encoder=value.encoder,
        generation=value.generation,
        notes=list(value.notes),
        rerank=value.rerank,
        rerank_ms=round(value.rerank_ms, 1),
        close=value.close,
        basis=basis(value.basis),
        respelt=[RespeltShape(typed=one.typed, used=list(one.used), unknown=one.unknown) for one in value.respelt],
    )


def basis(value: RelevanceBasis | None) -> RelevanceBasisShape | None:
    if value is None:
        return None
    return RelevanceBasisShape(
        kind=value.kind,
        passages=value.passages,
        queries=value.queries,
        hits=value.hits,
        accepted=value.accepted,
        error=list(value.error) if value.error is not None else None,
    )
