"""Wiki markup to readable text: no tables, references, templates or pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mwparserfromhell
from mwparserfromhell.nodes import ExternalLink, Heading, HTMLEntity, Tag, Template, Text, Wikilink

_DROPPED_TAGS = frozenset("ref references table math gallery timeline imagemap score chem hiero graph".split())
_DROPPED_SECTIONS = frozenset(
    ("see also", "references", "notes", "footnotes", "external links", "further reading", "bibliography", "sources",
     "notes and references", "citations", "works cited", "gallery")
)  # fmt: skip
_NAMESPACES = frozenset("file image category media wikipedia template help portal special user talk".split())
_OTHER_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]+)*$|simple$")
_DISAMBIGUATION = re.compile(r"\{\{\s*(?:disambig|disambiguation|dab|hndis|geodis|surname)\b", re.IGNORECASE)
# Templates whose last or first argument is what a reader sees.
_SHOWS_LAST = frozenset(("lang", "transl", "nihongo", "tooltip"))
_SHOWS_FIRST = frozenset(("nowrap", "nobr", "small", "em", "quote", "cquote", "blockquote", "abbr", "sic"))
_EMPTY_BRACKETS = re.compile(r"\s*[(\[][\s,;:/–-]*[)\]]")
_SPACE_BEFORE_SIGN = re.compile(r" +([,.;:)])")
_LEFT_BY_TEMPLATE = re.compile(r"\(\s*[,;]\s*")


def is_disambiguation(title: str, markup: str) -> bool:
    """Whether the page only lists what its title may mean."""
    return title.endswith("(disambiguation)") or _DISAMBIGUATION.search(markup) is not None


def readable(markup: str) -> str:
    """The article as paragraphs with a blank line between; headings stand as paragraphs of their own."""
    code = mwparserfromhell.parse(markup)
    text = "".join(_shown(node) for node in _kept_nodes(code))
    text = _EMPTY_BRACKETS.sub("", _LEFT_BY_TEMPLATE.sub("(", text))
    text = _SPACE_BEFORE_SIGN.sub(r"\1", re.sub(r"[ \t]+", " ", text))
    lines = [line.strip() for line in text.split("\n")]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(line for line in lines if line != ":")).strip()


def _kept_nodes(code: Any) -> Iterator[Any]:
    """The nodes outside the sections that hold lists of references."""
    keep = True
    for node in code.nodes:
        if isinstance(node, Heading) and node.level <= 2:
            keep = _text(node.title).strip().lower() not in _DROPPED_SECTIONS
        if keep:
            yield node


def _text(code: Any) -> str:
    return "".join(map(_shown, code.nodes)) if code is not None else ""


def _shown(node: Any) -> str:
    if isinstance(node, Text):
        return str(node.value)
    if isinstance(node, Wikilink):
        return _link(node)
    if isinstance(node, Tag):
        return _tagged(node)
    if isinstance(node, Template):
        return _template(node)
    if isinstance(node, Heading):
        return f"\n\n{_text(node.title).strip()}\n\n"
    if isinstance(node, ExternalLink):
        return _text(node.title)
    if isinstance(node, HTMLEntity):
        return str(node.normalize())
    return ""


def _link(link: Any) -> str:
    target = str(link.title).strip()
    space, colon, _ = target.lower().partition(":")
    if colon and (space in _NAMESPACES or _OTHER_LANGUAGE.match(space)):
        return ""
    return _text(link.text) if link.text is not None else target.lstrip(":")


def _tagged(tag: Any) -> str:
    name = str(tag.tag).strip().lower()
    if name in _DROPPED_TAGS:
        return ""
    if name == "br":
        return "\n"
    return _text(tag.contents)


def _template(template: Any) -> str:
    name = str(template.name).strip().lower()
    values = [parameter.value for parameter in template.params if not parameter.showkey]
    if name in {"convert", "cvt"} and len(values) >= 2:
        return " ".join(_text(value).strip() for value in values[:2])
    if not values:
        return ""
    if name in _SHOWS_LAST or name.startswith("lang-"):
        return _text(values[-1])
    return _text(values[0]) if name in _SHOWS_FIRST else ""
