"""Tells the format of a file by its name and a few first bytes, and names the reader of each."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from indexer.readers.base import Reader, Unreadable

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Format:
    """`reader` is "module:function", resolved when first used. A container's reader hands on finished documents."""

    name: str
    reader: str
    extensions: tuple[str, ...]
    container: bool = False


FORMATS = (
    Format("pdf", "pdf:read", (".pdf",)),
    Format("docx", "docx:read", (".docx", ".docm", ".dotx")),
    Format("pptx", "pptx:read", (".pptx", ".pptm", ".ppsx")),
    Format("sheet", "sheets:read", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")),
    Format("odt", "opendocument:read", (".odt", ".ott", ".odp", ".fodt")),
    Format("epub", "epub:read", (".epub",)),
    Format("rtf", "rtf:read", (".rtf",)),
    Format("html", "html:read", (".html", ".htm", ".xhtml", ".shtml")),
    Format("mhtml", "mail:read_page", (".mhtml", ".mht"), container=True),
    Format("md", "markdown:read", (".md", ".markdown", ".mdown", ".mkd", ".qmd")),
    Format("rst", "rst:read", (".rst", ".rest")),
    Format("txt", "plain:read", (".txt", ".text", ".log")),
    Format("xml", "xml_text:read", (".xml", ".rss", ".atom", ".tei")),
    Format("email", "mail:read", (".eml",), container=True),
    Format("mbox", "mail:read_mbox", (".mbox", ".mbx"), container=True),
    Format("msg", "outlook:read", (".msg",), container=True),
    Format("csv", "delimited:read", (".csv", ".tsv", ".tab", ".psv")),
    Format("jsonl", "json_rows:read_lines", (".jsonl", ".ndjson", ".jsonlines")),
    Format("json", "json_rows:read_json", (".json",)),
    Format("parquet", "parquet:read", (".parquet", ".pq")),
    Format("zip", "archive:read_zip", (".zip",), container=True),
    Format("tar", "archive:read_tar", (".tar", ".tgz", ".tbz2", ".txz"), container=True),
    Format("compressed", "archive:read_compressed", (".gz", ".bz2", ".xz"), container=True),
)
BY_NAME = {format.name: format for format in FORMATS}
_BY_EXTENSION = {extension: format for format in FORMATS for extension in format.extensions}

_PICTURES = frozenset(".png .jpg .jpeg .gif .bmp .tif .tiff .webp .svg .ico .heic .psd".split())
_SOUND = frozenset(".mp3 .wav .flac .ogg .m4a .mp4 .mov .avi .mkv .webm .wmv".split())
_PROGRAMS = frozenset(".exe .dll .so .dylib .o .a .class .pyc .wasm .bin .iso .dmg .img .sqlite .db".split())
_OLD_OFFICE = {".doc": "docx", ".ppt": "pptx", ".pages": "docx", ".numbers": "xlsx", ".key": "pptx", ".wpd": "docx"}

_MAIL_HEADER = re.compile(
    rb"(?:From|Received|Return-Path|Message-ID|Subject|Path|Newsgroups|MIME-Version): ", re.IGNORECASE
)
_HEADER_LINE = re.compile(rb"(?:[A-Za-z][\w-]*:[ \t]|[ \t]+\S)")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


def reader_of(format: Format) -> Reader:
    """The reader of a format; its module, and the parser it uses, are imported now."""
    module, _, function = format.reader.partition(":")
    reader: Reader = getattr(import_module(f"indexer.readers.{module}"), function)
    return reader


def detect(path: Path, name: str = "") -> Format:
    """The format of the bytes at `path`, that a person knows as `name`.

    What the first bytes say for certain wins over the name; without either, it is plain text, which its reader refuses
    if it is none. Raises Unreadable for what no reader is for.
    """
    extension = _extension(name or path.name)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise Unreadable("the file is empty")
    format = _by_first_bytes(head, path, extension) or _BY_EXTENSION.get(extension)
    if format is not None:
        return format
    _refuse_known(extension)
    return _by_look(head)


def _extension(name: str) -> str:
    lower = name.lower().rstrip(". ")
    for double in (".tar.gz", ".tar.bz2", ".tar.xz"):
        if lower.endswith(double):
            return ".tar"
    return Path(lower).suffix


def _by_first_bytes(head: bytes, path: Path, extension: str) -> Format | None:
    if b"%PDF-" in head[:1024]:
        return BY_NAME["pdf"]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(path, extension)
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        return BY_NAME["tar" if extension in {".tar", ".tgz", ".tbz2", ".txz"} else "compressed"]
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _kind_of_ole(extension)
    if head.startswith(b"{\\rtf"):
        return BY_NAME["rtf"]
    if head.startswith(b"PAR1"):
        return BY_NAME["parquet"]
    return BY_NAME["tar"] if head[257:262] == b"ustar" else None


def _kind_of_zip(path: Path, extension: str) -> Format:
    """By the name where it is one of a packaged format, else by what lies inside."""
    named = _BY_EXTENSION.get(extension)
    if named is not None and named.name in {"docx", "pptx", "sheet", "odt", "epub"}:
        return named
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            kind = package.read("mimetype")[:80].decode("latin-1") if "mimetype" in names else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
        return BY_NAME["zip"]
    inside = (
        ("docx", "word/document.xml" in names),
        ("pptx", "ppt/presentation.xml" in names),
        ("sheet", "xl/workbook.xml" in names or kind.endswith("spreadsheet")),
        ("odt", kind.endswith(("opendocument.text", "opendocument.presentation"))),
        ("epub", kind == "application/epub+zip"),
    )
    return BY_NAME[next((name for name, is_it in inside if is_it), "zip")]


def _kind_of_ole(extension: str) -> Format:
    if extension in {".doc", ".ppt"}:
        _refuse_known(extension)
    named = _BY_EXTENSION.get(extension)
    if named is None:
        raise Unreadable("an old binary Office file; save it in a current format")
    return named


def _refuse_known(extension: str) -> None:
    if extension in _OLD_OFFICE:
        raise Unreadable(f"{extension} is not read; save it as .{_OLD_OFFICE[extension]} or .pdf")
    for kinds, what in ((_PICTURES, "a picture"), (_SOUND, "sound or film"), (_PROGRAMS, "a program or data file")):
        if extension in kinds:
            raise Unreadable(f"{what} ({extension}): there is no text to read in it")


def _by_look(head: bytes) -> Format:
    """For a name that tells nothing."""
    if head.startswith(b"From ") and b"\n" in head and _is_mail(head.partition(b"\n")[2]):
        return BY_NAME["mbox"]
    if _is_mail(head):
        return BY_NAME["email"]
    if _HTML.match(head):
        return BY_NAME["html"]
    return BY_NAME["txt"]


def _is_mail(head: bytes) -> bool:
    """Three header lines or more at the top, two of them as only mail and news have."""
    lines = head.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].split(b"\n")
    if b"\n\n" not in head.replace(b"\r\n", b"\n"):
        lines = lines[:-1]  # the last may be cut
    return (
        len(lines) >= 2
        and all(_HEADER_LINE.match(line) for line in lines)
        and sum(bool(_MAIL_HEADER.match(line)) for line in lines) >= 2
    )
