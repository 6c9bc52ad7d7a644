"""Documents as references: BibTeX and RIS, as far as their metadata go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from riparian.types import Document

Cited = tuple[Document, str, str]
"""A document, the address it can be read at, and a quotation ("" for none)."""

_LONGEST_QUOTE = 2000
_BIBTEX_FIELDS = {
    "journal": ("journal", "journaltitle", "container-title"),
    "booktitle": ("booktitle",),
    "publisher": ("publisher",),
    "volume": ("volume",),
    "number": ("number", "issue"),
    "pages": ("pages",),
    "doi": ("doi",),
    "isbn": ("isbn",),
    "issn": ("issn",),
    "abstract": ("abstract",),
    "keywords": ("keywords", "tags"),
}
_RIS_FIELDS = {
    "journal": "JO", "booktitle": "BT", "publisher": "PB", "volume": "VL", "number": "IS", "pages": "SP", "doi": "DO",
    "isbn": "SN", "issn": "SN", "abstract": "AB", "keywords": "KW",
}  # fmt: skip
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def bibtex(cited: Iterable[Cited]) -> Iterator[str]:
    """An entry each, keyed by the document's number. An article where a journal is known, else misc."""
    for document, link, quote in cited:
        fields = {
            "title": document.display_title,
            "author": " and ".join(authors(document)),
            "year": str(document.date.year) if document.date else "",
            "date": document.date.isoformat() if document.date else "",
            **_known(document),
            "langid": document.language,
            "url": _url(document, link),
            "file": document.source,
            "note": quote[:_LONGEST_QUOTE],
        }
        lines = [f"  {name} = {{{_escaped(value)}}},\n" for name, value in fields.items() if value]
        yield f"@{'article' if fields.get('journal') else 'misc'}{{riparian{document.id},\n{''.join(lines)}}}\n\n"


def ris(cited: Iterable[Cited]) -> Iterator[str]:
    """A reference each: JOUR where a journal is known, else GEN."""
    for document, link, quote in cited:
        known = _known(document)
        pairs = [
            ("TY", "JOUR" if known.get("journal") else "GEN"),
            ("ID", f"riparian{document.id}"),
            ("TI", document.display_title),
            *(("AU", author) for author in authors(document)),
            ("PY", str(document.date.year) if document.date else ""),
            ("DA", document.date.strftime("%Y/%m/%d") if document.date else ""),
            *((_RIS_FIELDS[name], value) for name, value in known.items()),
            ("LA", document.language),
            ("UR", _url(document, link)),
            ("L1", document.source),
            ("N1", quote[:_LONGEST_QUOTE]),
        ]
        yield "".join(f"{tag}  - {' '.join(value.split())}\r\n" for tag, value in pairs if value) + "ER  - \r\n\r\n"


def authors(document: Document) -> list[str]:
    """The names of several are parted by semicolons, "and" or "&"."""
    return [name.strip() for name in re.split(r";|\s+and\s+|\s+&\s+", document.author) if name.strip()]


def _known(document: Document) -> dict[str, str]:
    given = {str(name).lower(): value for name, value in document.metadata.items()}
    found = {name: _said(given, names) for name, names in _BIBTEX_FIELDS.items()}
    return {name: value for name, value in found.items() if value}


def _said(given: dict[str, object], names: Iterable[str]) -> str:
    value = next((given[name] for name in names if given.get(name) not in (None, "")), "")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _url(document: Document, link: str) -> str:
    """The document's own address on the web, else where it can be read here."""
    own = next((str(value) for name, value in document.metadata.items() if str(name).lower() in ("url", "link")), "")
    return own or link


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in " ".join(value.split()))
