"""HTML pages: every view parses, asks the services, renders a template. Nothing here needs JavaScript."""

from web.pages import (
    calibration,
    collections,
    curation,
    encoders,
    evaluation,
    explain,
    failures,
    guide,
    heads,
    home,
    jobs,
    judgments,
    reader,
    reading_list,
    refits,
    saved,
    search,
    senses,
    similar,
    topic_analyses,
    topics,
    wording,
)
from web.pages.blueprint import blueprint

wording.register(blueprint)

__all__ = [
    "blueprint",
    "calibration",
    "collections",
    "curation",
    "encoders",
    "evaluation",
    "explain",
    "failures",
    "guide",
    "heads",
    "home",
    "jobs",
    "judgments",
    "reader",
    "reading_list",
    "refits",
    "saved",
    "search",
    "senses",
    "similar",
    "topic_analyses",
    "topics",
]
