"""Logs: configured once at the edge, as text for people or JSON for machines. What is searched for is not logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import structlog
from structlog.typing import Processor

from riparian.config import Settings
from riparian.errors import Invalid

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def configure(settings: Settings) -> None:
    """Sends every logger's events to standard error in the configured form. Invalid for an unknown level."""
    level = settings.log_level.upper()
    if level not in _LEVELS:
        raise Invalid(f"log level {settings.log_level!r} is not known; levels: {', '.join(_LEVELS)}")
    before: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=_last(settings.log_format))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("waitress.queue").setLevel("ERROR")  # a queue is no trouble; what is refused is counted


def _last(form: str) -> list[Processor]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "json":
        return [remove, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [remove, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
