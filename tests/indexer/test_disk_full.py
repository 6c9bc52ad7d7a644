"""A data folder on a disk of its own that is too small."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from riparian import jobs
from riparian.catalog.engine import Database, connect
from riparian.errors import StorageFull
from riparian.types import Job, JobState
from tests.indexer.worker import build


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A memory disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root's rights")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_indexing_goes_on_when_there_is_room(
    small_disk: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, small_disk / "catalog.sqlite")
    url = f"sqlite:///{small_disk / 'catalog.sqlite'}"
    files = tmp_path / "files"
    files.mkdir()
    for table in range(12):
        rows = [f"table {table} row {row} " + f"of the river gauge {row * 7919 + table} " * 24 for row in range(100)]
        (files / f"{table}.csv").write_text("text\n" + "\n".join(rows))
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\1" * 5_500_000)
    database, service, handlers = build(small_disk, url, tmp_path / "log")
    try:
        job = service.add("c", [files])
        full = _run_until_full(database, handlers, job)
        kept = _documents(database)
        assert full
        assert 0 < len(kept) < 1200
        assert database.faults() == []

        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        while (done := jobs.run_one(database, handlers)) is not None:
            assert done.state is JobState.DONE, done.message
        done = jobs.run_one(database, handlers, only=service.sync("c"))
        assert done is not None
        assert done.state is JobState.DONE, done.message
        now = _documents(database)
        assert len(now) == 1200
        assert {source: now[source] for source in kept} == kept
        assert service.check() == []
    finally:
        database.engine.dispose()


def _run_until_full(database: Database, handlers: object, job: jobs.JobId) -> bool:
    """Whether the job failed for want of room; the failure itself may not fit on the disk."""
    try:
        done: Job | None = jobs.run_one(database, handlers, only=job)  # type: ignore[arg-type]
    except StorageFull:
        return True
    assert done is not None
    return done.state is JobState.FAILED and "no space left" in done.message


def _documents(database: Database) -> dict[str, int]:
    with database.read() as catalog:
        collection = catalog.collections.named("c")
        return {d.source: d.id for d in catalog.documents.page(collection.id, limit=10_000)}


def test_connecting_to_a_folder_that_is_not_there_makes_it(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'new' / 'catalog.sqlite'}")
    with Database(engine).read() as catalog:
        catalog.ping()
    engine.dispose()
    assert (tmp_path / "new" / "catalog.sqlite").exists()
