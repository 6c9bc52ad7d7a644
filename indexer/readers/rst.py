"""reStructuredText: its text without roles, targets and underlines; header fields (as in PEPs) as facts."""

from __future__ import annotations

import re
from pathlib import Path

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line, read_text
from indexer.readers.language import language_code
from riparian.types import Anchor, Extracted

_FIELD = re.compile(r":?([A-Za-z][\w -]{0,40}):(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r"([=\-`:.'\"~^_*+#<>!$%&])\1{2,}\s*$")
_TARGET = re.compile(r"\.\. (?:_[^:]+:|\|[^|]+\| \w+::)")
_DIRECTIVE = re.compile(r"(\s*)\.\. ([\w:-]+)::[ \t]*(.*)$")
_COMMENT = re.compile(r"\.\.(?: (?!\[)|$)")
_INLINE = (
    (re.compile(r":[\w:+.-]+:`([^`<]+?)\s*<[^`>]+>`"), r"\1"),
    (re.compile(r":[\w:+.-]+:`~?!?([^`]+)`"), r"\1"),
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`__?"), r"\1"),
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"\[([\w#*.-]+)\]_\b"), r"[\1]"),
    (re.compile(r"\*\*(\S(?:[^*]*\S)?)\*\*"), r"\1"),
    (re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])"), r"\1"),
)
# Directives whose argument is text to read, not a file or an option.
_WITH_TEXT = frozenset(
    "note warning tip important caution danger attention hint error admonition topic sidebar rubric".split()
)
_HIDDEN = frozenset("image figure include raw contents highlight toctree index role default-role meta".split())


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file; header fields that are no title, date, author or language become metadata."""
    lines = read_text(path).split("\n")
    fields, first = _header(lines)
    lower = {name.lower(): value for name, value in fields.items()}
    text, heading, anchors = _body(lines[first:], first + 1)
    yield Extracted(
        member="",
        text=text,
        title=clean_line(lower.get("title", "") or heading),
        date=parse_date(lower.get("date", "")) or parse_date(lower.get("created", "")),
        author=_authors(lower.get("author", "") or lower.get("authors", "")),
        language=language_code(lower.get("language", "") or lower.get("lang", "")),
        anchors=anchors,
        metadata={name: value for name, value in fields.items() if name.lower() not in _OWN_FIELDS},
    )


_OWN_FIELDS = frozenset(("title", "author", "authors", "date", "language", "lang"))


def _header(lines: list[str]) -> tuple[dict[str, str], int]:
    """The fields at the very top (continued on indented lines) and the line after them."""
    fields: dict[str, str] = {}
    name, at = "", 0
    for at, line in enumerate(lines):  # noqa: B007 - used after the loop
        match = _FIELD.match(line)
        if match is not None:
            name = match[1]
            fields[name] = (match[2] or "").strip()
        elif name and line[:1].isspace() and line.strip():
            fields[name] = f"{fields[name]} {line.strip()}".strip()
        elif line.strip() or fields:
            break
    # A single "Note: …" at the top is a sentence, not a header.
    return (fields, at) if len(fields) >= 2 or (lines and lines[0].startswith(":") and fields) else ({}, 0)


def _authors(value: str) -> str:
    """Names without their addresses."""
    names = [re.sub(r"\s*<[^>]*>", "", name).strip() for name in re.split(r",(?![^<]*>)", value)]
    return clean_line(", ".join(name for name in names if name))


def _body(lines: list[str], first_line: int) -> tuple[str, str, tuple[Anchor, ...]]:
    """The text without markup, its first heading, and the file's line number at each paragraph."""
    kept: list[tuple[int, str]] = []
    heading = ""
    hidden: int | None = None  # indentation of what is passed over
    for number, line in enumerate(lines, start=first_line):
        if hidden is not None:
            if not line.strip() or len(line) - len(line.lstrip()) > hidden:
                continue
            hidden = None
        if _UNDERLINE.match(line) and not line[:1].isspace():
            heading = heading or (kept[-1][1].strip() if kept else "")
            continue
        hidden = _hides(line)
        plain = _plain(line).rstrip() if hidden is None else ""
        if plain or (kept and kept[-1][1]):  # one blank line is enough
            kept.append((number, plain))
    return "\n".join(line for _, line in kept).rstrip(), heading, _anchors(kept)


def _anchors(kept: list[tuple[int, str]]) -> tuple[Anchor, ...]:
    anchors: list[Anchor] = []
    start, before = 0, ""
    for number, line in kept:
        if line and not before:
            anchors.append(Anchor(start, "line", number))
        start, before = start + len(line) + 1, line
    return tuple(anchors)


def _hides(line: str) -> int | None:
    """The indentation at `line` when it opens something that is not text."""
    directive = _DIRECTIVE.match(line)
    if directive is not None:
        return len(directive[1]) if directive[2] in _HIDDEN else None
    stripped = line.lstrip()
    if _TARGET.match(stripped) or _COMMENT.match(stripped):
        return len(line) - len(stripped)
    return None


def _plain(line: str) -> str:
    directive = _DIRECTIVE.match(line)
    if directive is not None:
        line = directive[1] + directive[3] if directive[2] in _WITH_TEXT else ""
    for pattern, replacement in _INLINE:
        line = pattern.sub(replacement, line)
    return re.sub(r"::$", ":", line)
