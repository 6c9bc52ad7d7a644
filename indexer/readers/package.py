"""Files that are ZIP archives of XML (Office Open XML, OpenDocument, EPUB): opened with limits, nothing expanded."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from indexer.readers.base import ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line
from riparian.types import Extracted

# A part below this may be compressed as well as it likes.
_ALWAYS_ALLOWED_BYTES = 20_000_000
_MAX_PART_BYTES = 400_000_000
_OLE = b"\xd0\xcf\x11\xe0"

_DC = "{http://purl.org/dc/elements/1.1/}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_CP = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"


@contextmanager
def opened(path: Path, options: ReadOptions) -> Iterator[zipfile.ZipFile]:
    """The package, refused (Unreadable) when it is encrypted or would unpack to more than the options allow."""
    with path.open("rb") as file:
        if file.read(4) == _OLE:
            raise Unreadable("encrypted: it needs a password (or it is an old binary Office file)")
    with zipfile.ZipFile(path) as package:
        for member in package.infolist():
            check_member(member, options)
        yield package


def check_member(member: zipfile.ZipInfo, options: ReadOptions) -> None:
    """Raises Unreadable for an encrypted member and for one whose size says that it is a trap."""
    if member.flag_bits & 1:
        raise Unreadable("encrypted: it needs a password")
    allowed = max(_ALWAYS_ALLOWED_BYTES, member.compress_size * options.max_ratio)
    if member.file_size > min(allowed, options.max_unpacked_bytes):
        raise Unreadable(f"refused: it unpacks from {member.compress_size:,} to {member.file_size:,} bytes")


def part(package: zipfile.ZipFile, name: str) -> bytes | None:
    """The bytes of a part, None where the package has none of that name."""
    try:
        with package.open(name) as file:
            data = file.read(_MAX_PART_BYTES + 1)
    except KeyError:
        return None
    if len(data) > _MAX_PART_BYTES:
        raise Unreadable(f"refused: its part {name} is larger than {_MAX_PART_BYTES:,} bytes")
    return data


def xml(data: bytes) -> Any:
    """The root element. Entities are not expanded, nothing is fetched, sizes and depths are limited by the parser."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    return etree.fromstring(data, parser)


def xml_part(package: zipfile.ZipFile, name: str) -> Any:
    """The root element of a part that must be there."""
    data = part(package, name)
    if data is None:
        raise Unreadable(f"damaged: its part {name} is missing")
    return xml(data)


def related(package: zipfile.ZipFile, name: str) -> dict[str, tuple[str, str]]:
    """Relations of an Office part: id → (last word of the type, part name); external targets are left out."""
    at = PurePosixPath(name)
    data = part(package, f"{at.parent}/_rels/{at.name}.rels".removeprefix("./"))
    if data is None:
        return {}
    return {
        relation.get("Id", ""): (
            relation.get("Type", "").rsplit("/", 1)[-1],
            resolved(at.parent.as_posix(), relation.get("Target", "")),
        )
        for relation in xml(data)
        if relation.get("TargetMode") != "External"
    }


def resolved(folder: str, target: str) -> str:
    """The part name that `target` means, seen from `folder`."""
    names: list[str] = [] if target.startswith("/") else [name for name in folder.split("/") if name not in {"", "."}]
    for name in target.split("/"):
        if name == "..":
            names = names[:-1]
        elif name not in {"", "."}:
            names.append(name)
    return "/".join(names)


def core_properties(package: zipfile.ZipFile) -> Extracted:
    """Title, date, author and keywords of an Office file, in a document without text."""
    data = part(package, "docProps/core.xml")
    if data is None:
        return Extracted(member="", text="")
    root = xml(data)

    def value(tag: str) -> str:
        return clean_line(root.findtext(tag) or "")

    names = (("subject", _DC + "subject"), ("keywords", _CP + "keywords"), ("category", _CP + "category"))
    return Extracted(
        member="",
        text="",
        title=value(_DC + "title"),
        date=parse_date(value(_DCTERMS + "created")) or parse_date(value(_DCTERMS + "modified")),
        author=value(_DC + "creator"),
        language=value(_DC + "language"),
        metadata={name: value(tag) for name, tag in names if value(tag)},
    )
