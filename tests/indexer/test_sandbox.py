"""No file takes the program down: whatever happens in a child is one failure with a reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from datetime import date
from pathlib import Path

import pytest

from indexer.readers.base import ReadOptions
from indexer.readers.wire import BrokenFrame, FrameStream, from_wire, to_wire, write_frame
from indexer.sandbox import InProcess, Readers
from riparian.types import Anchor, Extracted, ReadFailure
from tests.indexer.reading import OPTIONS


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def children() -> set[int]:
    """Process ids of the children of this process that read files."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "indexer.readers.child" in line}


def test_a_child_reads_what_this_process_would_read(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.md", "---\ntitle: Banks\ndate: 2020-01-02\ntags: [a]\n---\n\nThe river rose over its banks.\n"
    )
    with Readers(512, 20) as readers:
        assert list(readers.read(path, OPTIONS)) == list(InProcess().read(path, OPTIONS))


def test_one_child_reads_many_files(tmp_path: Path) -> None:
    with Readers(512, 20) as readers:
        for number in range(5):
            [document] = readers.read(written(tmp_path / f"{number}.txt", f"river {number}"), OPTIONS)
            assert isinstance(document, Extracted)
            assert document.text == f"river {number}"
        assert len(children()) == 1
    assert children() == set()


def test_the_child_starts_without_heavy_libraries() -> None:
    code = (
        "import sys, indexer.readers.child, indexer.sandbox\n"
        "heavy = {'torch', 'faiss', 'gensim', 'transformers', 'sklearn', 'pyarrow', 'pandas', 'onnxruntime', 'flask'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_child_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/db")
    with Readers(512, 20) as readers:
        list(readers.read(written(tmp_path / "a.txt", "river"), OPTIONS))
        [child] = children()
        assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()


def test_a_killed_child_is_one_failure_and_is_replaced(tmp_path: Path) -> None:
    rows = written(tmp_path / "a.jsonl", "".join(json.dumps({"text": f"river {n} " * 2000}) + "\n" for n in range(200)))
    with Readers(512, 20) as readers:
        reading = readers.read(rows, OPTIONS)
        first = next(reading)
        assert isinstance(first, Extracted)
        [child] = children()
        os.kill(child, signal.SIGKILL)
        *_, last = reading
        assert isinstance(last, ReadFailure)
        assert "killed" in last.reason
        [document] = readers.read(written(tmp_path / "b.txt", "bank"), OPTIONS)
        assert isinstance(document, Extracted)
        assert child not in children()


def test_a_crash_in_a_parser_names_the_signal(tmp_path: Path) -> None:
    with Readers(512, 20) as readers:
        reading = readers.read(written(tmp_path / "a.jsonl", '{"text": "x"}\n' * 100_000), OPTIONS)
        next(reading)
        [child] = children()
        os.kill(child, signal.SIGSEGV)
        *_, last = reading
        assert last == ReadFailure("", "the parser crashed on it (SIGSEGV)")


def test_too_slow_a_file_is_given_up(tmp_path: Path) -> None:
    with Readers(512, 1) as readers:
        pipe = tmp_path / "a.txt"
        os.mkfifo(pipe)  # nobody ever writes to it
        assert list(readers.read(pipe, OPTIONS)) == [ReadFailure("", "reading took longer than 1 seconds")]
        [document] = readers.read(written(tmp_path / "b.txt", "bank"), OPTIONS)
        assert isinstance(document, Extracted)


def test_the_time_of_the_caller_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", "".join(json.dumps({"text": "river " * 20_000}) + "\n" for _ in range(60)))
    found = []
    with Readers(512, 2) as readers:
        for reading in readers.read(path, ReadOptions(detect_language=False)):
            found.append(reading)
            threading.Event().wait(0.05)
    assert [type(reading) for reading in found] == [Extracted] * 60


def test_too_much_memory_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(600 << 20)
        file.write(b"x")
    with Readers(400, 20) as readers:
        assert list(readers.read(path, OPTIONS)) == [ReadFailure("", "reading takes more than 400 MB of memory")]


def test_a_large_table_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w") as file:
        for number in range(40_000):
            file.write(
                json.dumps({"_id": number, "title": f"T{number}", "text": f"The river number {number} rose. " * 8})
                + "\n"
            )
    options = ReadOptions(detect_language=False)
    with Readers(256, 20) as readers:
        count, last = 0, None
        for reading in readers.read(path, options):
            count, last = count + 1, reading
        [child] = children()
        status = Path(f"/proc/{child}/status").read_text()
    assert count == 40_000
    assert isinstance(last, Extracted)
    assert last.title == "T39999"
    peak_kb = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    assert peak_kb < 150_000


def test_a_caller_that_stops_early_leaves_nothing_behind(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "river"}\n' * 50_000)
    with Readers(512, 20) as readers:
        reading = readers.read(path, OPTIONS)
        next(reading)
        reading.close()  # type: ignore[attr-defined]
        assert children() == set()


def test_threads_read_at_the_same_time(tmp_path: Path) -> None:
    found: dict[int, str] = {}

    def read(number: int) -> None:
        path = written(tmp_path / f"{number}.jsonl", json.dumps({"text": f"river {number}"}) + "\n")
        for _ in range(5):
            [document] = readers.read(path, OPTIONS)
            assert isinstance(document, Extracted)
            found[number] = document.text

    with Readers(512, 30) as readers:
        threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: f"river {number}" for number in range(4)}


def test_what_was_unpacked_is_removed_also_after_a_kill(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"text": "river " * 3000}) + "\n" for _ in range(200))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", rows)
    with Readers(512, 20) as readers:
        reading = readers.read(tmp_path / "a.zip", ReadOptions(max_ratio=10_000))
        next(reading)
        [child] = children()
        folder = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[-2].decode()
        assert [path.name for path in Path(folder).iterdir() if path.name.startswith("member-")]
        os.kill(child, signal.SIGKILL)
        list(reading)
        assert not Path(folder).exists()


def test_readings_survive_the_journey_unchanged() -> None:
    document = Extracted(
        "m", "text\n😀", "t", date(2020, 1, 2), "a", "en", "pdf", "p", (Anchor(0, "page", 1),), {"k": [1]}
    )
    failure = ReadFailure("m", "reason")
    out, into = os.pipe()
    with os.fdopen(out, "rb") as source, os.fdopen(into, "wb") as target:
        for reading in (document, failure):
            write_frame(target, to_wire(reading))
        stream = FrameStream(source.fileno())
        assert [from_wire(stream.next(5)) for _ in range(2)] == [document, failure]
        with pytest.raises(TimeoutError):
            stream.next(0.01)
        target.write(b"\xff\xff\xff\xff")
        target.flush()
        with pytest.raises(BrokenFrame, match="too long"):
            stream.next(5)
