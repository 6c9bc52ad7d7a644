"""JSON below /api/v1: every view parses, asks the services, and answers in the shapes of `web/shapes.py`."""

from web.api import bindings, collections, documents, encoders, export, heads, jobs, judgments, search, topics
from web.api.blueprint import api

__all__ = [
    "api",
    "bindings",
    "collections",
    "documents",
    "encoders",
    "export",
    "heads",
    "jobs",
    "judgments",
    "search",
    "topics",
]
