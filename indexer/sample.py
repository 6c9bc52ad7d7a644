"""The sample archive: real texts that gensim's package carries, so that a first search needs no download.

300 news stories (the Lee background corpus) and the articles of two excerpts of the English Wikipedia. Nothing of it
lies in this repository; the files are found in the installed package, whose code is not imported.
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from indexer.readers.dates import parse_date
from indexer.readers.decode import clean
from indexer.wikitext import is_disambiguation, readable
from riparian.errors import MissingPath, Unavailable
from riparian.types import Extracted

_NEWS = "lee_background.cor"
_WIKIPEDIA = (
    "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
    "enwiki-table-markup.xml.bz2",
)

LONGEST_ARTICLE = 20_000
"""Characters taken from an article: its lead and first sections. A few articles of a hundred thousand would else
outweigh all the news; `metadata["excerpt"]` says where something was left out."""

_STUB = 300
"""An article with less text than this is passed over."""


def sample_documents() -> Iterator[Extracted]:
    """The documents in a fixed order, named "news/001" and "wikipedia/Anarchism".

    Redirects, pages outside the article namespace, disambiguation pages and stubs are passed over; a story has no
    title. Raises Unavailable where gensim is not installed, MissingPath where it comes without its texts.
    """
    folder = _folder()
    yield from _news(folder / _NEWS)
    seen: set[str] = set()
    for article in chain.from_iterable(_articles(folder / name) for name in _WIKIPEDIA):
        if article.title not in seen:
            seen.add(article.title)
            yield article


def _folder() -> Path:
    found = find_spec("gensim")
    if found is None or found.origin is None:
        raise Unavailable("the sample archive comes with gensim, which is not installed; run: pip install gensim")
    return Path(found.origin).parent / "test" / "test_data"


def _present(path: Path) -> Path:
    if not path.is_file():
        raise MissingPath(path)
    return path


def _news(path: Path) -> Iterator[Extracted]:
    with _present(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            yield Extracted(
                member=f"news/{number:03}",
                text=clean(line).strip(),
                language="en",
                type="news",
                metadata={"origin": "Lee background corpus: Australian news, 2000 to 2001"},
            )


def _articles(path: Path) -> Iterator[Extracted]:
    with bz2.open(_present(path)) as file:
        for _, element in iterparse(file):
            if _tag(element) == "page":
                yield from _article(element)
                element.clear()


def _article(page: Element) -> Iterator[Extracted]:
    values = {_tag(element): element.text or "" for element in page.iter()}
    title, markup = values["title"], values.get("text", "")
    if values.get("ns") != "0" or "redirect" in values or is_disambiguation(title, markup):
        return
    whole = clean(readable(markup))
    text = _beginning(whole, LONGEST_ARTICLE)
    if len(text) < _STUB:
        return
    metadata: dict[str, Any] = {"origin": "Wikipedia, CC BY-SA 4.0", "excerpt": len(text) < len(whole)}
    yield Extracted(
        member=f"wikipedia/{title.replace(' ', '_').replace('/', '_')}",
        text=text,
        title=title,
        date=parse_date(values.get("timestamp", "")),
        language="en",
        type="article",
        metadata=metadata,
    )


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _beginning(text: str, longest: int) -> str:
    """The paragraphs that fit."""
    if len(text) <= longest:
        return text
    end = text.rfind("\n\n", 0, longest)
    return text[: end if end > 0 else longest]
