"""Markdown: what a reader of the rendered page would see, with the facts of its YAML front matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line, read_text
from indexer.readers.html import page
from indexer.readers.language import language_code
from riparian.types import Extracted

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TEMPLATE_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TITLES, _DATES, _AUTHORS, _LANGUAGES = (
    ("title",),
    ("date", "published", "created"),
    ("author", "authors"),
    ("lang", "language"),
)


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file: title, date, author, language from the front matter, the rest of it as metadata."""
    facts, body = front_matter(read_text(path))
    if facts:  # the source of a site: what its generator would fill in is no text
        body = _TEMPLATE_TAG.sub("", body)
    rendered = page(MarkdownIt("commonmark").enable("table").render(body))
    yield Extracted(
        member="",
        text=rendered.text,
        title=_as_line(_take(facts, _TITLES)) or rendered.title,
        date=parse_date(_take(facts, _DATES)),
        author=_as_line(_take(facts, _AUTHORS)),
        language=language_code(_as_line(_take(facts, _LANGUAGES))),
        metadata=facts,
    )


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML carries no types
    """Refuses aliases: nested ones grow a few lines into gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The YAML mapping at the top, and the text below it; ({}, text) where there is none that can be read."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    try:
        facts = yaml.load(match[1], _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text
    if not isinstance(facts, Mapping):
        return {}, text
    return {str(key): value for key, value in facts.items()}, text[match.end() :]


def _take(facts: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of `names` that has a value, taken out of the facts."""
    for name in (key for key in list(facts) if key.lower() in names):
        if value := facts.pop(name):
            return value
    return None


def _as_line(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_as_line(item) for item in value)
    if isinstance(value, Mapping):
        return _as_line(value.get("name"))
    return clean_line(str(value)) if value is not None else ""
