"""The process in which files are read: `python -m indexer.readers.child MEMORY_MB SECONDS FOLDER`.

Takes frames with a path and options from standard input, answers with frames of readings on what was its standard
output. Everything a parser prints goes to standard error. It ends with its input.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from indexer.readers.base import ReadOptions
from indexer.readers.dispatch import read
from indexer.readers.wire import BrokenFrame, read_frame, to_wire, write_frame
from riparian.types import ReadFailure

_FILE_BYTES = 4 << 30  # what one unpacked member may take on disk
_OPEN_FILES = 128


@dataclass(frozen=True, slots=True)
class _Child:
    requests: IO[bytes]
    answers: IO[bytes]
    seconds: int

    def serve(self) -> None:
        self._send({"ready": True})
        while (request := read_frame(self.requests)) is not None:
            self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        self._allow_cpu_time()
        try:
            for reading in read(Path(os.fsdecode(bytes.fromhex(request["path"]))), ReadOptions(**request["options"])):
                self._send(to_wire(reading))
                self._allow_cpu_time()
        except MemoryError:
            self._send({"out_of_memory": True})
            sys.exit(0)  # what a parser left behind in full memory is not to be trusted
        self._send({"end": True})

    def _send(self, value: dict[str, Any]) -> None:
        try:
            write_frame(self.answers, value)
        except BrokenFrame as error:
            write_frame(self.answers, to_wire(ReadFailure(value.get("member", ""), f"too long: {error}")))

    def _allow_cpu_time(self) -> None:
        """The limit counts the whole life of the process, so it is moved on with every document."""
        spent = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(spent.ru_utime + spent.ru_stime) + self.seconds + 2
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def main() -> None:
    memory_mb, seconds, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    tempfile.tempdir = folder
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _Child(sys.stdin.buffer, answers, seconds).serve()


if __name__ == "__main__":
    main()
