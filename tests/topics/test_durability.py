"""A fit that is killed leaves the old topics or the new ones, never something between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.topics.conftest import World

ROOT = Path(__file__).parents[2]


def kill_at(world: World, failpoint: str) -> None:
    command = [sys.executable, "-m", "tests.topics.killed", str(world.archive.data_dir), failpoint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 137, done.stderr


def test_killed_before_the_commit_the_old_topics_stay(fitted: World) -> None:
    before, folder = fitted.topics.topics(fitted.id), fitted.active_folder()
    kill_at(fitted, "topics.published")
    assert fitted.anew().topics(fitted.id) == before
    assert fitted.archive.service.check() == []
    [left] = set(fitted.folders()) - {folder}
    fitted.topics.fit(fitted.id, topics=4)
    assert left.exists()  # it may belong to a fit under way in another process
    day_ago = time.time() - 25 * 3600
    os.utime(left, (day_ago, day_ago))
    fitted.topics.fit(fitted.id, topics=4)
    assert not left.exists()


def test_killed_after_the_commit_the_new_topics_are_there(fitted: World) -> None:
    kill_at(fitted, "topics.committed")
    again = fitted.anew()
    assert again.model(fitted.id).topics == len(again.topics(fitted.id)) == 3
    assert again.infer(fitted.id, ["river flood"])
    assert fitted.archive.service.check() == []
