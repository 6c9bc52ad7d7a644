"""Token states come with the vectors, go with the passages, and a job that is killed leaves neither half."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete

from indexer.embedding import telling
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.relevance_rows import StatePartRow
from riparian.types import JobId, JobState
from riparian.vectors.state_store import StateStore
from riparian.vectors.token_states import TokenStates, projected, restored
from tests.indexer.worker import TELLING, TellingEncoder, build

ROOT = Path(__file__).parents[2]
SPEC = f"hashing:{TELLING}"


@dataclass
class Site:
    """A folder of tables, its collection "c", and what is kept of it."""

    folder: Path
    data_dir: Path
    url: str
    database: Database
    service: IndexService

    def write(self, name: str, *rows: str) -> None:
        (self.folder / name).write_text("text\n" + "".join(f"{row}\n" for row in rows))

    def add(self) -> JobId:
        return self.service.add("c", [self.folder], encoder=SPEC)

    def run(self, job: JobId) -> None:
        done = jobs.run_one(self.database, self.service.handlers, only=job)
        assert done is not None
        assert done.state is JobState.DONE, done.message

    @property
    def stored(self) -> StoredEncoder:
        return self.service.encoders("c")[0].encoder

    @property
    def id(self) -> int:
        return self.service.status("c").collection.id

    def states(self) -> TokenStates:
        return StateStore(self.database, self.data_dir).snapshot(self.id, self.stored)

    def texts(self) -> dict[int, str]:
        with self.database.read() as catalog:
            return {p.id: p.text for batch in catalog.passages.all(self.id) for p in batch}

    def part_folders(self) -> list[str]:
        parent = self.data_dir / "token_states" / str(self.id) / str(self.stored.id)
        return sorted(path.name for path in parent.iterdir()) if parent.is_dir() else []


@pytest.fixture
def site(sqlite_url: str, sqlite_database: Database, data_dir: Path, tmp_path: Path) -> Site:
    folder = tmp_path / "tables"
    folder.mkdir()
    _, service, _ = build(data_dir, sqlite_url, tmp_path / "encoded.log")
    return Site(folder, data_dir, sqlite_url, sqlite_database, service)


def assert_whole(site: Site) -> None:
    """Every passage has the states of its own text, up to what rounding takes, and nothing else has any."""
    states, texts = site.states(), site.texts()
    assert set(texts) <= set(states.ids.tolist())
    found = states.of(texts)
    encoder = TellingEncoder(site.data_dir.parent / "other.log", TELLING)
    for passage, text in texts.items():
        _, [full] = encoder.encode_both([text], "passage", lambda rows: rows)
        basis, rows = found[passage]
        assert np.abs(restored(rows) - projected(telling(full), basis)).max() < 0.005, text
    assert site.service.check() == []


def test_states_come_with_the_vectors_and_follow_every_change_of_the_files(site):
    site.write("a.csv", "the river rose", "boats, and more boats!", "the river rose")
    site.run(site.add())
    assert_whole(site)
    site.write("b.csv", "a heron waits", "the river rose")  # the last shares the text of others
    site.run(site.add())
    assert_whole(site)
    site.write("a.csv", "otters sleep in the reeds")
    site.run(site.add())
    assert_whole(site)
    # most of what the parts held is gone: they were written anew, without it
    assert set(site.states().ids.tolist()) == set(site.texts())
    assert len(site.part_folders()) == 1


def test_many_small_changes_leave_few_parts(site):
    for number in range(7):
        site.write(f"{number}.csv", *(f"round {number} row {row} of the gauge" for row in range(12)))
        site.run(site.add())
    assert len(site.part_folders()) <= 3
    assert_whole(site)


def test_a_tiny_last_batch_does_not_keep_those_before_it_apart(site):
    rows = 513
    site.write("a.csv", *(f"row {row} of the gauge at the lower bridge" for row in range(rows)))
    site.run(site.add())
    assert len(site.part_folders()) == 1
    assert len(site.states().ids) == rows


def test_a_reindex_makes_the_states_of_the_other_encoder_and_a_rollback_finds_those_of_the_first(site):
    site.write("a.csv", "the river rose", "a heron waits")
    site.run(site.service.add("c", [site.folder], encoder="hashing:64"))
    assert not len(site.states())  # that encoder gives none
    site.run(site.service.reindex("c", SPEC))
    assert_whole(site)
    site.service.rollback("c")
    assert not len(site.states())
    assert site.service.check() == []
    site.service.rollback("c")
    assert_whole(site)
    site.service.rollback("c")
    site.service.forget_encoder("c", SPEC)
    assert not list((site.data_dir / "token_states" / str(site.id)).iterdir())
    assert site.service.check() == []


def test_removing_the_collection_removes_its_states(site):
    site.write("a.csv", "the river rose")
    site.run(site.add())
    folder = site.data_dir / "token_states" / str(site.id)
    assert folder.is_dir()
    site.service.remove("c")
    assert not folder.exists()


def test_a_changed_byte_is_never_read_and_check_makes_the_states_again(site):
    site.write("a.csv", "the river rose", "a heron waits")
    site.run(site.add())
    [part] = site.part_folders()
    file = site.data_dir / "token_states" / str(site.id) / str(site.stored.id) / part / "states.i8"
    content = bytearray(file.read_bytes())
    content[3] ^= 0x40
    file.write_bytes(content)
    first, second = sorted(site.texts())
    damaged = {first, second} - set(site.states().of([first, second]))
    assert len(damaged) == 1
    [problem] = site.service.check()
    assert problem.detail.startswith("token states: ")
    assert "states.i8" in problem.detail
    assert all(found.repaired for found in site.service.check(repair=True))
    assert_whole(site)


def test_a_part_that_is_gone_is_found_and_made_again(site):
    site.write("a.csv", "the river rose")
    site.run(site.add())
    [part] = site.part_folders()
    for file in (site.data_dir / "token_states" / str(site.id) / str(site.stored.id) / part).iterdir():
        file.unlink()
    assert not len(site.states())
    assert site.service.check()
    assert all(found.repaired for found in site.service.check(repair=True))
    assert_whole(site)


def test_a_collection_of_an_earlier_version_gets_its_states_when_asked(site):
    site.write("a.csv", "the river rose", "a heron waits")
    site.run(site.add())
    with site.database.write() as catalog:
        catalog.session.execute(delete(StatePartRow))
        catalog.collections.touch(site.id)
    assert not len(site.states())
    site.run(site.service.make_states("c"))
    assert_whole(site)


KILLED_AT = {
    "embedding.encoded": False,
    "states.before-rename": False,
    "embedding.committed": True,
    "states.merged": True,
}
"""Places, and whether all that is to be embedded is committed there."""


def _killed(site: Site, place: str) -> int:
    command = [sys.executable, "-m", "tests.indexer.worker", str(site.data_dir), site.url, str(site.data_dir / "log")]
    return subprocess.run([*command, place], cwd=ROOT, capture_output=True, timeout=120, check=False).returncode


def test_killed_again_and_again_while_states_are_written_nothing_wrong_is_left(site):
    """One job is killed at each place in the order it comes by them: before a commit half of the passages have states,
    after it all have, and never one has a vector without them."""
    site.write("a.csv", "the river rose", "a heron waits")
    site.run(site.add())
    site.write("b.csv", "boats in the reeds", "otters eat fish")
    job = site.add()
    for place, whole in KILLED_AT.items():
        assert _killed(site, place) == 137, place
        held = site.states().of(site.texts())
        embedded = site.service.encoders("c")[0].vectors
        assert len(held) == embedded == (4 if whole else 2), place
    site.run(job)
    assert_whole(site)


@pytest.mark.slow
def test_killed_while_states_are_made_afterwards_the_job_goes_on(site):
    site.write("a.csv", "the river rose", "a heron waits")
    site.run(site.add())
    with site.database.write() as catalog:
        catalog.session.execute(delete(StatePartRow))
    job = site.service.make_states("c")
    assert _killed(site, "states.encoded") == 137
    assert not len(site.states())
    site.run(job)
    assert_whole(site)
