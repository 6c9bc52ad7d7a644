"""A collection's documents as training reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from riparian.catalog.engine import Database
from riparian.encoders.base import Progress

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Source:
    """One document; `group` is that of its near-duplicates, its own id where it has none."""

    id: int
    group: int
    title: str
    text: str
    language: str


def documents(database: Database, name: str, progress: Progress | None = None) -> Iterator[Source]:
    """Every document of the collection that says something, in order of id. UnknownCollection."""
    with database.read() as catalog:
        collection = catalog.collections.named(name)
    after, done = 0, 0
    while True:
        with database.read() as catalog:
            ids = catalog.documents.ids_after(collection.id, after, _AT_ONCE)
            about = catalog.documents.many(ids)
            written = catalog.documents.written(ids)
        if not ids:
            return
        for one in sorted(written, key=lambda document: document.id):
            if one.text.strip() and (known := about.get(one.id)):
                group = known.duplicate_group if known.duplicate_group is not None else one.id
                yield Source(one.id, group, one.title, one.text, known.language)
        after, done = ids[-1], done + len(ids)
        if progress:
            progress(min(done, collection.documents), collection.documents)


def distinct(database: Database, name: str, progress: Progress | None = None) -> Iterator[Source]:
    """The same with near-duplicates once."""
    seen: set[int] = set()
    for document in documents(database, name, progress):
        if document.group not in seen:
            seen.add(document.group)
            yield document


def given_texts(texts: Iterable[str], first: int = 1) -> Iterator[Source]:
    """Texts that are no collection's documents, numbered from `first`; those that say nothing are left out."""
    for number, text in enumerate(texts, first):
        if text.strip():
            yield Source(number, number, "", text, "")


def body_of(source: Source) -> str:
    """The text without the title that it begins with: a text that holds its title is found by that alone."""
    return source.text.strip().removeprefix(source.title.strip()).strip()
