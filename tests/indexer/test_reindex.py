"""A collection under another encoder: beside the old one, whole or not at all, and back again."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.embedding import BATCH
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.engine import Database
from riparian.catalog.vectors import Generation
from riparian.encoders.base import Encoder, Progress
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import AlreadyExists, Conflict, IndexMismatch, Invalid, NoVectorsOf, UnknownCollection
from riparian.types import JobId, JobState, Matrix, Mode, Role
from search.request import SearchRequest
from search.service import SearchService
from tests.indexer.conftest import Archive, services
from tests.indexer.test_durability import ROOT
from tests.indexer.worker import build

OTHER = "hashing:32"
QUESTIONS = ("otters in the river", "bank interest", "a heron and a fish", "mill")


@dataclass(frozen=True)
class Answer:
    """What a search said, to the bit."""

    encoder: str
    hits: tuple[tuple[int, float], ...]


def answers(search: SearchService) -> list[Answer]:
    found = [search.search(SearchRequest("c", q, mode=Mode.SEMANTIC)) for q in QUESTIONS]
    return [Answer(a.encoder, tuple((h.passage.id, h.score) for h in a.hits)) for a in found]


def searching(archive: Archive, encoders: EncoderPool) -> SearchService:
    return SearchService(archive.database, encoders, archive.vectors, archive.lexical)


def reindexed(archive: Archive, encoder: str = OTHER, **options: Any) -> dict[str, Any]:
    return dict(archive.run(archive.service.reindex("c", encoder, **options)).result)


def table(archive: Archive, name: str, rows: int) -> None:
    archive.write({name: "text\n" + "".join(f"gauge {name} row {row} of the river\n" for row in range(rows))})


def generation(archive: Archive, encoder: int) -> Generation:
    with archive.database.read() as catalog:
        found = catalog.vectors.active(archive.collection.id, encoder)  # type: ignore[arg-type]
    assert found is not None
    return found


# ---------------------------------------------------------------- re-indexing


def test_a_reindexed_collection_is_what_a_fresh_index_with_that_encoder_is(
    archive: Archive, encoders: EncoderPool, tmp_path: Path, sqlite_template: Path
) -> None:
    archive.add()
    before, first = archive.passages(), archive.encoder
    result = reindexed(archive)
    assert archive.encoder.spec == OTHER
    assert archive.passages() == before
    assert (result["switched"], result["vectors"], result["generation"]) == (True, len(before), 1)
    assert result["embedded"] == len(before)

    expected = HashingEncoder(32)
    with archive.database.read() as catalog:
        inputs = catalog.vectors.pending(archive.collection.id, 999, 100)  # type: ignore[arg-type]  # nobody's: all
    from riparian.inputs import encoder_input

    matrix = expected.encode_passages([encoder_input(p.title, p.text) for p in inputs], "passage")
    view = archive.snapshot().view
    assert view.ids.tolist() == sorted(before)
    np.testing.assert_array_equal(view.vectors(view.ids), matrix)
    assert archive.service.check() == []
    assert [b.encoder.id for b in archive.service.encoders("c")] == [archive.encoder.id, first.id]


def test_answers_after_the_switch_are_those_of_a_fresh_collection(
    sqlite_archive: Archive, encoders: EncoderPool
) -> None:
    archive = sqlite_archive
    archive.add()
    reindexed(archive)
    archive.run(archive.service.add("fresh", [archive.folder], encoder=OTHER))
    search = searching(archive, encoders)
    for question in QUESTIONS:
        here, there = (
            [(hit.document.source, hit.passage.text, hit.score) for hit in search.search(request).hits]
            for request in (SearchRequest("c", question), SearchRequest("fresh", question))
        )
        assert here == there


def test_without_a_switch_searches_stay_with_the_encoder_and_both_are_there(
    archive: Archive, encoders: EncoderPool
) -> None:
    archive.add()
    before = answers(searching(archive, encoders))
    assert reindexed(archive, switch=False)["switched"] is False
    assert answers(searching(archive, encoders)) == before
    active, other = archive.service.encoders("c")
    assert (active.encoder.spec, active.active, active.pending) == ("hashing:64", True, 0)
    assert (other.encoder.spec, other.active, other.pending, other.generation) == (OTHER, False, 0, 1)
    assert other.vectors == active.vectors == archive.collection.passages
    done = archive.service.switch("c", OTHER)
    assert (done.job, done.encoder.spec, archive.encoder.spec) == (None, OTHER, OTHER)


def test_an_empty_collection_only_changes_its_encoder(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.service.ensure_collection("c")
    assert reindexed(archive)["vectors"] == 0
    assert archive.encoder.spec == OTHER
    assert archive.service.rollback("c").encoder.spec == "hashing:64"
    assert archive.service.check() == []


def test_the_encoder_it_has_an_unknown_one_and_an_unknown_collection_are_refused(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.add()
    with pytest.raises(AlreadyExists, match="is indexed with 'hashed character n-grams, 64 dimensions' already"):
        archive.service.reindex("c", "hashing:64")
    with pytest.raises(UnknownCollection):
        archive.service.reindex("none", OTHER)
    with pytest.raises(NoVectorsOf, match=r"no vectors of 'hashing:32'; it has those of: hashed .*`riparian reindex`"):
        archive.service.switch("c", OTHER)
    with pytest.raises(Conflict, match="never switched"):
        archive.service.rollback("c")
    with pytest.raises(IndexMismatch, match="`riparian reindex`"):
        archive.service.add("c", [archive.folder], encoder=OTHER)


def test_asked_for_twice_it_is_one_job(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    first = sqlite_archive.service.reindex("c", OTHER)
    assert sqlite_archive.service.reindex("c", OTHER) == first
    assert sqlite_archive.service.reindex("c", OTHER, switch=False) != first


# ---------------------------------------------------------------- stopped in the middle


class Stopping(HashingEncoder):
    """Asks its job to stop when it is given its second batch, and counts every text that it is given."""

    def __init__(self, database: Database) -> None:
        super().__init__(32)
        self._database, self.job, self.batches = database, 0, 0
        self.texts: Counter[str] = Counter()

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        self.batches += 1
        self.texts.update(texts)
        if self.batches == 2:
            with self._database.write() as catalog:
                jobs.cancel(catalog, self.job)  # type: ignore[arg-type]
        return super().encode_passages(texts, role, progress)


class OneOf(EncoderPool):
    """Loads the stopping encoder under its spec."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        super().__init__(folder)
        self._own = encoder

    def load(self, spec: str) -> Encoder:
        return self._own if spec == OTHER else super().load(spec)


def test_cancelled_half_way_it_changes_no_answer_and_goes_on_where_it_was(
    archive: Archive, encoders: EncoderPool, tmp_path: Path
) -> None:
    table(archive, "gauges.csv", 2 * BATCH)
    archive.add()
    stopping = Stopping(archive.database)
    archive.service, archive.vectors, archive.lexical = services(
        archive.database, archive.data_dir, OneOf(tmp_path, stopping), archive.reader
    )
    before = answers(searching(archive, encoders))
    stopping.job = archive.service.reindex("c", OTHER)
    stopped = jobs.run_one(archive.database, archive.service.handlers, only=JobId(stopping.job))
    assert stopped is not None
    assert stopped.state is JobState.CANCELLED
    assert answers(searching(archive, encoders)) == before
    active, half = archive.service.encoders("c")
    assert (active.encoder.spec, active.active) == ("hashing:64", True)
    assert (half.vectors, half.generation, half.active) == (BATCH, None, False)
    assert half.vectors + half.pending == archive.collection.passages

    result = reindexed(archive)
    assert archive.encoder.spec == OTHER
    assert result["embedded"] == archive.collection.passages - BATCH  # by this job; the one before was cancelled
    # the batch that was under way when it was stopped was lost, and nothing else was done twice
    assert sorted(Counter(stopping.texts.values()).items()) == [(1, archive.collection.passages - BATCH), (2, BATCH)]
    assert archive.service.check() == []


KILLED_AT = ("embedding.committed", "reindex.before-switch", "reindex.switched")
KILLED_AT_LENGTH = (
    "embedding.encoded", "embedding.committed", "generation.files-written", "generation.before-rename",
    "generation.after-rename", "compaction.published", "reindex.before-switch", "reindex.switched",
)  # fmt: skip


def _killed(data_dir: Path, url: str, log: Path, place: str) -> int:
    command = [sys.executable, "-m", "tests.indexer.worker", str(data_dir), url, str(log), place]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False, timeout=120).returncode


def test_killed_it_is_whole_or_not_there_and_the_next_run_ends_it(
    sqlite_url: str, sqlite_database: Database, data_dir: Path, tmp_path: Path
) -> None:
    _kill_at(KILLED_AT, sqlite_url, sqlite_database, data_dir, tmp_path)


@pytest.mark.slow
def test_killed_at_each_named_place_it_is_whole_or_not_there_and_the_next_run_ends_it(
    database_url: str, database: Database, data_dir: Path, tmp_path: Path
) -> None:
    _kill_at(KILLED_AT_LENGTH, database_url, database, data_dir, tmp_path)


def _kill_at(places: Sequence[str], url: str, database: Database, data_dir: Path, tmp_path: Path) -> None:
    log, folder = tmp_path / "encoded.log", tmp_path / "files"
    folder.mkdir()
    (folder / "t.csv").write_text("text\n" + "".join(f"row {row} of the gauge\n" for row in range(300)))
    own, service, handlers = build(data_dir, url, log)
    service.add("c", [folder])
    _run_all(database, handlers)
    for number, place in enumerate(places):
        other = f"hashing:{70 + number}"
        was = _spec(service)
        log.write_text("")
        service.reindex("c", other)
        assert _killed(data_dir, url, log, place) == 137, place
        assert _spec(service) == (other if place == "reindex.switched" else was)
        _run_all(database, handlers)
        assert _spec(service) == other
        active = service.encoders("c")[0]
        assert (active.vectors, active.pending, active.generation is not None) == (300, 0, True)
        assert sum(times - 1 for times in Counter(log.read_text().split()).values()) <= BATCH
        service.forget_encoder("c", was)
        assert service.check() == [], place
    own.engine.dispose()


def _spec(service: IndexService) -> str:
    return service.encoders("c")[0].encoder.spec


def _run_all(database: Database, handlers: Any) -> None:
    while (job := jobs.run_one(database, handlers)) is not None:
        assert job.state is JobState.DONE, job.message


# ---------------------------------------------------------------- back again


def test_a_rollback_gives_the_answers_before_to_the_bit_and_so_does_going_forth_again(
    archive: Archive, encoders: EncoderPool
) -> None:
    archive.add()
    search = searching(archive, encoders)
    before = answers(search)
    reindexed(archive)
    after = answers(search)
    assert after != before
    assert {a.encoder for a in after} == {archive.encoder.name}
    done = archive.service.rollback("c")
    assert (done.job, done.encoder.spec) == (None, "hashing:64")
    assert answers(search) == before
    assert archive.service.rollback("c").encoder.spec == OTHER
    assert answers(search) == after
    assert answers(searching(archive, encoders)) == after
    with archive.database.read() as catalog:
        events = [e for e in catalog.events.latest(archive.collection.id) if e.kind == "encoder-switched"]
    first, other = archive.service.encoders("c")[1].encoder.id, archive.encoder.id
    assert [(e.data["from"], e.data["to"]) for e in events] == [(first, other), (other, first), (first, other)]


def test_what_came_meanwhile_is_embedded_before_the_switch_back(archive: Archive, encoders: EncoderPool) -> None:
    archive.add()
    reindexed(archive)
    archive.write({"swan.txt": "A swan hissed at the ferryman."})
    (archive.folder / "money.txt").unlink()
    archive.sync()
    waiting = archive.service.rollback("c")
    assert waiting.job is not None
    assert archive.encoder.spec == OTHER
    assert archive.run(waiting.job).result["embedded"] == 1
    assert archive.encoder.spec == "hashing:64"
    assert archive.snapshot().view.ids.tolist() == sorted(archive.passages())
    [best, *_] = searching(archive, encoders).search(SearchRequest("c", "a swan hissed", mode=Mode.SEMANTIC)).hits
    assert best.document.source.endswith("swan.txt")
    assert archive.service.rollback("c").job is None
    assert archive.service.check() == []


def test_while_another_job_of_the_collection_runs_the_switch_waits_for_it(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.add()
    reindexed(archive)
    asked: list[Any] = []

    def hold(running: jobs.Running) -> None:
        asked.append(archive.service.rollback("c"))
        with pytest.raises(Conflict, match="a job of collection 'c' runs"):
            archive.service.forget_encoder("c", "hashing:64")

    with archive.database.write() as catalog:
        jobs.enqueue(catalog, "hold", {}, archive.collection.id)
    held = jobs.run_one(archive.database, {"hold": hold})
    assert held is not None
    assert held.state is JobState.DONE, held.message
    assert archive.encoder.spec == OTHER
    archive.run(asked[0].job)
    assert archive.encoder.spec == "hashing:64"


def test_searches_during_a_reindex_see_one_encoder_or_the_other_whole(
    sqlite_archive: Archive, encoders: EncoderPool
) -> None:
    archive = sqlite_archive
    table(archive, "gauges.csv", BATCH + 50)
    archive.add()
    search = searching(archive, encoders)
    before, seen, stop = answers(search), [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(answers(search))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        reindexed(archive)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    after = answers(search)
    assert before != after
    # every single answer is of one encoder; within one round of questions the switch may lie
    for found in seen:
        assert all(answer in (old, new) for answer, old, new in zip(found, before, after, strict=True))


def test_a_search_after_a_switch_never_gets_what_was_held_from_an_earlier_time(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.add()
    reindexed(archive)
    collection, new = archive.collection.id, archive.encoder
    archive.vectors.snapshot(collection, new)  # a search, and then others with the encoder before
    archive.vectors.snapshot(collection, archive.service.rollback("c").encoder)
    (archive.folder / "money.txt").unlink()
    archive.sync()
    seen: list[int] = []
    search = threading.Thread(target=lambda: seen.append(len(archive.vectors.snapshot(collection, new).view)))
    with archive.vectors._lock_of((collection, new.id)):  # another search renews them at this moment
        search.start()
        search.join(0.3)
        assert seen == []
    search.join()
    assert seen == [archive.collection.passages]


def test_after_a_switch_the_vectors_before_are_held_no_longer_than_needed(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.add()
    collection, first = archive.collection.id, archive.encoder
    held = archive.vectors.snapshot(collection, first)
    reindexed(archive)
    archive.vectors.snapshot(collection, archive.encoder)
    archive.write({"swan.txt": "A swan hissed at the ferryman."})
    archive.sync()
    archive.vectors.snapshot(collection, archive.encoder)
    assert set(archive.vectors._held) == {(collection, archive.encoder.id)}
    assert len(held.view) == archive.collection.passages - 1  # who has begun with them goes on


# ---------------------------------------------------------------- dropping one


def test_the_vectors_of_the_encoder_before_can_be_dropped_but_not_those_in_use(
    archive: Archive, encoders: EncoderPool
) -> None:
    archive.add()
    first = archive.encoder
    reindexed(archive)
    folder = archive.data_dir / "vectors" / str(archive.collection.id)
    with pytest.raises(Conflict, match="switch to another one first"):
        archive.service.forget_encoder("c", OTHER)
    passages = archive.collection.passages
    assert archive.service.forget_encoder("c", "hashing:64") == passages
    assert [path.name for path in folder.iterdir()] == [str(archive.encoder.id)]
    assert [b.encoder.spec for b in archive.service.encoders("c")] == [OTHER]
    assert archive.service.check() == []
    with pytest.raises(NoVectorsOf):
        archive.service.rollback("c")
    reindexed(archive, "hashing:64")
    assert generation(archive, first.id).number == 1
    assert archive.service.check() == []


def test_files_that_come_later_are_split_as_before_also_when_the_first_encoders_vectors_are_gone(
    sqlite_archive: Archive,
) -> None:
    archive = sqlite_archive
    archive.add()
    splitter = archive.collection.settings["splitter"]
    reindexed(archive)
    archive.service.forget_encoder("c", "hashing:64")
    archive.write({"long.txt": " ".join(f"word{i}" for i in range(500))})
    archive.sync()
    assert archive.collection.settings["splitter"] == splitter
    assert archive.service.check() == []


def test_an_encoder_is_named_by_spec_name_or_fingerprint(sqlite_archive: Archive) -> None:
    archive = sqlite_archive
    archive.add()
    reindexed(archive, switch=False)
    for named in (OTHER, "hashed character n-grams, 32 dimensions", HashingEncoder(32).fingerprint()[:12]):
        assert archive.service.switch("c", named).encoder.spec == OTHER
    with pytest.raises(NoVectorsOf):
        archive.service.switch("c", HashingEncoder(32).fingerprint()[:7])


class Renamed(HashingEncoder):
    """Says that it is the other."""

    @property
    def info(self) -> Any:
        from dataclasses import replace

        return replace(super().info, name="twin", spec=f"twin:{super().info.passage_dim}")


def test_a_name_that_several_have_is_refused_with_their_fingerprints(sqlite_archive: Archive, tmp_path: Path) -> None:
    archive = sqlite_archive
    twins: dict[str, Encoder] = {"twin:16": Renamed(16), "twin:24": Renamed(24)}

    class Pool(EncoderPool):
        def load(self, spec: str) -> Encoder:
            return twins.get(spec) or super().load(spec)

    archive.service, archive.vectors, archive.lexical = services(
        archive.database, archive.data_dir, Pool(tmp_path), archive.reader
    )
    archive.add()
    for twin in twins:
        reindexed(archive, twin, switch=False)
    with pytest.raises(Invalid, match="means several encoders") as refused:
        archive.service.switch("c", "twin")
    assert all(twin.fingerprint()[:12] in str(refused.value) for twin in twins.values())


# ---------------------------------------------------------------- check and repair


@pytest.fixture
def both(sqlite_archive: Archive) -> Archive:
    """Indexed with one encoder and re-indexed with another; the first has a generation too."""
    sqlite_archive.add()
    sqlite_archive.run(sqlite_archive.service.compact("c"))
    reindexed(sqlite_archive)
    return sqlite_archive


def test_a_changed_byte_of_the_encoder_not_in_use_is_found_and_made_again(both: Archive, encoders: EncoderPool) -> None:
    before = both.service.encoders("c")[1]
    path = both.data_dir / generation(both, before.encoder.id).folder / "vectors.f32"
    content = bytearray(path.read_bytes())
    content[7] ^= 1
    path.write_bytes(bytes(content))
    [problem] = both.service.check()
    assert "vectors.f32 is damaged" in problem.detail
    assert all(found.repaired for found in both.service.check(repair=True))
    assert both.service.check() == []
    mended = both.service.encoders("c")[1]
    assert (mended.encoder, mended.vectors, mended.pending) == (before.encoder, before.vectors, 0)
    assert both.encoder.spec == OTHER


def test_a_reindex_over_damaged_vectors_makes_them_again(both: Archive) -> None:
    before = both.service.encoders("c")[1]
    (both.data_dir / generation(both, before.encoder.id).folder / "ids.i64").write_bytes(b"")
    done = both.run(both.service.reindex("c", "hashing:64"))
    assert done.result["embedded"] == before.vectors
    assert both.encoder.spec == "hashing:64"
    assert both.service.check() == []


def test_a_folder_of_an_encoder_without_vectors_is_found_and_removed(both: Archive) -> None:
    stray = both.data_dir / "vectors" / str(both.collection.id) / "999"
    stray.mkdir()
    [problem] = both.service.check()
    assert problem.detail == f"{stray} is used by nothing"
    assert [found.repaired for found in both.service.check(repair=True)] == [True]
    assert not stray.exists()


def test_removed_documents_leave_the_vectors_of_every_encoder(both: Archive) -> None:
    (both.folder / "money.txt").unlink()
    both.sync()
    for binding in both.service.encoders("c"):
        view = both.vectors.snapshot(both.collection.id, binding.encoder, wait=True).view
        assert view.ids.tolist() == sorted(both.passages())
    assert both.service.check() == []


def test_a_removed_collection_takes_all_of_its_encoders_along(both: Archive) -> None:
    folder = both.data_dir / "vectors" / str(both.collection.id)
    assert len(list(folder.iterdir())) == 2
    both.service.remove("c")
    assert not folder.exists()
    assert both.service.check() == []
