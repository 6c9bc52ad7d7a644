"""Heads: classes, sentiment, answers and tags, learnt on top of an encoder."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from training.heads.service import HeadWish, KeptHead
from web.api.answers import accepted, no_content
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import Line, Parameters, Text
from web.job_shapes import JobShape
from web.shapes import Shape
from web.wiring import services

HEADS = tag("heads", "What is learnt from examples on top of an encoder.")


class HeadShape(Shape):
    """`report` tells what it was learnt from, and how well it did on what was held out."""

    name: str
    task: str
    labels: list[str]
    encoder: str
    created: datetime
    settings: dict[str, Any]
    report: dict[str, Any]


class HeadsShape(Shape):
    heads: list[HeadShape]


class AppliedShape(Shape):
    """One answer a text: a label with probabilities, tagged words, or where an answer stands."""

    answers: list[dict[str, Any]]


class HeadPath(BaseModel):
    head: Line = Field(description="Its name.")


class LearnBody(Parameters):
    head: Line = Field(description="classification, sentiment, answers, tagging, tuned-classification or layer-mix.")
    name: Line = Field(min_length=1, max_length=64, description="What to call it.")
    examples: Line = Field(description="A .csv, .tsv or .jsonl file of the machine that serves.")
    encoder: Line = Field("", description="What it stands on; the configured one by default.")
    columns: dict[str, Line] = Field(default_factory=dict, description="Other names of the columns of the file.")
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int = Field(0, ge=0, le=2**31 - 1)


class ApplyBody(Parameters):
    texts: list[Text] = Field(min_length=1, max_length=100)
    question: Text = ""


@api.get("/heads", tags=HEADS, responses={200: HeadsShape})
def list_heads() -> Response:
    """Every head that was learnt here"""
    return jsonify(HeadsShape(heads=[shape(head) for head in services().heads.kept()]).json_value())


@api.post("/heads", tags=HEADS, responses={202: JobShape})
def learn_head(body: LearnBody) -> Response:
    """Queue learning a head from a file of examples"""
    parts = services()
    wish = HeadWish(**body.model_dump() | {"encoder": body.encoder or parts.settings.encoder})
    return accepted(job_of(parts.heads.learn(wish)))


@api.get("/heads/<head>", tags=HEADS, responses={200: HeadShape})
def get_head(path: HeadPath) -> Response:
    """One head with its report"""
    return jsonify(shape(services().heads.get(path.head)).json_value())


@api.delete("/heads/<head>", tags=HEADS, responses={204: None})
def remove_head(path: HeadPath) -> Response:
    """Delete a head"""
    services().heads.remove(path.head)
    return no_content()


@api.post("/heads/<head>/apply", tags=HEADS, responses={200: AppliedShape})
def apply_head(path: HeadPath, body: ApplyBody) -> Response:
    """Put a head to use on texts"""
    found = services().heads.apply(path.head, body.texts, body.question)
    return jsonify(AppliedShape(answers=found).json_value())


def shape(head: KeptHead) -> HeadShape:
    card = head.card
    return HeadShape(
        name=head.name,
        task=card.task,
        labels=list(card.labels),
        encoder=card.encoder["name"],
        created=head.created,
        settings=dict(card.settings),
        report=dict(card.report),
    )
