"""Answers above the hits of a question; summaries of documents, topics and searches, where asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import request, url_for

from riparian.errors import NotIndexedYet
from riparian.types import DocumentId, Hit, TopicId
from search.answers import Answer, is_question
from search.explain.service import Explained
from search.request import SearchRequest
from search.summaries import Summary
from web.pages.blueprint import blueprint
from web.span_readers import TASK
from web.wiring import services

SHOWN = 3


@dataclass(frozen=True, slots=True)
class ShownAnswers:
    """What answers a question; `model` read for it ("" = sentences), `models` could."""

    answers: tuple[Answer, ...]
    no_answer: float | None
    model: str
    models: tuple[str, ...]


def answers(found: Explained, hits: Sequence[Hit], asked: SearchRequest) -> ShownAnswers | None:
    """For a query that is a question, or where the address asks for answers; None otherwise.

    Sentences of the hits shown cost nothing more; a model is asked where the address names one."""
    model = request.args.get("model", "")
    if not hits or asked.offset or not (is_question(asked.query) or model or request.args.get("answer")):
        return None
    models = tuple(one.name for one in services().heads.kept() if one.card.task == TASK)
    if model:
        read = services().answers.answer(asked, most=SHOWN, model=model)
        return ShownAnswers(read.answers, read.no_answer, model, models)
    return ShownAnswers(services().answers.of_hits(found.standing, hits, SHOWN), None, "", models)


@blueprint.app_context_processor
def _for_templates() -> dict[str, Any]:
    return {"summary_of": summary_of, "this_page": this_page}


def summary_of(kind: Literal["document", "topic", "query"], what: Any) -> Summary | None:
    """None where nobody asks for one (`summary=1` in the address), or the collection has no encoder yet."""
    if not request.args.get("summary"):
        return None
    try:
        if kind == "query":
            return services().summaries.of_query(what)
        if kind == "topic":
            return services().summaries.of_topic(TopicId(what))
        return services().summaries.of_document(DocumentId(what))
    except NotIndexedYet:
        return None


def this_page(anchor: str, **changed: str) -> str:
    """The address of the page shown, with some of its parameters changed."""
    assert request.endpoint is not None
    given: dict[str, Any] = {**request.args.to_dict(flat=False), **changed}
    return url_for(request.endpoint, **(request.view_args or {}), **given, _anchor=anchor)
