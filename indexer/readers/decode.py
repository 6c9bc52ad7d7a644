"""The one place where bytes become text, and where text becomes safe to keep."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from indexer.readers.base import Unreadable
from indexer.readers.encodings import guess_encoding

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
_NOT_BESIDE_UTF8 = ("iso2022", "hz", "utf-16", "utf-32", "utf-7")


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
    name = _known_name(declared) or ("iso2022_jp" if b"\x1b$B" in data[:_SAMPLE] else "")
    # What is valid UTF-8 is UTF-8, whatever is declared, but for encodings that are made of ASCII bytes themselves.
    ways = (name, "utf-8") if name.startswith(_NOT_BESIDE_UTF8) else ("utf-8", name)
    for encoding in filter(None, ways):
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        return _if_text(text)
    return _if_text(data.decode(guess_encoding(data[:_SAMPLE]), "replace"))


def _known_name(declared: str) -> str:
    """Python's name of the encoding, "" for none; old programs call Windows-1252 ASCII or Latin-1."""
    try:
        name = codecs.lookup(declared).name if declared else ""
    except (LookupError, ValueError):
        return ""
    return "cp1252" if name in {"ascii", "iso8859-1"} else name


def read_text(path: Path) -> str:
    """The decoded, cleaned text of a file."""
    return clean(decode(path.read_bytes()))


def _if_text(text: str) -> str:
    """`text`, if it is not the binary data that happens to be valid UTF-8."""
    sample = text[:_SAMPLE]
    if len(_UNWANTED.findall(sample)) > max(8, len(sample) // 20):
        raise Unreadable("not text: it looks like binary data")
    return text


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
