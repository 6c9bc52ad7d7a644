"""Topics and models of topics as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from riparian.types import Membership, Topic, TopicModelInfo
from web.shapes import Shape


class TermShape(Shape):
    word: str
    weight: float


class TopicShape(Shape):
    """`words` are the heaviest, `terms` are the words with their weights; `named` where a person gave the label."""

    id: int
    number: int
    label: str
    words: list[str]
    terms: list[TermShape]
    share: float
    passages: int
    documents: int
    coherence: dict[str, float | None]
    representatives: list[int]
    named: bool
    hidden: bool
    pinned: bool
    note: str


class TopicModelShape(Shape):
    id: int
    kind: str
    created: datetime
    active: bool
    topics: int
    passages: int
    settings: dict[str, Any]
    scores: dict[str, float | None]


class MembershipShape(Shape):
    """How much of a passage or document a topic is."""

    topic: int
    label: str
    weight: float


def topic(value: Topic, words: int = 10) -> TopicShape:
    return TopicShape(
        id=value.id,
        number=value.number,
        label=value.label,
        words=[t.term for t in value.terms[:words]],
        terms=[TermShape(word=t.term, weight=t.weight) for t in value.terms],
        share=value.share,
        passages=value.passages,
        documents=value.documents,
        coherence=dict(value.coherence),
        representatives=[int(p) for p in value.representatives],
        named=value.named,
        hidden=value.hidden,
        pinned=value.pinned,
        note=value.note,
    )


def topic_model(value: TopicModelInfo) -> TopicModelShape:
    return TopicModelShape(
        id=value.id,
        kind=value.kind,
        created=value.created,
        active=value.active,
        topics=value.topics,
        passages=value.passages,
        settings=dict(value.settings),
        scores=dict(value.scores),
    )


def memberships(values: Sequence[Membership], labels: Mapping[int, str]) -> list[MembershipShape]:
    """Labelled; a membership whose topic is gone is left out."""
    return [
        MembershipShape(topic=m.topic_id, label=labels[m.topic_id], weight=m.weight)
        for m in values
        if m.topic_id in labels
    ]
