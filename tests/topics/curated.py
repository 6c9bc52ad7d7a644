"""A catalog of a few documents with topics that no model was fitted for, to curate: every number is made up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database, connect
from riparian.catalog.models import (
    CollectionRow,
    DocumentRow,
    DocumentTopicRow,
    EncoderRow,
    PassageRow,
    PassageTopicRow,
    TopicRow,
)
from riparian.catalog.topics import NewTopic
from riparian.types import CollectionId, EncoderId, Ids, Matrix, PassageId, TopicId, TopicModelId, TopicTerm
from tests.topics.themes import THEMES
from topics import mixtures
from topics.curation import store
from topics.curation.service import CurationService

VOCABULARY = tuple(sorted({word for theme in THEMES for word in theme}))
WIDTH = 6
COLLECTION = CollectionId(1)


@dataclass(frozen=True)
class Vectors:
    """Made-up vectors of every passage."""

    ids: Ids
    rows: Matrix

    def vectors(self, collection_id: CollectionId, encoder: StoredEncoder) -> tuple[Ids, Matrix]:
        return self.ids, self.rows


@dataclass
class Small:
    """The collection 1 of a catalog with `topics` topics; `documents` have one to four passages each."""

    database: Database
    vectors: Vectors
    model: TopicModelId
    service: CurationService
    id: CollectionId = COLLECTION

    def topics(self) -> list[TopicId]:
        with self.database.read() as catalog:
            return sorted(topic.id for topic in catalog.topics.of_model(self.model))

    def state(self) -> dict[str, list[Any]]:
        """Every derived table, to the last bit."""
        with self.database.read() as catalog:
            return {
                "topics": _rows(catalog, TopicRow),
                "passages": _rows(catalog, PassageTopicRow),
                "documents": _rows(catalog, DocumentTopicRow),
            }


def _rows(catalog: Catalog, table: type[Any]) -> list[Any]:
    columns = table.__table__.columns
    return sorted(repr(tuple(row)) for row in catalog.session.execute(select(*columns)))


@contextmanager
def small(template: Path, folder: Path, *, seed: int = 0, topics: int = 5, documents: int = 12) -> Iterator[Small]:
    """Opens a fresh one."""
    path = folder / f"small-{seed}-{topics}-{documents}.sqlite"
    for left in folder.glob(f"{path.name}*"):
        left.unlink()
    shutil.copy(template, path)
    engine = connect(f"sqlite:///{path}")
    yield fill(Database(engine), seed=seed, topics=topics, documents=documents)
    engine.dispose()


def fill(database: Database, *, seed: int = 0, topics: int = 5, documents: int = 12) -> Small:
    rng = np.random.default_rng(seed)
    with database.write() as catalog:
        passages = _texts(catalog, rng, documents)
        theta = rng.dirichlet(np.full(topics, 0.3), len(passages)).astype(np.float32)
        if len(passages) > 1:
            theta[0] = 1 / topics  # all alike: ties must be broken by rule
        model = _model(catalog, rng, topics, passages, theta)
    rows = rng.standard_normal((len(passages), WIDTH)).astype(np.float32)
    vectors = Vectors(passages, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return Small(database, vectors, model, CurationService(database, vectors, lambda info: VOCABULARY))


def _texts(catalog: Catalog, rng: np.random.Generator, documents: int) -> Ids:
    catalog.session.add(
        EncoderRow(id=1, kind="made-up", spec="made-up", name="made-up", fingerprint="f" * 64, dimension=WIDTH, card={})
    )
    catalog.session.flush()
    catalog.session.add(CollectionRow(id=1, name="c", encoder_id=1, settings={}))
    catalog.session.flush()
    for number in range(documents):
        _document(catalog, rng, number)
    return catalog.passages.ids(CollectionId(1))


def _document(catalog: Catalog, rng: np.random.Generator, number: int) -> None:
    pieces = [" ".join(rng.choice(THEMES[number % len(THEMES)], rng.integers(3, 12))) for _ in range(1 + number % 4)]
    text = "".join(pieces)
    row = DocumentRow(
        collection_id=1, source=f"{number}.txt", title=f"{number}", length=len(text), digest=f"{number:064}", text=text
    )
    catalog.session.add(row)
    catalog.session.flush()
    start = 0
    for position, piece in enumerate(pieces):
        catalog.session.add(
            PassageRow(
                collection_id=1, document_id=row.id, position=position, start=start, end=start + len(piece),
                key=f"{number}-{position}",
            )
        )  # fmt: skip
        start += len(piece)
    catalog.session.flush()


def _model(catalog: Catalog, rng: np.random.Generator, topics: int, passages: Ids, theta: Matrix) -> TopicModelId:
    new = [
        NewTopic(
            k, f"topic {k}", tuple(TopicTerm(str(word), 0.1) for word in rng.choice(VOCABULARY, 8, replace=False)),
            {"npmi": 0.01 * k}, tuple(PassageId(int(p)) for p in rng.choice(passages, 2)),
        )
        for k in range(topics)
    ]  # fmt: skip
    model, _ = catalog.topics.add_model(
        CollectionId(1), EncoderId(1), kind="made-up", folder="none", settings={"language": "en"}, scores={}, topics=new
    )
    store.begin(catalog, model)
    store.put(catalog, model, passages, mixtures.kept(theta))
    catalog.topics.activate(model)
    store.rewrite(catalog, model, store.log(catalog, model).now(), passages, store.no_vectors)
    return model
