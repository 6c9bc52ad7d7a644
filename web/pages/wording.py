"""How numbers, times, dates and places are said; the filters of all templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint

from riparian.text import words
from riparian.types import Anchor, Document, Job, Topic

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_KINDS = {
    "index": "Indexing",
    "compact": "Tidying the index",
    "reindex": "Re-indexing with another encoder",
    "token-states": "Making token states",
    "topics": "Finding topics",
    "refit-topics": "Refitting topics",
    "assign-topics": "Giving new passages their topics",
    "topics-quality": "Measuring topics",
    "topics-map": "Drawing the map",
    "senses": "Finding the senses of a word",
    "assign-senses": "Giving new occurrences their senses",
    "train": "Training an encoder",
    "tune": "Tuning an encoder",
    "compare": "Comparing encoders",
    "bank": "The bank bench",
    "estimate": "Telling the cost of encoders",
    "learn": "Learning a head",
    "calibrate": "Measuring what scores mean",
    "check-saved": "Looking for new hits of saved searches",
    "evaluate": "Measuring the search",
}
_STAGES = {
    "scan": "looking for files",
    "read": "reading files",
    "lexical": "indexing words",
    "duplicates": "finding near-copies",
    "embed": "embedding",
    "compact": "tidying the index",
    "states": "making token states",
    "measure": "measuring the speed",
    "train": "training",
    "compare": "comparing",
    "bench": "looking at occurrences",
    "estimate": "encoding a sample",
    "judge": "judging on held-out documents",
    "check": "asking saved searches",
    "calibrate": "asking questions about something else",
    "fit-judgments": "asking the judged queries",
    "ask-judged": "asking the judged queries",
    "index-sample": "indexing a sample",
    "ask-sample": "asking the sample",
}


def register(blueprint: Blueprint) -> None:
    """Makes the filters and functions of this module known to every template."""
    for function in _FILTERS:
        blueprint.add_app_template_filter(function)
    blueprint.add_app_template_global(seconds_left)
    blueprint.add_app_template_global(rate)


def count(number: int) -> str:
    """1,234,567"""
    return f"{number:,}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """1 document, 1,200 documents."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def score(value: float) -> str:
    return f"{value:.2f}"


def percent(value: float) -> str:
    """A share of 0..1; small ones keep a digit, so that nothing real is shown as 0."""
    return f"{value * 100:.0f}%" if value >= 0.0995 or value == 0 else f"{value * 100:.1f}%"


def day(value: date | None) -> str:
    """14 March 2001"""
    return f"{value.day} {value:%B} {value.year}" if value is not None else ""


def moment(value: datetime | None) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if value is not None else ""


def duration(seconds: float | None) -> str:
    """A time as a person says it: 40 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def place(anchor: Anchor | None) -> str:
    return f"{anchor.kind} {anchor.number}" if anchor is not None else ""


def language_tag(code: str) -> str:
    """The code where it may stand in a `lang` attribute, else ""."""
    return code if _LANGUAGE.fullmatch(code) else ""


def job_title(job: Job) -> str:
    return _KINDS.get(job.kind, job.kind.replace("_", " ").replace("-", " ").capitalize())


def stage(job: Job) -> str:
    """What a running job does now."""
    return _STAGES.get(job.stage, job.stage) or "starting"


def further_terms(topic: Topic, number: int = 7) -> list[str]:
    """The leading words of a topic that its name does not say already."""
    named = {word.word for word in words(topic.label)}
    return [term.term for term in topic.terms if term.term not in named][:number]


def name(document: Document) -> str:
    """The title; the last two parts of the source where there is none, which say more than a bare file name."""
    return document.title or "/".join(document.source.replace("!", "/").split("/")[-2:])


def shelfmark(document: Document) -> str:
    """The source with the members of archives and mails set apart."""
    return document.source.replace("!", " › ")


def seconds_left(job: Job) -> float | None:
    return job.seconds_left(datetime.now(UTC))


def rate(job: Job) -> float | None:
    """Units a second in the stage that runs."""
    return job.rate(datetime.now(UTC))


_FILTERS: tuple[Callable[..., Any], ...] = (
    count, counted, score, percent, day, moment, duration, place,
    language_tag, job_title, stage, further_terms, name, shelfmark,
)  # fmt: skip
