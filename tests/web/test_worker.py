"""Jobs are worked off beside the server, given back when the worker is stopped, and the server ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from riparian import jobs
from riparian.jobs import Running
from riparian.types import JobState
from tests.conftest import ENCODER
from web.errors import exit_code_of
from web.serve import address, is_loopback, serve
from web.wiring import Services
from web.worker import Worker

ROOT = Path(__file__).parents[2]


def test_a_stopped_worker_gives_its_job_back_at_the_next_batch(empty_services: Services) -> None:
    begun, batches = threading.Event(), []

    def long(running: Running) -> None:
        for batch in range(10_000):
            running.progress("batches", batch, 10_000, "batches")
            batches.append(batch)
            begun.set()

    services = replace(empty_services, handlers={"long": long})
    with services.database.write() as catalog:
        job = jobs.enqueue(catalog, "long", {})
    worker = Worker(services)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert begun.wait(30)
    worker.stop()
    thread.join(30)
    assert not thread.is_alive()
    with services.database.read() as catalog:
        assert jobs.get(catalog, job).state is JobState.QUEUED


def test_a_worker_outlives_a_job_that_fails(empty_services: Services) -> None:
    done = threading.Event()

    def bad(_running: Running) -> None:
        raise ZeroDivisionError

    def good(_running: Running) -> None:
        done.set()

    services = replace(empty_services, handlers={"bad": bad, "good": good})
    with services.database.write() as catalog:
        jobs.enqueue(catalog, "bad", {})
        jobs.enqueue(catalog, "good", {})
    worker = Worker(services)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert done.wait(30)
    worker.stop()
    thread.join(30)


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.168.1.2", False), ("x", False)],
)
def test_loopback_addresses_are_known(host: str, is_it: bool) -> None:
    assert is_loopback(host) is is_it


def test_addresses_are_written_as_browsers_take_them() -> None:
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80/"
    assert address("::1", 80) == "http://[::1]:80/"


def test_a_port_in_use_is_a_clear_line(empty_services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        services = replace(empty_services, settings=empty_services.settings.model_copy(update={"port": port}))
        with pytest.raises(Exception, match=f"127.0.0.1:{port} is in use; choose another with --port") as raised:
            serve(services)
    assert exit_code_of(raised.value) == 3  # type: ignore[arg-type]


@pytest.fixture
def started(tmp_path: Path, archive: Path) -> Iterator[subprocess.Popen[str]]:
    """`riparian open` on the archive, at a free port."""
    command = [
        sys.executable,
        "-m",
        "web.cli",
        "open",
        str(archive),
        "--port",
        "0",
        "--data-dir",
        str(tmp_path / "data"),
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "RIPARIAN_ENCODER": ENCODER, "RIPARIAN_DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_open_serves_at_once_indexes_meanwhile_and_ends_on_sigterm(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    line = started.stdout.readline()
    assert line.startswith("Riparian is at http://127.0.0.1:")
    url = line.split()[3]
    tries = "".join(started.stdout.readline() for _ in range(5))
    assert tries.count(url) == 3
    assert json.load(urllib.request.urlopen(f"{url}healthz")) == {"status": "ok"}
    asked, hits, deadline = f"{url}api/v1/collections/archive/search?q=silt&mode=lexical", [], time.monotonic() + 120
    while not hits and time.monotonic() < deadline:
        hits = json.load(urllib.request.urlopen(asked))["hits"]
        threading.Event().wait(0.2)
    assert "silt" in hits[0]["passage"]["text"]
    started.send_signal(signal.SIGTERM)
    assert started.wait(60) == 0
