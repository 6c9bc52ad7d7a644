"""Parallel text: English messages with their translations, from gettext catalogues (`.mo`) and two-column tables."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from riparian.errors import Invalid, MissingPath, UnreadableFile

_MAGIC = 0x950412DE
_HEADER = 28
_LONGEST_LINE = 1 << 20
_CHARSET = re.compile(r"charset=([\w.:-]+)", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_MNEMONIC = re.compile(r"(?<!\S)[_&](?=\w)")


class Pair(NamedTuple):
    """A text and its translation, in one line each."""

    source: str
    target: str


def read(paths: Iterable[Path]) -> Iterator[Pair]:
    """The pairs of `.mo`, `.tsv` and `.tsv.gz` files, in the order given.

    Raises MissingPath, UnreadableFile for a damaged file, Invalid for a file of another form.
    """
    for path in paths:
        if not path.is_file():
            raise MissingPath(path)
        if path.suffix == ".mo":
            yield from read_catalogue(path)
        elif path.name.endswith((".tsv", ".tsv.gz")):
            yield from read_table(path)
        else:
            raise Invalid(f"{path}: parallel text is read from .mo, .tsv and .tsv.gz files")


def catalogues(root: Path, language: str) -> list[Path]:
    """The gettext catalogues of a language below a folder such as /usr/share/locale, in order of path."""
    return sorted(path for path in root.rglob("*.mo") if path.parent.parts[-2:] == (language, "LC_MESSAGES"))


def read_table(path: Path) -> Iterator[Pair]:
    """Lines of a text, a tab, and its translation. Raises UnreadableFile naming the line that is not so."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            number = 0
            while raw := file.readline(_LONGEST_LINE):
                number += 1
                yield _row(path, number, raw)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(path, str(error)) from error


def read_catalogue(path: Path) -> Iterator[Pair]:
    """The messages of a compiled catalogue (GNU gettext manual, "The Format of GNU MO Files").

    Of a message with plural forms the singular with the first form and the plural with the last are read. Context,
    markup and the marks of keyboard letters are taken away. Raises UnreadableFile for a damaged one.
    """
    entries = list(_entries(path, path.read_bytes()))
    charset = _charset(path, entries)
    for original, translation in entries:
        if not original:
            continue
        try:
            sources = original.decode(charset).rpartition("\x04")[2].split("\0")
            targets = translation.decode(charset).split("\0")
        except UnicodeError as error:
            raise UnreadableFile(path, f"a message is not {charset}: {error}") from error
        yield _pair(sources[0], targets[0])
        if len(sources) > 1 and len(targets) > 1:
            yield _pair(sources[1], targets[-1])


def _row(path: Path, number: int, raw: bytes) -> Pair:
    try:
        fields = raw.decode().rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, f"line {number} is not UTF-8: {error}") from error
    if len(fields) != 2:
        raise UnreadableFile(path, f"line {number} has {len(fields)} columns; a text, a tab and its translation belong")
    return Pair(*(" ".join(field.split()) for field in fields))


def _entries(path: Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    order = next((mark for mark in "<>" if data[:4] == struct.pack(f"{mark}I", _MAGIC)), None)
    if order is None or len(data) < _HEADER:
        raise UnreadableFile(path, "no gettext catalogue (its first bytes say so)")
    revision, count, originals, translations = struct.unpack_from(f"{order}4I", data, 4)
    if revision >> 16 > 1:
        raise UnreadableFile(path, f"a gettext catalogue of the unknown revision {revision >> 16}")
    if max(originals, translations) + 8 * count > len(data):
        raise UnreadableFile(path, f"damaged: {count} messages do not fit in {len(data)} bytes")
    for number in range(count):
        yield (
            _text(path, data, order, originals + 8 * number),
            _text(path, data, order, translations + 8 * number),
        )


def _text(path: Path, data: bytes, order: str, at: int) -> bytes:
    length, start = struct.unpack_from(f"{order}2I", data, at)
    if start + length > len(data):
        raise UnreadableFile(path, f"damaged: a message ends at byte {start + length} of {len(data)}")
    return data[start : start + length]


def _charset(path: Path, entries: Iterable[tuple[bytes, bytes]]) -> str:
    header = next((translation for original, translation in entries if not original), b"")
    found = _CHARSET.search(header.decode("ascii", "replace"))
    name = found.group(1) if found else "utf-8"
    try:
        b"a".decode(name)  # an empty text is decoded without asking for the encoding
    except (LookupError, UnicodeError):
        raise UnreadableFile(path, f"messages in the unknown encoding {name}") from None
    return name


def _pair(source: str, target: str) -> Pair:
    return Pair(_plain(source), _plain(target))


def _plain(message: str) -> str:
    return " ".join(_MNEMONIC.sub("", _TAG.sub(" ", message)).split())
