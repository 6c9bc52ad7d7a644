"""Search: by a query, by a passage or document that is there, by a text or file of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi3.models.file import FileStorage
from pydantic import ConfigDict, Field

from riparian.catalog.filters import parse, sense_condition
from riparian.errors import BadQuery
from riparian.types import DocumentId, Filters, Mode, PassageId, SearchAnswer
from search.examples import HEAVIEST, MOST, Example
from search.request import LONGEST_PAGE, MOST_WITHIN, Fusion, Fuzziness, Page, Rerank, SearchRequest
from web import explain_shapes, shapes, topic_analysis_shapes, topic_mix, uploads
from web.api.blueprint import api, tag
from web.api.params import FILTERS, CollectionPath, DocumentPath, Id, Line, Parameters, PassagePath, SmallId, Text
from web.explain_shapes import ExplanationShape
from web.shapes import AnswerShape
from web.topic_analysis_shapes import MixedAnswerShape
from web.wiring import services

SEARCH = tag("search", "Passages that answer a query or are like something, the best first.")

MAX_OFFSET = 10_000
LONGEST_QUERY = 10_000
LONGEST_TEXT = 5_000_000

Facet = Annotated[str, Field(pattern=r"^(type|language|author|year|topic|sense|meta\.[^\s:<>=]{1,100})$")]


class Asked(Parameters):
    """What every search may say of its answer."""

    k: int = Field(10, ge=1, le=LONGEST_PAGE, description="Hits at most.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Hits to leave out before the first.")
    filter: list[Line] = Field(
        default_factory=list,
        max_length=20,
        description=FILTERS,
    )
    sense: list[SmallId] = Field(
        default_factory=list, max_length=100, description="Only where a word has one of these senses."
    )
    facets: list[Facet] = Field(
        default_factory=list,
        max_length=20,
        description="Fields to count: type, language, author, year, topic, sense, meta.<key>.",
    )
    collapse: bool = Field(True, description="Put near-duplicates under the best of them.")
    passages: int = Field(1, ge=1, le=20, description="Passages of a document that a hit shows.")
    sentences: bool = Field(True, description="Find the sentence closest in meaning (somewhat slower).")

    def conditions(self) -> Filters:
        """Of `filter` and `sense` together. BadFilter."""
        return parse([*self.filter, *sense_condition(self.sense)])

    def page(self) -> Page:
        return Page(self.k, self.offset, tuple(self.facets), self.collapse, self.passages, self.sentences)


class Ranked(Asked):
    mode: Mode = Field(Mode.HYBRID, description="Which retrievers answer.")
    weight: float | None = Field(None, ge=0, le=1, description="Share of the semantic score in a hybrid search.")


class Query(Ranked):
    """A query. Words in quotes must stand together; AND, OR, NOT and parentheses are understood."""

    q: str = Field(max_length=LONGEST_QUERY, description="What is looked for.")
    fusion: Fusion = Field(Fusion.MIN_MAX, description="How a hybrid search makes one ranking of two.")
    min_relevance: float | None = Field(None, ge=0, le=1, description="Leave out hits of less relevance.")
    rerank: Rerank | None = Field(None, description="How the first hits are put in order again; as configured.")
    fuzzy: Fuzziness = Field(
        Fuzziness.AUTO,
        description="Also look for what looks like words that no document holds (auto), like every word (on), or like "
        "none (off).",
    )
    topics: Literal["none", "mix"] = Field("none", description="mix: the topics of exactly the documents counted.")
    explain: bool = Field(False, description="Say of the first 50 hits which words their scores come from.")
    feedback: bool = Field(True, description="Go by the ticks and crosses that this query was given.")
    within: list[Annotated[Text, Field(min_length=1, max_length=LONGEST_QUERY)]] = Field(
        default_factory=list, max_length=MOST_WITHIN, description="Search only what these queries find."
    )


class ExampleBody(Parameters):
    """What hits should be like, or unlike: one of a passage, a document and a text."""

    passage: Id | None = None
    document: Id | None = None
    text: Text = Field("", max_length=LONGEST_QUERY)
    weight: float = Field(1.0, gt=0, le=HEAVIEST)


class SteeredQuery(Query):
    """A query with examples besides."""

    more: list[ExampleBody] = Field(default_factory=list, max_length=MOST, description="Hits should be like these.")
    less: list[ExampleBody] = Field(default_factory=list, max_length=MOST, description="And unlike these.")


class PastedText(Ranked):
    text: Text = Field(min_length=1, max_length=LONGEST_TEXT, description="A text of any length to find the like of.")


class UploadedFile(Parameters):
    """A file of any format that can be indexed; its first document's text is compared."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: FileStorage
    k: int = Field(10, ge=1, le=LONGEST_PAGE)


class SearchedShape(MixedAnswerShape):
    explanations: list[ExplanationShape] | None = Field(None, description="Of the hits in their order, with explain.")


@api.get("/collections/<name>/search", tags=SEARCH, responses={200: SearchedShape})
def search(path: CollectionPath, query: Query) -> Response:
    """Hits of a query"""
    return _searched(request_of(path.name, query), query)


@api.post("/collections/<name>/search", tags=SEARCH, responses={200: SearchedShape})
def search_by_body(path: CollectionPath, body: SteeredQuery) -> Response:
    """The same, asked as JSON, with examples that move it"""
    more, less = (tuple(_example(one) for one in side) for side in (body.more, body.less))
    return _searched(replace(request_of(path.name, body), more=more, less=less), body)


@api.post("/collections/<name>/similar", tags=SEARCH, responses={200: AnswerShape})
def similar_to_text(path: CollectionPath, body: PastedText) -> Response:
    """Hits like a text of one's own"""
    return _answered(
        services().search.by_text(
            path.name, body.text, mode=body.mode, filters=body.conditions(), weight=body.weight, page=body.page()
        )
    )


@api.post("/collections/<name>/similar/upload", tags=SEARCH, responses={200: AnswerShape})
def similar_to_file(path: CollectionPath, form: UploadedFile) -> Response:
    """Hits like an uploaded file (multipart/form-data)"""
    with services().database.read() as catalog:
        catalog.collections.named(path.name)
    text = uploads.text_of(services().settings, form.file)
    return _answered(services().search.by_text(path.name, text, page=Page(k=form.k)))


@api.get("/documents/<document_id>/similar", tags=SEARCH, responses={200: AnswerShape})
def similar_to_document(path: DocumentPath, query: Asked) -> Response:
    """Hits like a document, which is left out"""
    found = services().search.similar_to_document(
        DocumentId(path.document_id), filters=query.conditions(), page=query.page()
    )
    return _answered(found)


@api.get("/passages/<passage_id>/similar", tags=SEARCH, responses={200: AnswerShape})
def similar_to_passage(path: PassagePath, query: Asked) -> Response:
    """Hits like a passage, whose document is left out"""
    found = services().search.similar_to_passage(
        PassageId(path.passage_id), filters=query.conditions(), page=query.page()
    )
    return _answered(found)


def _example(body: ExampleBody) -> Example:
    return Example(
        passage=PassageId(body.passage) if body.passage is not None else None,
        document=DocumentId(body.document) if body.document is not None else None,
        text=body.text,
        weight=body.weight,
    )


def request_of(collection: str, query: Query) -> SearchRequest:
    """What the parameters of a search ask for. BadQuery, BadFilter."""
    if "\x00" in query.q:
        raise BadQuery("the query holds the character NUL")
    return SearchRequest(
        collection=collection,
        query=query.q,
        mode=query.mode,
        filters=query.conditions(),
        weight=query.weight,
        fusion=query.fusion,
        rerank=query.rerank,
        min_relevance=query.min_relevance,
        fuzzy=query.fuzzy,
        k=query.k,
        offset=query.offset,
        facets=tuple(query.facets),
        collapse=query.collapse,
        passages=query.passages,
        sentences=query.sentences,
        feedback=query.feedback,
        within=tuple(query.within),
    )


def _answered(answer: SearchAnswer) -> Response:
    return jsonify(shapes.answer(answer).json_value())


def _searched(request: SearchRequest, query: Query) -> Response:
    explained = services().explain.search(request, estimates=True) if query.explain else None
    answer = explained.answer if explained else services().search.search(request)
    value = shapes.answer(answer).json_value()
    if explained:
        value["explanations"] = [explain_shapes.explanation(one).json_value() for one in explained.explanations]
    if query.topics != "none":
        with services().database.read() as catalog:
            collection_id = catalog.collections.named(request.collection).id
        mix = topic_mix.of_answer(services(), collection_id, answer)
        value["topic_mix"] = topic_analysis_shapes.mix(mix).json_value() if mix else None
    return jsonify(value)
