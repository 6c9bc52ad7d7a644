"""The one place where bytes become text, and where text becomes safe to keep."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes

from indexer.readers.base import Unreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins the same
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Enough to tell an encoding by; looking at more costs seconds and changes nothing.
_SAMPLE = 1 << 16
# Not text: NUL and other controls (tabs and line ends aside), lone surrogates, the code points that are no characters.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_BLANKS = re.compile("[\u00a0\u202f\u2007]")
_LINE_ENDS = re.compile("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029")
_MAX_NESTING = 12


def clean(text: str) -> str:
    """Without NUL, control characters, lone surrogates and byte order marks; every line end is a line
    feed, a blank that never breaks is a blank.
    """
    return _LINE_ENDS.sub("\n", _BLANKS.sub(" ", _UNWANTED.sub("", text.lstrip("\ufeff"))))


def clean_line(text: str, longest: int = 1000) -> str:
    """`clean`, on one line: for titles and names."""
    return " ".join(clean(text).split())[:longest]


def decode(data: bytes, declared: str = "") -> str:
    """The text of `data`: by its byte order mark, as UTF-8, by `declared`, else by what the bytes look like.

    Raises Unreadable where they look like no text at all. The result is not yet cleaned.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if declared and (text := _decoded(data, declared)) is not None:
        return text
    if (text := _decoded(data, "utf-8")) is not None:
        return _if_text(text)
    return _guessed(data)


def read_text(path: Path) -> str:
    """The decoded, cleaned text of a file."""
    return clean(decode(path.read_bytes()))


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        # "ascii" and "latin-1" are what old programs call Windows-1252, which holds the same letters and more.
        name = codecs.lookup(encoding).name
        return data.decode("cp1252" if name in {"ascii", "iso8859-1"} and any(data) else name)
    except (LookupError, UnicodeError):
        return None


def _if_text(text: str) -> str:
    """`text`, if it is not the binary data that happens to be valid UTF-8."""
    sample = text[:_SAMPLE]
    if len(_UNWANTED.findall(sample)) > max(8, len(sample) // 20):
        raise Unreadable("not text: it looks like binary data")
    return text


def _guessed(data: bytes) -> str:
    guess = from_bytes(data[:_SAMPLE]).best()
    if guess is None:
        raise Unreadable("not text: it looks like binary data")
    return _if_text(data.decode(guess.encoding, "replace"))


def json_value(value: Any, nesting: int = 0) -> Any:
    """`value` as JSON can hold it: clean strings, finite numbers, dates as ISO text, no more than a dozen levels."""
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping) and nesting < _MAX_NESTING:
        return {clean(str(key)): json_value(item, nesting + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and nesting < _MAX_NESTING:
        return [json_value(item, nesting + 1) for item in value]
    return clean(str(value))
