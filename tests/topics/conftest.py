"""A small archive about four subjects, indexed, and the topics room over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.engine import Database, connect
from riparian.config import Settings
from riparian.encoders.pool import EncoderPool
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, CollectionId, Job, Topic
from riparian.vectors.store import VectorStore
from tests.conftest import ENCODER
from tests.indexer.conftest import Archive, CountingReader
from tests.topics.themes import FILLER, THEMES
from topics.curation.service import CurationService
from topics.refit.service import RefitService
from topics.service import ASSIGN, TopicService, queue_assign

SHORT, LONG = 32, 4
"""Documents of one passage, and of several."""


def sentences(theme: int, count: int, rng: np.random.Generator) -> str:
    """Sentences of ten words about a theme, a third of them filler."""
    words = [rng.permutation([*rng.choice(THEMES[theme], 7), *rng.choice(FILLER, 3)]) for _ in range(count)]
    return " ".join(f"{' '.join(line).capitalize()}." for line in words) + "\n"


def library(seed: int = 0) -> dict[str, str]:
    """Texts by file name: `short-7-1.txt` is about the theme 7 % 4 = 3, in other words than all others."""
    rng = np.random.default_rng(seed)
    short = {f"short-{i}-{seed}.txt": sentences(i % 4, 4, rng) for i in range(SHORT)}
    return short | {f"long-{i}-{seed}.txt": sentences(i % 4, int(80 + 40 * i), rng) for i in range(LONG)}


@dataclass
class World:
    """The collection "c" of the archive and the service that finds its topics."""

    archive: Archive
    encoders: EncoderPool
    settings: Settings
    topics: TopicService

    @property
    def id(self) -> CollectionId:
        return self.archive.collection.id

    @property
    def collection(self) -> Collection:
        return self.archive.collection

    @property
    def database(self) -> Database:
        return self.archive.database

    @property
    def curation(self) -> CurationService:
        return CurationService(self.database, self.archive.vectors, self.topics.vocabulary)

    @property
    def refits(self) -> RefitService:
        return RefitService(self.database, self.topics, self.curation, self.settings)

    def anew(self, **parts: Any) -> TopicService:
        """Another service over the same data: nothing in memory, other parts where given."""
        given = {"encoders": self.encoders, "vectors": self.archive.vectors, **parts}
        return TopicService(self.database, given["encoders"], given["vectors"], self.settings)

    def folders(self) -> list[Path]:
        """The model folders on the disk, hidden ones too."""
        parent = self.archive.data_dir / "topics" / str(self.id)
        return sorted(parent.iterdir()) if parent.is_dir() else []

    def active_folder(self) -> Path:
        with self.database.read() as catalog:
            return self.archive.data_dir / catalog.topics.folder(catalog.topics.active_model(self.id).id)

    def run_waiting(self, kind: str = ASSIGN) -> Job | None:
        return jobs.run_one(self.database, {kind: self.topics.handlers[kind]})

    def theme_of(self, topic: Topic) -> int:
        """The theme that most of its first eight words are from."""
        first = {term.term for term in topic.terms[:8]}
        return int(np.argmax([len(first & set(theme)) for theme in THEMES]))


def open_world(database: Database, data_dir: Path, encoders: EncoderPool, folder: Path) -> World:
    settings = Settings(data_dir=data_dir, encoder=ENCODER)
    vectors, lexical, reader = VectorStore(database, data_dir), LexicalStore(database, data_dir), CountingReader()
    topics = TopicService(database, encoders, vectors, settings)
    service = IndexService(
        database, encoders, vectors, lexical, settings,
        open_readers=lambda: nullcontext(reader), follow_up=queue_assign, mend_topics=topics.mend,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    archive = Archive(folder, database, data_dir, service, vectors, lexical, reader)
    return World(archive, encoders, settings, topics)


@pytest.fixture
def empty(sqlite_database: Database, data_dir: Path, encoders: EncoderPool, tmp_path: Path) -> World:
    """No file yet, over SQLite."""
    return open_world(sqlite_database, data_dir, encoders, tmp_path / "files")


@pytest.fixture
def library_world(empty: World) -> World:
    """The library, indexed, over SQLite."""
    empty.archive.write(library())
    empty.archive.add()
    return empty


@pytest.fixture(scope="session")
def fitted_once(sqlite_template: Path, encoders: EncoderPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library and its four topics, over SQLite; `kept` is its copy."""
    folder = tmp_path_factory.mktemp("fitted") / "library"
    (folder / "data").mkdir(parents=True)
    shutil.copy(sqlite_template, folder / "data" / "catalog.sqlite")
    engine = connect(f"sqlite:///{folder / 'data' / 'catalog.sqlite'}")
    _fitted(open_world(Database(engine), folder / "data", encoders, folder / "files"))
    engine.dispose()
    shutil.copytree(folder, folder.with_name("kept"))
    return folder


@pytest.fixture
def fitted(fitted_once: Path, encoders: EncoderPool) -> Iterator[World]:
    """The library with four topics, over SQLite, as it was: its catalog knows the files by their whole paths, so that
    it stays where it is."""
    shutil.rmtree(fitted_once)
    shutil.copytree(fitted_once.with_name("kept"), fitted_once)
    engine = connect(f"sqlite:///{fitted_once / 'data' / 'catalog.sqlite'}")
    yield open_world(Database(engine), fitted_once / "data", encoders, fitted_once / "files")
    engine.dispose()


@pytest.fixture
def either(database: Database, data_dir: Path, encoders: EncoderPool, tmp_path: Path) -> World:
    """The library with four topics, once over SQLite and once over PostgreSQL."""
    return _fitted(open_world(database, data_dir, encoders, tmp_path / "files"))


def _fitted(world: World) -> World:
    world.archive.write(library())
    world.archive.add()
    world.topics.fit(world.id, topics=4)
    return world


@pytest.fixture(scope="session")
def seen(sqlite_template: Path, encoders: EncoderPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The library with four topics, made once for all tests that only look."""
    folder = tmp_path_factory.mktemp("seen")
    shutil.copy(sqlite_template, folder / "catalog.sqlite")
    engine = connect(f"sqlite:///{folder / 'catalog.sqlite'}")
    yield _fitted(open_world(Database(engine), folder, encoders, folder / "files"))
    engine.dispose()
