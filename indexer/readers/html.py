"""HTML: the readable text of a page, without navigation, scripts and styles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean, decode
from indexer.readers.language import language_code
from riparian.types import Extracted

MAX_NESTING = 2000
"""The parser takes time quadratic in the depth; no page that a person made comes near this."""

_DECLARED = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that have no end or end by themselves: they do not nest, however many are opened.
_NOT_NESTING = frozenset(
    "area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option "
    "optgroup colgroup rt rp body html head".split()
)
_DROPPED = (
    "script, style, noscript, template, nav, svg, iframe, object, canvas, head, button, select, "
    "[role=navigation], [hidden], .navheader, .navfooter, .headerlink"
)
_PARAGRAPHS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr main ol p pre section summary table ul caption title".split()
)
_LINES = frozenset(("br", "tr", "li", "option"))
_CELLS = frozenset(("td", "th"))
# Non-characters that `clean` has removed from the page: they carry the blanks and lines of preformatted text unharmed
# through the tidying.
_KEPT_LINE, _KEPT_BLANK = "\ufdd0", "\ufdd1"
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a page."""
    yield page(decode_html(path.read_bytes()))


def decode_html(data: bytes) -> str:
    """Decoded as the page itself says; parsers that are given bytes pass that over."""
    declared = _DECLARED.search(data[:4096])
    return decode(data, declared[1].decode("ascii") if declared else "")


def page(markup: str) -> Extracted:
    """The document that a page holds. Raises Unreadable for one nested beyond MAX_NESTING."""
    tree = _parsed(markup)
    meta = _meta(tree)
    title = _text_of(tree.css_first("title")) or meta.get("og:title", "") or _text_of(tree.css_first("h1"))
    root = tree.css_first("html")
    attributes = root.attributes if root is not None else {}
    return Extracted(
        member="",
        text=_body_text(tree),
        title=title,
        author=_first(meta, "author", "dc.creator", "dcterms.creator", "article:author"),
        date=parse_date(_first(meta, *_DATE_NAMES)) or _published(tree),
        language=language_code(attributes.get("lang") or attributes.get("xml:lang") or meta.get("language", "")),
        metadata={name: meta[name] for name in ("description", "keywords") if meta.get(name)},
    )


def text_of(markup: str) -> str:
    """The readable text alone. Raises Unreadable for markup nested beyond MAX_NESTING."""
    return _body_text(_parsed(markup))


_DATE_NAMES = (
    "article:published_time",
    "date",
    "dc.date",
    "dcterms.date",
    "dcterms.created",
    "citation_publication_date",
)


def _parsed(markup: str) -> LexborHTMLParser:
    if _deepest(markup) > MAX_NESTING:
        raise Unreadable(f"nested deeper than {MAX_NESTING} elements")
    return LexborHTMLParser(clean(markup))


def _deepest(markup: str) -> int:
    depth = deepest = 0
    for match in _TAG.finditer(markup):
        if match[2].lower() in _NOT_NESTING:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property") or attributes.get("http-equiv") or ""
        found.setdefault(name.lower(), (attributes.get("content") or "").strip())
    return found


def _first(meta: Mapping[str, str], *names: str) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


def _published(tree: LexborHTMLParser) -> Any:
    node = tree.css_first("time[itemprop=datePublished], time[pubdate]")
    return parse_date(node.attributes.get("datetime")) if node is not None else None


def _text_of(node: Any) -> str:
    return " ".join(node.text().split()) if node is not None else ""


def _body_text(tree: LexborHTMLParser) -> str:
    for node in tree.css(_DROPPED):
        node.decompose()
    pieces: list[str] = []
    if tree.body is not None:
        _collect(tree.body, pieces)
    lines = [line.lstrip(" ").rstrip(" \t") for line in "".join(pieces).split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip().replace(_KEPT_LINE, "\n").replace(_KEPT_BLANK, " ")


def _collect(root: Any, pieces: list[str]) -> None:
    """Appends the text below `root` in reading order, without recursion: the tree may be deep."""
    node, preformatted = root, 0
    while True:
        tag = node.tag
        if tag == "-text":
            _add_text(node.text_content or "", pieces, verbatim=preformatted > 0)
        else:
            preformatted += tag == "pre"
            _add_edge(tag, pieces, opening=True)
        if node.child is not None:
            node = node.child
            continue
        while True:
            if node.tag != "-text":
                preformatted -= node.tag == "pre"
                _add_edge(node.tag, pieces, opening=False)
            if node.mem_id == root.mem_id:
                return
            if node.next is not None:
                node = node.next
                break
            node = node.parent


def _add_text(text: str, pieces: list[str], *, verbatim: bool) -> None:
    if verbatim:
        pieces.append(text.replace("\n", _KEPT_LINE).replace(" ", _KEPT_BLANK))
        return
    text = _SPACE.sub(" ", text)
    if text.startswith(" ") and (not pieces or pieces[-1].endswith((" ", "\n", "\t"))):
        text = text[1:]
    if text:
        pieces.append(text)


def _add_edge(tag: str, pieces: list[str], *, opening: bool) -> None:
    if tag in _PARAGRAPHS:
        pieces.append("\n\n")
    elif tag == "br":
        pieces.extend("\n" if opening else "")
    elif tag in _LINES and not (pieces and pieces[-1].endswith("\n")):
        pieces.append("\n")
    elif tag in _CELLS and not opening:
        pieces.append("\t")
