"""What a quality job found about a model's topics, kept as JSON beside the model's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riparian.encoders.storage import write_file
from riparian.types import TopicId
from topics.analysis.stability import Bin

NAME = "quality.json"


@dataclass(frozen=True, slots=True)
class TopicQuality:
    """One topic. `npmi` is that of the fit, `npmi_held_out` on documents its words were not chosen on; `own_words` the
    part of its ten words that are no other topic's, `exclusivity` its part in their occurrences; `stability` the
    forecast recurrence with `low` and `high` of the draws, `observed` that of fresh draws; then what to call it.
    """

    npmi: float | None
    npmi_held_out: float | None
    own_words: float
    exclusivity: float
    stability: float
    low: float
    high: float
    observed: float
    phrases: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """Of all topics of a model by id; `error`, `noise`, `bias` and `bins` as in `topics.analysis.stability`."""

    made: str
    passages: int
    draws: int
    fresh: int
    error: float
    noise: float
    bias: float
    bins: tuple[Bin, ...]
    topics: Mapping[TopicId, TopicQuality]

    def json_value(self) -> dict[str, Any]:
        return {**asdict(self), "topics": {str(topic): asdict(found) for topic, found in self.topics.items()}}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def save(folder: Path, report: Report) -> None:
    body = json.dumps(report.json_value(), ensure_ascii=False, indent=1) + "\n"
    write_file(folder / NAME, lambda draft: draft.write_text(body, encoding="utf-8"))


def load(folder: Path) -> Report | None:
    """None where no job has run, or where its file cannot be read: it is derived and can be made again."""
    try:
        body = json.loads((folder / NAME).read_text(encoding="utf-8"))
        topics = {TopicId(int(topic)): _topic(found) for topic, found in body.pop("topics").items()}
        return Report(**{**body, "bins": tuple(Bin(**one) for one in body["bins"])}, topics=topics)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _topic(found: dict[str, Any]) -> TopicQuality:
    return TopicQuality(**{**found, "phrases": tuple(found["phrases"])})
