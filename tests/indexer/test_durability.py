"""The worker is killed as `kill -9` kills, at random and at every named place; nothing acknowledged may be lost."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from indexer.embedding import BATCH
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.engine import Database
from riparian.encoders.hashing import HashingEncoder
from tests.indexer.worker import build

ROOT = Path(__file__).parents[2]

FAILPOINTS = {
    "batch.before-commit": "index",
    "batch.committed": "index",
    "embedding.encoded": "index",
    "embedding.committed": "index",
    "lexical.half-committed": "index",
    "lexical.before-forget": "index",
    "lexical.before-switch": "rebuild",
    "generation.files-written": "compact",
    "generation.before-rename": "compact",
    "generation.after-rename": "compact",
    "compaction.published": "compact",
}
"""Every named place, with the kind of job that comes by it."""

OF_REINDEXING = {"reindex.before-switch", "reindex.switched"}
"""Those that test_reindex.py kills at."""

OF_STATES = {"states.before-rename", "states.encoded", "states.merged"}
"""Those that test_token_states.py kills at."""


@dataclass
class Site:
    """A folder of tables whose rows change from round to round, and the catalog that must keep up."""

    folder: Path
    data_dir: Path
    url: str
    database: Database
    service: IndexService
    texts: dict[str, str] = field(default_factory=dict)
    """What the files say now: the text of each document by its source."""
    round: int = 0

    @property
    def log(self) -> Path:
        return self.data_dir.parent / "encoded.log"

    def change(self, tables: int, rows: int) -> None:
        """Writes tables anew, with rows that no earlier table had, and removes one that was there."""
        self.round += 1
        for number in range(tables):
            name = f"table-{(self.round + number) % (tables + 1)}.csv"
            lines = [f"round {self.round} table {number} row {row} of the river gauge" for row in range(1, rows + 1)]
            (self.folder / name).write_text("text\n" + "\n".join(lines) + "\n")
            self._forget(name)
            self.texts |= {f"{self.folder / name}!row {row}": line for row, line in enumerate(lines, start=1)}
        gone = f"table-{(self.round + tables) % (tables + 1)}.csv"
        (self.folder / gone).unlink(missing_ok=True)
        self._forget(gone)

    def _forget(self, name: str) -> None:
        prefix = f"{self.folder / name}!"
        self.texts = {source: text for source, text in self.texts.items() if not source.startswith(prefix)}

    def enqueue(self, *kinds: str) -> None:
        """An index job, then the others."""
        self.service.add("c", [self.folder])
        with self.database.write() as catalog:
            collection = catalog.collections.named("c")
            for kind in kinds:
                jobs.enqueue(catalog, kind, {}, collection.id)

    def start(self, *failpoint: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.indexer.worker", str(self.data_dir), self.url, str(self.log)]
        return subprocess.Popen([*command, *failpoint], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def finish(self) -> None:
        worker = self.start()
        worker.communicate(timeout=120)
        assert worker.returncode == 0

    def written(self) -> dict[str, tuple[int, str]]:
        """Every acknowledged document: its id and text by its source."""
        with self.database.read() as catalog:
            collection = catalog.collections.named("c")
            ids = catalog.documents.ids(collection.id).tolist()
            return {d.source: (d.id, d.text) for d in catalog.documents.written(ids)}

    def encoded(self) -> Counter[str]:
        return Counter(self.log.read_text().split()) if self.log.exists() else Counter()


@pytest.fixture
def site(database_url: str, database: Database, data_dir: Path, tmp_path: Path) -> Site:
    folder = tmp_path / "tables"
    folder.mkdir()
    _, service, _ = build(data_dir, database_url, data_dir.parent / "encoded.log")
    return Site(folder, data_dir, database_url, database, service)


@pytest.fixture
def sqlite_site(sqlite_url: str, sqlite_database: Database, data_dir: Path, tmp_path: Path) -> Site:
    folder = tmp_path / "tables"
    folder.mkdir()
    _, service, _ = build(data_dir, sqlite_url, data_dir.parent / "encoded.log")
    return Site(folder, data_dir, sqlite_url, sqlite_database, service)


def kill_at_random(site: Site, kills: int, longest_s: float, seed: int) -> int:
    """Kills the worker `kills` times while it works; what was acknowledged at a kill must outlive the next.

    Answers with how many kills came before the worker was done.
    """
    chance, in_time = random.Random(seed), 0
    for _ in range(kills):
        site.change(tables=2, rows=400)
        site.enqueue("compact")
        before = site.written()
        worker = site.start()
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        try:
            worker.wait(chance.uniform(0.0, longest_s))
        except subprocess.TimeoutExpired:
            worker.kill()
            in_time += 1
        worker.communicate(timeout=60)
        after = site.written()
        kept = {source: value for source, value in before.items() if site.texts.get(source) == value[1]}
        assert {source: after.get(source) for source in kept} == kept
    return in_time


def assert_whole(site: Site) -> None:
    """SQL says what the files say, vectors and words follow from it, and the check finds nothing."""
    written = site.written()
    assert {source: text for source, (_, text) in written.items()} == site.texts
    assert site.service.check() == []
    with site.database.read() as catalog:
        collection = catalog.collections.named("c")
        assert collection.encoder_id is not None
        stored = catalog.encoders.get(collection.encoder_id)
        passages = [p for batch in catalog.passages.all(collection.id) for p in batch]
    expected = HashingEncoder(64).encode_passages([passage.text for passage in passages], "passage")
    ids, matrix = site.service._vectors.vectors(collection.id, stored)
    assert ids.tolist() == [passage.id for passage in passages]
    np.testing.assert_array_equal(matrix, expected)


def test_three_kills_at_random_lose_nothing_and_repeat_at_most_a_batch_each(sqlite_site: Site) -> None:
    kills = kill_at_random(sqlite_site, 3, longest_s=1.5, seed=1)
    sqlite_site.finish()
    assert_whole(sqlite_site)
    repeated = sum(times - 1 for times in sqlite_site.encoded().values())
    assert repeated <= kills * BATCH


@pytest.mark.slow
def test_twenty_kills_at_random_lose_nothing_and_repeat_at_most_a_batch_each(site: Site) -> None:
    kills = kill_at_random(site, 20, longest_s=4.0, seed=2)
    site.finish()
    assert_whole(site)
    assert kills >= 10
    repeated = sum(times - 1 for times in site.encoded().values())
    assert repeated <= kills * BATCH


def test_a_kill_at_each_named_place_is_healed_by_the_next_run(sqlite_site: Site) -> None:
    for failpoint, kind in FAILPOINTS.items():
        sqlite_site.change(tables=1, rows=5)
        sqlite_site.enqueue(*{kind} - {"index"})
        before = sqlite_site.written()
        worker = sqlite_site.start(failpoint)
        worker.communicate(timeout=60)
        assert worker.returncode == 137, failpoint
        after = sqlite_site.written()
        kept = {s: value for s, value in before.items() if sqlite_site.texts.get(s) == value[1]}
        assert {source: after.get(source) for source in kept} == kept
    sqlite_site.finish()
    assert_whole(sqlite_site)


def test_every_named_place_in_the_code_is_in_the_list() -> None:
    named = set()
    for room in ("riparian", "indexer"):
        for path in (ROOT / room).rglob("*.py"):
            named |= set(re.findall(r'^\s+failpoint\("([^"]+)"\)', path.read_text(), re.MULTILINE))
    assert named == set(FAILPOINTS) | OF_REINDEXING | OF_STATES
