"""The search service behind the gate: what encodes or ranks waits its turn, or is told to come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riparian.types import EVERYTHING, DocumentId, Filters, Hit, Mode, PassageId, SearchAnswer, Span, TopicId
from search.answers import Answer, Answers, AnswerService
from search.explain.records import Contrast, Explanation
from search.explain.service import Explained, ExplainService
from search.request import Page, SearchRequest
from search.service import SearchService, Standing
from search.summaries import SENTENCES, Summary, SummaryService
from web.gate import Gate


@dataclass(frozen=True, slots=True)
class GatedSearch:
    """As `SearchService`; each call may raise Overloaded besides."""

    inner: SearchService
    gate: Gate

    def search(self, request: SearchRequest) -> SearchAnswer:
        with self.gate:
            return self.inner.search(request)

    def by_text(
        self,
        collection: str,
        text: str,
        *,
        mode: Mode = Mode.HYBRID,
        filters: Filters = EVERYTHING,
        weight: float | None = None,
        page: Page | None = None,
    ) -> SearchAnswer:
        with self.gate:
            return self.inner.by_text(collection, text, mode=mode, filters=filters, weight=weight, page=page)

    def similar_to_document(
        self, document_id: DocumentId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        with self.gate:
            return self.inner.similar_to_document(document_id, filters=filters, page=page)

    def similar_to_passage(
        self, passage_id: PassageId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        with self.gate:
            return self.inner.similar_to_passage(passage_id, filters=filters, page=page)

    def marks(self, document_id: DocumentId, query: str, within: Span | None = None) -> tuple[Span, ...]:
        return self.inner.marks(document_id, query, within)


@dataclass(frozen=True, slots=True)
class GatedExplain:
    """As `ExplainService`; each call may raise Overloaded besides."""

    inner: ExplainService
    gate: Gate

    def search(self, request: SearchRequest, *, estimates: bool = False, first: int | None = None) -> Explained:
        with self.gate:
            return self.inner.search(request, estimates=estimates, first=first)

    def passages(self, request: SearchRequest, passages: Sequence[PassageId]) -> list[Explanation]:
        with self.gate:
            return self.inner.passages(request, passages)

    def contrast(self, request: SearchRequest, first: PassageId, second: PassageId) -> Contrast:
        with self.gate:
            return self.inner.contrast(request, first, second)


@dataclass(frozen=True, slots=True)
class GatedAnswers:
    """As `AnswerService`; each call may raise Overloaded besides."""

    inner: AnswerService
    gate: Gate

    def answer(self, request: SearchRequest, *, most: int = 3, model: str = "") -> Answers:
        with self.gate:
            return self.inner.answer(request, most=most, model=model)

    def of_hits(self, standing: Standing, hits: Sequence[Hit], most: int = 1) -> tuple[Answer, ...]:
        with self.gate:
            return self.inner.of_hits(standing, hits, most)


@dataclass(frozen=True, slots=True)
class GatedSummaries:
    """As `SummaryService`; each call may raise Overloaded besides."""

    inner: SummaryService
    gate: Gate

    def of_document(self, document_id: DocumentId, count: int = SENTENCES) -> Summary:
        with self.gate:
            return self.inner.of_document(document_id, count)

    def of_topic(self, topic_id: TopicId, count: int = SENTENCES) -> Summary:
        with self.gate:
            return self.inner.of_topic(topic_id, count)

    def of_query(self, request: SearchRequest, count: int = SENTENCES) -> Summary:
        with self.gate:
            return self.inner.of_query(request, count)
