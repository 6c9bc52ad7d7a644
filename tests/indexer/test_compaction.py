from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from indexer.compaction import MANY_ADDED, MOST_ADDED, Compaction, is_due
from riparian import jobs
from riparian.errors import DamagedIndex, IndexMismatch
from riparian.lexical.indexes import REMOVED_SHARE
from riparian.vectors.flat import FlatIndex
from riparian.vectors.store import Snapshot
from riparian.vectors.view import View
from tests.indexer.conftest import Archive


def snapshot(base: int, added: int, removed: int) -> Snapshot:
    def index(first: int, rows: int) -> FlatIndex:
        return FlatIndex(np.arange(first, first + rows), np.zeros((rows, 2), dtype=np.float32))

    view = View(index(0, base) if base else None, index(base, added), np.arange(removed))
    return Snapshot(view, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("base", "added", "removed", "due"),
    [
        (0, 0, 0, False),
        (0, MANY_ADDED, 0, False),
        (0, MANY_ADDED + 1, 0, True),
        (100_000, 20_000, 0, False),
        (100_000, 20_001, 0, True),
        (1_000_000, MOST_ADDED, 0, False),
        (1_000_000, MOST_ADDED + 1, 0, True),
        (100, 0, 9, False),
        (100, 0, 10, True),
    ],
)
def test_when_a_compaction_is_due(base: int, added: int, removed: int, due: bool) -> None:
    assert is_due(snapshot(base, added, removed)) is due


def folders(archive: Archive) -> list[str]:
    parent = archive.data_dir / "vectors" / str(archive.collection.id) / str(archive.encoder.id)
    return sorted(path.name for path in parent.iterdir())


def compact(archive: Archive) -> int | None:
    generation: int | None = archive.run(archive.service.compact("c")).result["generation"]
    return generation


def test_a_compaction_changes_no_vector_and_empties_the_delta(archive: Archive) -> None:
    archive.add()
    before = archive.snapshot()
    assert compact(archive) == 1
    after = archive.snapshot()
    assert (before.generation, after.generation) == (None, 1)
    assert (before.view.added, after.view.added) == (5, 0)
    np.testing.assert_array_equal(before.view.ids, after.view.ids)
    np.testing.assert_array_equal(before.view.vectors(before.view.ids), after.view.vectors(after.view.ids))
    assert archive.service.check() == []


def test_without_a_change_there_is_no_new_generation(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    assert compact(sqlite_archive) == 1
    assert compact(sqlite_archive) is None


def test_the_generation_before_is_kept_and_those_before_it_go(archive: Archive) -> None:
    archive.add()
    for number in range(1, 4):
        archive.write({f"{number}.txt": f"gauge reading number {number}"})
        archive.sync()
        assert compact(archive) == number
    assert folders(archive) == ["gen-2", "gen-3"]
    assert archive.service.check() == []


def test_removed_passages_are_masked_at_once_and_left_out_of_the_next_generation(archive: Archive) -> None:
    archive.write({f"{number}.txt": f"gauge reading number {number}" for number in range(30)})
    archive.add()
    compact(archive)
    (archive.folder / "7.txt").unlink()
    archive.sync()
    assert (archive.snapshot().generation, archive.snapshot().view.hidden, len(archive.snapshot().view)) == (1, 1, 34)
    index = archive.lexical.index(archive.collection.id)
    assert 0 < index.removed_share() < REMOVED_SHARE
    assert compact(archive) == 2
    assert index.removed_share() == 0
    assert (archive.snapshot().view.hidden, len(archive.snapshot().view)) == (0, 34)
    assert archive.service.check() == []


def test_many_removals_make_a_job_compact_by_itself(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    compact(sqlite_archive)
    (sqlite_archive.folder / "river.txt").unlink()
    sqlite_archive.sync()
    assert sqlite_archive.snapshot().generation == 2
    index = sqlite_archive.lexical.index(sqlite_archive.collection.id)
    assert (index.removed_share(), index.counts()[0]) == (0, 4)


def test_a_changed_base_is_found_before_it_is_served_and_the_fallback_takes_over(archive: Archive) -> None:
    archive.add()
    compact(archive)
    archive.write({"late.txt": "A barge went by."})
    archive.sync()
    compact(archive)
    damage(archive, 2)
    archive.vectors.forget(archive.collection.id)
    view = archive.snapshot()
    assert view.generation == 1
    assert len(view.view) == 5
    status = archive.service.status("c")
    assert status.pending == 1
    assert status.job is not None
    archive.run(status.job.id)
    assert len(archive.snapshot().view) == 6
    assert archive.service.check() == []


def test_with_nothing_sound_left_the_error_says_so_once_and_a_job_makes_all_again(
    sqlite_archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_archive.add()
    compact(sqlite_archive)
    damage(sqlite_archive, 1)
    sqlite_archive.vectors.forget(sqlite_archive.collection.id)
    with caplog.at_level(logging.WARNING), pytest.raises(DamagedIndex, match="expected SHA-256"):
        sqlite_archive.snapshot()
    assert "is not sound" in caplog.text
    assert "5 passages are to be embedded again" in caplog.text
    assert len(sqlite_archive.snapshot().view) == 0
    job = sqlite_archive.service.status("c").job
    assert job is not None
    sqlite_archive.run(job.id)
    assert len(sqlite_archive.snapshot().view) == 5
    assert sqlite_archive.service.check() == []


def test_a_generation_of_another_encoder_is_refused_naming_both(sqlite_archive: Archive) -> None:
    from dataclasses import replace

    sqlite_archive.add()
    compact(sqlite_archive)
    other = replace(sqlite_archive.encoder, name="another", fingerprint="f" * 64)
    sqlite_archive.vectors.forget(sqlite_archive.collection.id)
    with pytest.raises(IndexMismatch) as caught:
        sqlite_archive.vectors.snapshot(sqlite_archive.collection.id, other)
    assert sqlite_archive.encoder.fingerprint in str(caught.value)
    assert other.fingerprint in str(caught.value)


def damage(archive: Archive, number: int) -> None:
    parent = archive.data_dir / "vectors" / str(archive.collection.id) / str(archive.encoder.id)
    path: Path = parent / f"gen-{number}" / "vectors.f32"
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(bytes(content))


def test_the_view_follows_every_change_without_reading_all_again(archive: Archive) -> None:
    archive.add()
    first = archive.snapshot()
    assert archive.snapshot() is first
    archive.write({"late.txt": "A barge went by."})
    (archive.folder / "river.txt").unlink()
    archive.sync()
    second = archive.snapshot()
    assert second.revision > first.revision
    assert set(second.view.ids.tolist()) == set(archive.passages())
    assert len(first.view) == 5  # who still holds it sees what was true then


def test_readers_never_fail_or_see_a_mix_while_a_writer_adds_and_compacts(archive: Archive) -> None:
    archive.add()
    collection, encoder = archive.collection.id, archive.encoder
    stop, wrong = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            found = archive.vectors.snapshot(collection, encoder)
            rows = found.view.vectors(found.view.ids)
            if rows.shape != (len(found.view), 64) or not np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5):
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(4):
            archive.write({f"{number}.txt": f"gauge reading number {number}"})
            archive.sync()
            compact(archive)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert len(archive.snapshot().view) == 9


def test_a_generation_that_another_process_published_meanwhile_is_not_overwritten(sqlite_archive: Archive) -> None:
    from riparian.errors import Conflict

    archive = sqlite_archive
    archive.add()
    compaction = Compaction(archive.database, archive.vectors, archive.data_dir)
    stale = archive.snapshot()
    compact(archive)
    with pytest.raises(Conflict, match="meanwhile"):
        compaction._publish(archive.collection.id, archive.encoder, stale, 2)
    with archive.database.read() as catalog:
        assert [job.kind for job in jobs.listed(catalog)] == ["compact", "index"]
    assert archive.snapshot().generation == 1
