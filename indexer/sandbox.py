"""Reads files in child processes with limits, so that no file can take the program down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from indexer.readers.base import ReadOptions
from indexer.readers.dispatch import read as read_here
from indexer.readers.wire import BrokenFrame, FrameStream, from_wire, write_frame
from riparian.errors import Unavailable
from riparian.types import Extracted, ReadFailure

_WHOLE_FILE_FACTOR = 60
"""A file of many documents may take this many times the seconds that one document may."""

_START_SECONDS = 60


class FileReader(Protocol):
    """Reads one file after another; safe to call from several threads."""

    def read(self, path: Path, options: ReadOptions) -> Iterator[Extracted | ReadFailure]: ...


class InProcess:
    """Reads files in this process, without limits: for tests, and for text that the program itself made."""

    def read(self, path: Path, options: ReadOptions) -> Iterator[Extracted | ReadFailure]:
        return read_here(path, options)


class Readers:
    """A pool of reading children; as many as there are calls of `read` under way at once.

    A context manager: leaving it ends the children and removes what they unpacked.
    """

    def __init__(self, memory_mb: int, seconds: int) -> None:
        self._memory_mb, self._seconds = memory_mb, seconds
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="riparian-read-", ignore_cleanup_errors=True)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the idle children; one that is still reading ends when its reading does."""
        with self._lock:
            self._closed, children, self._idle = True, self._idle, []
        for child in children:
            child.end()
        self._folder.cleanup()

    def read(self, path: Path, options: ReadOptions) -> Iterator[Extracted | ReadFailure]:
        """The readings of the file as they come; the file is never held in memory as a whole.

        A child that crashes, runs out of memory, or takes longer than `seconds` for one document gives one
        ReadFailure with the reason, after what it had read so far, and is replaced. Time that the caller takes
        between two documents does not count.
        """
        child = self._take()
        done = False
        try:
            yield from child.read(path, options)
            done = True
        finally:
            # A caller that stops early leaves a child that is in the midst of something.
            self._give_back(child, usable=done)

    def _take(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(self._memory_mb, self._seconds, Path(self._folder.name))

    def _give_back(self, child: _Child, *, usable: bool) -> None:
        with self._lock:
            keep = usable and child.alive and not self._closed
            if keep:
                self._idle.append(child)
        if not keep:
            child.end()


class _Child:
    """One child process and the conversation with it."""

    def __init__(self, memory_mb: int, seconds: int, folder: Path) -> None:
        self._memory_mb, self._seconds = memory_mb, seconds
        self._folder = tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True)
        self._errors = (Path(self._folder.name) / "errors.txt").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "indexer.readers.child", str(memory_mb), str(seconds), self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_child_environment(),
            start_new_session=True,  # Ctrl-C in the terminal is for the program alone
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = FrameStream(self._process.stdout.fileno())
        self._await_start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def _await_start(self) -> None:
        try:
            if self._answers.next(_START_SECONDS) == {"ready": True}:
                return
        except (BrokenFrame, TimeoutError):
            pass
        detail = self._last_error()
        self.end()
        raise Unavailable(f"the process that reads files does not start: {detail or 'no word from it'}")

    def read(self, path: Path, options: ReadOptions) -> Iterator[Extracted | ReadFailure]:
        try:
            self._errors.truncate(0)
            self._errors.seek(0)
            write_frame(self._requests, {"path": os.fsencode(path.absolute()).hex(), "options": asdict(options)})
            yield from self._readings()
        except TimeoutError:
            self.end()
            yield ReadFailure("", self._too_slow())
        except (BrokenFrame, OSError):
            self.end()
            yield ReadFailure("", self._cause_of_death())

    def _readings(self) -> Iterator[Extracted | ReadFailure]:
        left = float(self._seconds * _WHOLE_FILE_FACTOR)
        while True:
            asked = time.monotonic()
            value = self._answers.next(min(self._seconds, left))
            left -= time.monotonic() - asked
            if "end" in value:
                return
            if "out_of_memory" in value:
                self.end()
                yield ReadFailure("", self._too_big())
                return
            yield from_wire(value)

    def end(self) -> None:
        """Kills the process if it still runs, and removes what it unpacked."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._requests.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._errors.closed:
            self._death_note = self._last_error()
            self._errors.close()
        self._folder.cleanup()

    # ---------------------------------------------------------------- what became of it

    _death_note = ""

    def _cause_of_death(self) -> str:
        code = self._process.returncode
        if any(sign in self._death_note for sign in ("bad_alloc", "memory allocation", "MemoryError", "Out of memory")):
            return self._too_big()
        if code == -signal.SIGXCPU:
            return self._too_slow()
        if code == -signal.SIGKILL:
            return "reading was cut off: its process was killed (the machine may be out of memory)"
        if code < 0:
            return f"the parser crashed on it ({signal.Signals(-code).name})"
        return f"reading ended early: {self._death_note or f'exit code {code}'}"

    def _too_big(self) -> str:
        return f"reading takes more than {self._memory_mb} MB of memory"

    def _too_slow(self) -> str:
        return f"reading took longer than {self._seconds} seconds"

    def _last_error(self) -> str:
        """The last line that the process wrote to its standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4000))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def _child_environment() -> dict[str, str]:
    """What the child needs and nothing else: it sees no passwords; one thread each keeps its memory small."""
    paths = [str(Path(entry).absolute()) for entry in sys.path]
    return {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
