"""Ctrl-C in the midst of indexing: what is acknowledged stays, and the same command goes on from there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from sqlalchemy.exc import OperationalError

from riparian.catalog.engine import Database, connect
from riparian.errors import UnknownCollection
from tests.conftest import ENCODER

ROOT = Path(__file__).parents[2]
FILES = 450


def riparian(data_dir: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "web.cli", *arguments, "--data-dir", str(data_dir)],
        cwd=ROOT,
        env={**os.environ, "RIPARIAN_ENCODER": ENCODER},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def documents(data_dir: Path) -> int:
    """Acknowledged so far; 0 while there is no catalog."""
    path = data_dir / "catalog.sqlite"
    if not path.exists():
        return 0
    engine = connect(f"sqlite:///{path}")
    try:
        with Database(engine).read() as catalog:
            return catalog.collections.named("many").documents
    except (UnknownCollection, OperationalError):  # the tables are in the making
        return 0
    finally:
        engine.dispose()


def test_indexing_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, data_dir = tmp_path / "many", tmp_path / "data"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:04}.txt").write_text(f"Text number {number} about rivers. " * 5)
    process = riparian(data_dir, "add", str(folder), "--collection", "many", "--json")
    pause, deadline = threading.Event(), time.monotonic() + 120
    while documents(data_dir) == 0 and time.monotonic() < deadline:
        pause.wait(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "riparian: stopped; the same command goes on from here"
    kept = documents(data_dir)
    assert 0 < kept < FILES
    again = riparian(data_dir, "add", str(folder), "--collection", "many", "--json")
    out, said = again.communicate(timeout=200)
    assert again.returncode == 0, said
    record = json.loads(out)
    assert record["documents"] == FILES
    assert record["result"]["encoded"] <= record["passages"]
    jobs = json.loads(riparian(data_dir, "jobs", "list", "--json").communicate(timeout=60)[0])["jobs"]
    assert [job["state"] for job in jobs] == [
        "done",
        "done",
        "cancelled",
    ]  # what scores mean, the index, the index that was stopped
    check = riparian(data_dir, "check", "--json")
    out, _ = check.communicate(timeout=60)
    assert (check.returncode, json.loads(out)["clean"]) == (0, True)
