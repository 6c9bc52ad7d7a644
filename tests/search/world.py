"""A small archive with a known structure, indexed for real: SQLite, hashing encoder, vector and lexical stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from riparian.catalog.documents import NewPassage
from riparian.catalog.engine import Database, connect
from riparian.catalog.models import Base
from riparian.encoders.pool import EncoderPool, register
from riparian.lexical.indexes import LexicalStore
from riparian.types import Anchor, CollectionId, DocumentId, EncoderId, Extracted, Ids
from riparian.vectors.store import VectorStore
from search.service import SearchService


@dataclass(frozen=True)
class Text:
    """A document to be; its passages are its paragraphs, parted by blank lines."""

    source: str
    text: str
    title: str = ""
    type: str = "txt"
    language: str = "en"
    author: str = ""
    date: date | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    anchors: tuple[Anchor, ...] = ()


class World:
    """`put`, `embed` and `index` stand for what the indexer does; the services are the product's own."""

    def __init__(self, folder: Path, *, encoder: str | None = "hashing", encoders: EncoderPool | None = None) -> None:
        self.engine = connect(f"sqlite:///{folder / 'catalog.sqlite'}")
        Base.metadata.create_all(self.engine)
        self.database = Database(self.engine)
        self.encoders = encoders or EncoderPool(folder / "cache")
        self.vectors = VectorStore(self.database, folder)
        self.lexical = LexicalStore(self.database, folder)
        self.search = SearchService(self.database, self.encoders, self.vectors, self.lexical)
        with self.database.write() as catalog:
            self.encoder = register(catalog, self.encoders.load(encoder)) if encoder else None
            self.id = catalog.collections.create("papers", self.encoder.id if self.encoder else None, {}).id

    def put(self, *texts: Text) -> list[DocumentId]:
        with self.database.write() as catalog:
            found = [
                catalog.documents.put(
                    self.id,
                    None,
                    one.source,
                    Extracted(
                        "", one.text, title=one.title, date=one.date, author=one.author, language=one.language,
                        type=one.type, metadata=one.metadata, anchors=one.anchors,
                    ),
                    digest=one.text,
                    passages=_paragraphs(one),
                )
                for one in texts
            ]  # fmt: skip
            catalog.collections.touch(self.id)
        return found

    def embed(self, limit: int = 10_000) -> None:
        assert self.encoder is not None
        encoder = self.encoders.of(self.encoder)
        with self.database.write() as catalog:
            pending = catalog.vectors.pending(self.id, self.encoder.id, limit)
            rows = encoder.encode_passages([f"{p.title}\n{p.text}".strip() for p in pending], "passage")
            catalog.vectors.put(self.id, self.encoder.id, np.array([p.passage_id for p in pending]), rows)
            catalog.collections.touch(self.id)

    def index(self) -> None:
        self.lexical.catch_up(self.id)

    def group(self, *documents: DocumentId, group: int) -> None:
        with self.database.write() as catalog:
            catalog.documents.set_duplicate_groups(self.id, dict.fromkeys(documents, group))
            catalog.collections.touch(self.id)

    def fill(self, *texts: Text) -> list[DocumentId]:
        documents = self.put(*texts)
        self.embed()
        self.index()
        return documents


def _paragraphs(one: Text) -> Sequence[NewPassage]:
    found, start = [], 0
    for paragraph in one.text.split("\n\n"):
        end = start + len(paragraph)
        found.append(NewPassage(start, end, f"{one.title}|{paragraph}"))
        start = end + 2
    return found


FLOODS = Text(
    "reports/flood.txt",
    "The river rose after the storm. Families left the lower streets by boat.\n\n"
    "Insurance paid for the damaged cellars. The invoice INV-2041/7 is still open.",
    title="Flood of the lower town",
    author="Ada",
    date=date(2001, 5, 3),
    metadata={"tags": ["water", "town"]},
    anchors=(Anchor(0, "page", 1), Anchor(74, "page", 2)),
)
BANKS = Text(
    "reports/banks.txt",
    "Banks raised their interest rates. Savings earn more money now.",
    title="Interest rates",
    author="Bo",
    date=date(2002, 1, 9),
    metadata={"tags": ["money"]},
)
BREAD = Text(
    "kitchen/bread.md",
    "Knead the dough until it is smooth. Bake the bread in a hot oven.",
    title="Bread at home",
    type="md",
    author="Ada",
    metadata={"tags": ["kitchen"]},
)
BROT = Text(
    "kitchen/brot.md",
    "Den Teig kneten, bis er glatt ist. Das Brot im heißen Ofen backen.",
    title="Brot backen",
    type="md",
    language="de",
)
RIVERS = Text(
    "notes/rivers.txt",
    "A river carries sand to the sea. The storm of the century moved whole banks of gravel.\n\n"
    "Boats need deep water. A smooth river bed makes the water fast.",
    author="Cy",
    date=date(2002, 7, 1),
    metadata={"tags": ["water"]},
)
ARCHIVE = (FLOODS, BANKS, BREAD, BROT, RIVERS)


def all_ids(world: World) -> Ids:
    with world.database.read() as catalog:
        return catalog.documents.ids(world.id)


def encoder_id(world: World) -> EncoderId:
    assert world.encoder is not None
    return world.encoder.id


def collection_id(world: World) -> CollectionId:
    return world.id
