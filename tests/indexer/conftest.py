"""A small archive on the disk, and everything that indexes it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from indexer.readers.base import ReadOptions
from indexer.sandbox import InProcess
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.encoders.pool import EncoderPool
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, Job, JobId, JobState
from riparian.vectors.store import Snapshot, VectorStore
from tests.conftest import ENCODER

TEXTS = {
    "river.txt": "The river bank was soft after the flood. Otters slept in the reeds.\n",
    "money.txt": "The bank raised its interest rate. Borrowers were not amused.\n",
    "notes/otters.md": "# Otters\n\nOtters eat fish. They hold hands when they sleep.\n",
    "table.csv": "title,text\nFirst row,A heron waits for a fish in the shallow water.\nSecond row,The mill stands.\n",
}


@dataclass
class Archive:
    """A folder of files, a collection "c" made of it, and the services around; `reads` are the files read so far."""

    folder: Path
    database: Database
    data_dir: Path
    service: IndexService
    vectors: VectorStore
    lexical: LexicalStore
    reader: CountingReader

    def write(self, texts: dict[str, str]) -> None:
        for name, content in texts.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def run(self, job: JobId) -> Job:
        """Runs the job, which must end well."""
        done = jobs.run_one(self.database, self.service.handlers, only=job)
        assert done is not None
        assert done.state is JobState.DONE, done.message
        return done

    def add(self, options: ReadOptions | None = None) -> Job:
        return self.run(self.service.add("c", [self.folder], options))

    def sync(self) -> Job:
        return self.run(self.service.sync("c"))

    @property
    def collection(self) -> Collection:
        with self.database.read() as catalog:
            return catalog.collections.named("c")

    @property
    def encoder(self) -> StoredEncoder:
        with self.database.read() as catalog:
            encoder = self.collection.encoder_id
            assert encoder is not None
            return catalog.encoders.get(encoder)

    def snapshot(self) -> Snapshot:
        return self.vectors.snapshot(self.collection.id, self.encoder, wait=True)

    def documents(self) -> dict[str, int]:
        """Ids by source, relative to the folder."""
        with self.database.read() as catalog:
            page = catalog.documents.page(self.collection.id, limit=10_000)
        return {document.source.removeprefix(f"{self.folder}/"): document.id for document in page}

    def passages(self) -> dict[int, str]:
        with self.database.read() as catalog:
            return {p.id: p.text for batch in catalog.passages.all(self.collection.id) for p in batch}

    def words(self, query: str) -> list[str]:
        """Sources of the documents that hold the words."""
        names = {number: source for source, number in self.documents().items()}
        return sorted(names[number] for number in self.lexical.index(self.collection.id).matches(query).tolist())


@dataclass
class CountingReader:
    """Reads in this process and remembers what was read."""

    reads: list[str] = field(default_factory=list)

    def read(self, path: Path, options: ReadOptions) -> Any:
        self.reads.append(path.name)
        return InProcess().read(path, options)


def services(database: Database, data_dir: Path, encoders: EncoderPool, reader: Any) -> Any:
    settings = Settings(data_dir=data_dir, encoder=ENCODER)
    vectors, lexical = VectorStore(database, data_dir), LexicalStore(database, data_dir)
    service = IndexService(database, encoders, vectors, lexical, settings, open_readers=lambda: nullcontext(reader))
    return service, vectors, lexical


def open_archive(database: Database, data_dir: Path, encoders: EncoderPool, folder: Path) -> Archive:
    reader = CountingReader()
    service, vectors, lexical = services(database, data_dir, encoders, reader)
    return Archive(folder, database, data_dir, service, vectors, lexical, reader)


def _archive(database: Database, data_dir: Path, encoders: EncoderPool, tmp_path: Path) -> Archive:
    archive = open_archive(database, data_dir, encoders, tmp_path / "files")
    archive.write(TEXTS)
    return archive


@pytest.fixture
def archive(database: Database, data_dir: Path, encoders: EncoderPool, tmp_path: Path) -> Archive:
    """An archive that is not indexed yet, once over SQLite and once over PostgreSQL."""
    return _archive(database, data_dir, encoders, tmp_path)


@pytest.fixture
def sqlite_archive(sqlite_database: Database, data_dir: Path, encoders: EncoderPool, tmp_path: Path) -> Archive:
    """The same over SQLite only, for what does not depend on the database."""
    return _archive(sqlite_database, data_dir, encoders, tmp_path)
