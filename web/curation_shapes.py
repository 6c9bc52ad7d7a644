"""Curation of topics as JSON, the same in the API and in `--json` of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from riparian.catalog.curation import TopicEdit
from topics.curation.preview import Effect, Standing, TopicChange
from web.shapes import Shape

_BULKY = ("centres", "width", "words", "settled", "numbers")
"""What an edit stores so that it can be made again, of no use to a reader."""


class EditShape(Shape):
    """One change by a person. `state`: applied, undone, discarded (undone, and others came after) or mark (a refit or
    rollback, which is no edit)."""

    id: int
    time: datetime
    author: str
    reason: str
    kind: str
    state: str
    data: dict[str, Any]


class StandingShape(Shape):
    label: str
    words: list[str]
    passages: int
    share: float
    npmi: float | None


class TopicChangeShape(Shape):
    """A topic before and after; null where it is not there. One that is not stored yet has an id below 0."""

    topic: int
    before: StandingShape | None
    after: StandingShape | None


class EffectShape(Shape):
    """What an edit changes. `quality` of the whole model: mean `npmi` of the topics, `diversity` of their words."""

    kind: str
    passages: int = Field(description="Passages that get another mixture.")
    changes: list[TopicChangeShape]
    quality_before: dict[str, float]
    quality_after: dict[str, float]


class EditedShape(Shape):
    """The edit, null where it was only previewed, and what it changes."""

    edit: EditShape | None
    effect: EffectShape


class HistoryShape(Shape):
    """Newest first."""

    edits: list[EditShape]
    next: str | None


def edit(value: TopicEdit) -> EditShape:
    return EditShape(
        id=value.id, time=value.time, author=value.author, reason=value.reason, kind=value.kind, state=value.state,
        data=readable(value.data),
    )  # fmt: skip


def readable(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without what only the machine reads. Seeds are a list of words, and shown."""
    kept = {key: value for key, value in data.items() if key not in _BULKY or isinstance(value, list)}
    kept.pop("numbers", None)
    return kept


def effect(value: Effect) -> EffectShape:
    return EffectShape(
        kind=value.kind,
        passages=value.passages,
        changes=[_change(change) for change in value.changes],
        quality_before=dict(value.quality_before),
        quality_after=dict(value.quality_after),
    )


def edited(stored: TopicEdit | None, weighed: Effect) -> EditedShape:
    return EditedShape(edit=edit(stored) if stored else None, effect=effect(weighed))


def _change(change: TopicChange) -> TopicChangeShape:
    return TopicChangeShape(topic=change.topic, before=_standing(change.before), after=_standing(change.after))


def _standing(value: Standing | None) -> StandingShape | None:
    if value is None:
        return None
    return StandingShape(
        label=value.label, words=list(value.words), passages=value.passages, share=value.share, npmi=value.npmi
    )
