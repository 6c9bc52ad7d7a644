from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from indexer.readers.base import ReadFailure, ReadOptions
from riparian import jobs
from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import IndexMismatch, Invalid, MissingPath, NothingToRead, UnknownCollection, UnknownEncoder
from riparian.types import Collection, Extracted, JobState
from tests.indexer.conftest import Archive, services


def names(database: Database) -> list[str]:
    with database.read() as catalog:
        return [collection.name for collection in catalog.collections.all()]


def waiting(database: Database) -> int:
    with database.read() as catalog:
        return len(jobs.listed(catalog))


def test_a_missing_path_is_refused_before_anything_is_written(sqlite_archive: Archive) -> None:
    with pytest.raises(MissingPath, match="nowhere"):
        sqlite_archive.service.add("c", [sqlite_archive.folder, sqlite_archive.folder / "nowhere"])
    assert names(sqlite_archive.database) == []
    assert waiting(sqlite_archive.database) == 0


def test_an_empty_folder_is_refused_and_named(sqlite_archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty" / ".hidden").mkdir(parents=True)
    with pytest.raises(NothingToRead, match="empty: no file to read"):
        sqlite_archive.service.add("c", [tmp_path / "empty"])
    assert names(sqlite_archive.database) == []


def test_an_unknown_encoder_is_refused_before_anything_is_written(sqlite_archive: Archive) -> None:
    with pytest.raises(UnknownEncoder, match="bret"):
        sqlite_archive.service.add("c", [sqlite_archive.folder], encoder="bret")
    assert names(sqlite_archive.database) == []


def test_another_encoder_than_the_collections_is_refused_naming_both(sqlite_archive: Archive) -> None:
    sqlite_archive.service.ensure_collection("c", "hashing:64")
    with pytest.raises(IndexMismatch) as caught:
        sqlite_archive.service.add("c", [sqlite_archive.folder], encoder="hashing:32")
    assert "64 dimensions" in str(caught.value)
    assert "32 dimensions" in str(caught.value)


def test_the_collections_own_encoder_may_be_named_again(sqlite_archive: Archive) -> None:
    first = sqlite_archive.service.ensure_collection("c", "hashing")
    assert sqlite_archive.service.ensure_collection("c", "hashing:256").id == first.id
    assert sqlite_archive.service.ensure_collection("c").id == first.id


def test_the_settings_say_how_passages_are_cut(sqlite_archive: Archive) -> None:
    made = sqlite_archive.service.ensure_collection("c", "hashing:64")
    assert made.settings == {"max_tokens": 200, "overlap": 0.15, "splitter": made.encoder_id}


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\nb", "x" * 201])
def test_a_name_that_cannot_stand_in_a_url_is_refused(sqlite_archive: Archive, name: str) -> None:
    with pytest.raises(Invalid, match="cannot name a collection"):
        sqlite_archive.service.ensure_collection(name)


def test_status_tells_what_is_left_to_do(sqlite_archive: Archive) -> None:
    job = sqlite_archive.service.add("c", [sqlite_archive.folder])
    before = sqlite_archive.service.status("c")
    assert before.job is not None
    assert before.job.id == job
    sqlite_archive.run(job)
    after = sqlite_archive.service.status("c")
    assert (after.job, after.pending, after.waiting) == (None, 0, 0)
    assert after.collection.documents == 5
    assert after.encoder == "hashed character n-grams, 64 dimensions"


def test_a_removed_collection_leaves_nothing_on_the_disk(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    sqlite_archive.run(sqlite_archive.service.compact("c"))
    number = sqlite_archive.collection.id
    assert (sqlite_archive.data_dir / "vectors" / str(number)).is_dir()
    sqlite_archive.service.remove("c")
    assert names(sqlite_archive.database) == []
    assert not (sqlite_archive.data_dir / "vectors" / str(number)).exists()
    assert not (sqlite_archive.data_dir / "lexical" / str(number)).exists()
    with pytest.raises(UnknownCollection):
        sqlite_archive.service.remove("c")
    assert sqlite_archive.service.check() == []


def test_a_new_collection_never_sees_what_an_older_one_of_its_name_held(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    assert len(sqlite_archive.snapshot().view) == 5
    sqlite_archive.service.remove("c")
    sqlite_archive.service.ensure_collection("c")
    assert len(sqlite_archive.snapshot().view) == 0


def test_a_second_add_waits_for_the_first(sqlite_archive: Archive) -> None:
    first = sqlite_archive.service.add("c", [sqlite_archive.folder])
    second = sqlite_archive.service.add("c", [sqlite_archive.folder / "river.txt"])
    seen: list[jobs.Job | None] = []

    def watch(running: jobs.Running) -> None:
        seen.append(jobs.run_one(sqlite_archive.database, sqlite_archive.service.handlers, only=second))

    jobs.run_one(sqlite_archive.database, {"index": watch}, only=first)
    assert seen == [None]
    assert sqlite_archive.run(second).state is JobState.DONE


def test_a_cancelled_job_leaves_what_it_wrote_findable_and_the_next_one_finishes_it(sqlite_archive: Archive) -> None:
    job = sqlite_archive.service.add("c", [sqlite_archive.folder])
    encoder = sqlite_archive.service._encoders.load("hashing:64")
    original = encoder.encode_passages

    def cancelling(*arguments: object, **named: object) -> object:
        with sqlite_archive.database.write() as catalog:
            jobs.cancel(catalog, job)
        return original(*arguments, **named)  # type: ignore[arg-type]

    encoder.encode_passages = cancelling  # type: ignore[method-assign,assignment]
    try:
        done = jobs.run_one(sqlite_archive.database, sqlite_archive.service.handlers, only=job)
    finally:
        del encoder.encode_passages
    assert done is not None
    assert done.state is JobState.CANCELLED
    assert sqlite_archive.words("bank") == ["money.txt", "river.txt"]
    sqlite_archive.reader.reads.clear()
    result = sqlite_archive.sync().result
    assert sqlite_archive.reader.reads == []
    assert result["encoded"] == 5
    assert sqlite_archive.service.check() == []


def test_lexical_search_answers_while_embedding_still_runs(sqlite_archive: Archive) -> None:
    job = sqlite_archive.service.add("c", [sqlite_archive.folder])
    encoder = sqlite_archive.service._encoders.load("hashing:64")
    original, found = encoder.encode_passages, []

    def looking(*arguments: object, **named: object) -> object:
        found.append(sqlite_archive.words("bank"))
        return original(*arguments, **named)  # type: ignore[arg-type]

    encoder.encode_passages = looking  # type: ignore[method-assign,assignment]
    try:
        sqlite_archive.run(job)
    finally:
        del encoder.encode_passages
    assert found == [["money.txt", "river.txt"]]


def test_what_follows_is_queued_with_the_end_of_the_job(sqlite_archive: Archive) -> None:
    from dataclasses import replace

    service = sqlite_archive.service
    service._parts = replace(service._parts, follow_up=lambda catalog, number: jobs.enqueue(catalog, "x", {}, number))
    sqlite_archive.add()
    with sqlite_archive.database.read() as catalog:
        assert [job.kind for job in jobs.listed(catalog)] == ["x", "index"]


@pytest.mark.slow
def test_the_sample_archive_is_indexed_once(sqlite_archive: Archive) -> None:
    first = sqlite_archive.run(sqlite_archive.service.add_sample("sample")).result
    assert first["documents"] >= 400
    assert first["pending"] == 0
    second = sqlite_archive.run(sqlite_archive.service.add_sample("sample")).result
    assert second["read"]["files"] == 0
    assert second["encoded"] == 0
    with sqlite_archive.database.read() as catalog:
        collection = catalog.collections.named("sample")
        [first_document] = catalog.documents.page(collection.id, limit=1)
    assert first_document.source == "sample!news/001"


@dataclass
class Overtaken:
    """Encoders that take long to load: another process makes the collection in the meantime."""

    encoders: EncoderPool
    meantime: Callable[[], object]

    def load(self, spec: str) -> Encoder:
        self.meantime()
        return self.encoders.load(spec)


def test_a_collection_that_another_process_makes_first_is_taken(
    sqlite_archive: Archive, encoders: EncoderPool, data_dir: Path
) -> None:
    made: list[Collection] = []
    slow = Overtaken(encoders, lambda: made.append(sqlite_archive.service.ensure_collection("c")))
    service, _, _ = services(sqlite_archive.database, data_dir, cast(EncoderPool, slow), sqlite_archive.reader)
    assert service.ensure_collection("c").id == made[0].id
    assert names(sqlite_archive.database) == ["c"]


def test_a_new_collection_takes_over_nothing_of_a_catalog_that_was_lost(
    sqlite_archive: Archive, sqlite_template: Path, data_dir: Path, encoders: EncoderPool
) -> None:
    sqlite_archive.run(sqlite_archive.service.add("c", [sqlite_archive.folder]))
    sqlite_archive.database.engine.dispose()
    shutil.copy(sqlite_template, data_dir / "catalog.sqlite")
    service, _, lexical = services(sqlite_archive.database, data_dir, encoders, sqlite_archive.reader)
    made = service.ensure_collection("c")
    assert lexical.index(made.id).document_ids().tolist() == []


@dataclass
class RemovingReader:
    """The collection is removed while its second file is read."""

    archive: Archive
    read_before: int = 0

    def read(self, path: Path, options: ReadOptions) -> Iterable[Extracted | ReadFailure]:
        self.read_before += 1
        if self.read_before == 2:
            self.archive.service.remove("c")
        return self.archive.reader.read(path, options)  # type: ignore[no-any-return]


def test_nothing_of_a_collection_stays_that_is_removed_while_it_is_indexed(
    sqlite_archive: Archive, data_dir: Path, encoders: EncoderPool
) -> None:
    reader = RemovingReader(sqlite_archive)
    service, _, _ = services(sqlite_archive.database, data_dir, encoders, reader)
    job = service.add("c", [sqlite_archive.folder])
    done = jobs.run_one(sqlite_archive.database, service.handlers, only=job)
    assert done is not None
    assert (done.state, done.message) == (JobState.CANCELLED, "its collection was removed")
    assert service.check() == []
    assert not list((data_dir / "lexical").glob("*"))
