"""JSON below /api/v1: every view parses, asks the services, and answers in the shapes of `web/shapes.py`."""

from web.api import (
    batch,
    bindings,
    collections,
    curation,
    documents,
    encoders,
    evaluate,
    explain,
    export,
    heads,
    jobs,
    judgments,
    reading,
    saved,
    search,
    topic_analyses,
    topics,
)
from web.api.blueprint import api

__all__ = [
    "api",
    "batch",
    "bindings",
    "collections",
    "curation",
    "documents",
    "encoders",
    "evaluate",
    "explain",
    "export",
    "heads",
    "jobs",
    "judgments",
    "reading",
    "saved",
    "search",
    "topic_analyses",
    "topics",
]
