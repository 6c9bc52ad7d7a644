"""Rich Text Format."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from striprtf import striprtf

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.decode import clean_line
from riparian.types import Extracted

_to_text: Any = striprtf.rtf_to_text

_INFO = re.compile(r"\{\\(title|author|subject|keywords)\b([^{}]{0,2000})\}")
_CREATED = re.compile(r"\{\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
_PAGE_SIGNS = re.compile(r"[^\S\n]+\n")


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file, with the facts of its information group."""
    markup = path.read_bytes().decode("latin-1")  # RTF is ASCII with escapes; stray bytes are its code page's
    facts = {match[1]: _plain(match[2]) for match in _INFO.finditer(markup[:200_000])}
    yield Extracted(
        member="",
        text=_PAGE_SIGNS.sub("\n", _to_text(markup, encoding="cp1252", errors="replace")),
        title=facts.get("title", ""),
        date=_created(markup[:200_000]),
        author=facts.get("author", ""),
        metadata={name: facts[name] for name in ("subject", "keywords") if facts.get(name)},
    )


def _plain(value: str) -> str:
    return clean_line(_to_text("{\\rtf1 " + value + "}", errors="replace"))


def _created(markup: str) -> date | None:
    match = _CREATED.search(markup)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
