"""Answers to questions, and summaries, in the archive's own words."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.types import DocumentId, TopicId
from search.answers import MOST
from search.summaries import MOST as MOST_SENTENCES
from search.summaries import SENTENCES
from web import answer_shapes
from web.answer_shapes import AnswersShape, SummaryShape
from web.api.blueprint import api
from web.api.params import CollectionPath, DocumentPath, Line, Parameters, TopicPath
from web.api.search import SEARCH, Query, request_of
from web.wiring import services

_COUNT = Field(SENTENCES, ge=1, le=MOST_SENTENCES, description="Sentences at most.")


class Question(Query):
    """A question, asked like a query."""

    most: int = Field(3, ge=1, le=MOST, description="Answers at most.")
    model: Line = Field("", description="A head for answers or a model with a question-answering head; else sentences.")


class Summed(Parameters):
    sentences: int = _COUNT


class SummedQuery(Query):
    count: int = _COUNT


@api.get("/collections/<name>/answer", tags=SEARCH, responses={200: AnswersShape})
def answer(path: CollectionPath, query: Question) -> Response:
    """What of the archive answers a question: spans by a model, else sentences"""
    found = services().answers.answer(request_of(path.name, query), most=query.most, model=query.model)
    return jsonify(answer_shapes.answers(found).json_value())


@api.get("/collections/<name>/summary", tags=SEARCH, responses={200: SummaryShape})
def summary_of_query(path: CollectionPath, query: SummedQuery) -> Response:
    """What the best hits of a query say, in some of their sentences"""
    found = services().summaries.of_query(request_of(path.name, query), query.count)
    return jsonify(answer_shapes.summary(found).json_value())


@api.get("/documents/<document_id>/summary", tags=SEARCH, responses={200: SummaryShape})
def summary_of_document(path: DocumentPath, query: Summed) -> Response:
    """A document in some of its sentences"""
    found = services().summaries.of_document(DocumentId(path.document_id), query.sentences)
    return jsonify(answer_shapes.summary(found).json_value())


@api.get("/topics/<topic_id>/summary", tags=SEARCH, responses={200: SummaryShape})
def summary_of_topic(path: TopicPath, query: Summed) -> Response:
    """A topic in some sentences of its passages"""
    found = services().summaries.of_topic(TopicId(path.topic_id), query.sentences)
    return jsonify(answer_shapes.summary(found).json_value())
