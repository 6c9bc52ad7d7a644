"""A worker to be killed: `python -m tests.indexer.worker DATA URL LOG [FAILPOINT]` runs jobs until none is waiting.

Every text that its encoder is given is written to LOG before the vectors come back.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from indexer.sandbox import InProcess
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog.engine import Database, connect
from riparian.config import Settings
from riparian.encoders.base import Encoder, Progress, States, Through
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.pool import EncoderPool
from riparian.failpoints import arm
from riparian.jobs import Handler, Running
from riparian.lexical.indexes import LexicalStore
from riparian.types import Matrix, Role
from riparian.vectors.store import VectorStore
from tests.conftest import ENCODER


class LoggedEncoder(HashingEncoder):
    """Writes a line for each text that it is given."""

    def __init__(self, log: Path, dimension: int = 64) -> None:
        super().__init__(dimension)
        self._log = log

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        lines = "".join(hashlib.sha256(text.encode()).hexdigest() + "\n" for text in texts)
        with self._log.open("a") as file:
            file.write(lines)
        return super().encode_passages(texts, role, progress)


class TellingEncoder(LoggedEncoder):
    """Gives token states with its vectors, as a transformer does."""

    def encode_both(self, texts: Sequence[str], role: Role, through: Through) -> tuple[Matrix, list[States]]:
        vectors = self.encode_passages(texts, role)
        return vectors, [States(e.tokens, e.offsets, through(e.vectors)) for e in self.encode_tokens(texts, role)]


TELLING = 48
"""Dimension of those that `LoggedPool` makes."""


class LoggedPool(EncoderPool):
    """Loads logged encoders of as many dimensions as `hashing:DIMENSION` says; those of `TELLING` give states."""

    def __init__(self, log: Path) -> None:
        super().__init__(log.parent)
        self._log = log

    def load(self, spec: str) -> Encoder:
        dimension = int(spec.partition(":")[2])
        return (TellingEncoder if dimension == TELLING else LoggedEncoder)(self._log, dimension)


def build(data_dir: Path, url: str, log: Path) -> tuple[Database, IndexService, Mapping[str, Handler]]:
    """The services over the logged encoder; a job of kind "rebuild" makes the lexical index anew."""
    database = Database(connect(url))
    vectors, lexical = VectorStore(database, data_dir), LexicalStore(database, data_dir)
    service = IndexService(
        database,
        LoggedPool(log),
        vectors,
        lexical,
        Settings(data_dir=data_dir, encoder=ENCODER),
        open_readers=lambda: nullcontext(InProcess()),
    )

    def rebuild(running: Running) -> Mapping[str, Any]:
        assert running.job.collection_id is not None
        lexical.rebuild(running.job.collection_id)
        return {}

    return database, service, {**service.handlers, "rebuild": rebuild}


def main() -> None:
    data_dir, url, log, *failpoint = sys.argv[1:]
    for name in failpoint:
        arm(name)
    database, _, handlers = build(Path(data_dir), url, Path(log))
    print("ready", flush=True)  # noqa: T201 - the killer waits for it
    while (job := jobs.run_one(database, handlers)) is not None:
        if job.state is not job.state.DONE:
            raise SystemExit(f"{job.kind} job {job.state}: {job.message}")


if __name__ == "__main__":
    main()
