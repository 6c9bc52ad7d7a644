"""`state.json` of a lexical index: which build is served and up to which change it is complete; and the write lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from riparian.errors import Conflict, DamagedIndex

NAME = "state.json"
FORMAT = 1
"""Grows when what is indexed changes (analysis, fields): an older index is then rebuilt, not misread."""

_LOCK = "write.lock"
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class State:
    """`build` names the folder served (`build-3`); every change up to `revision` is in it. `metas` are the SHA-256 of
    what the last commit wrote as `meta.json` of documents and passages; empty while a change is under way, and after a
    kill in the middle of one."""

    build: int
    revision: int
    metas: tuple[str, ...] = ()
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """Canonical, with its own checksum, so that a changed byte is found."""
        body = asdict(self)
        body["checksum"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return json.dumps(body, sort_keys=True).encode()


Stamp = tuple[int, int, int]
"""Tells one writing of the file from another."""


def stamp(folder: Path) -> Stamp | None:
    """None where there is no index; DamagedIndex where a file stands in the folder's place."""
    try:
        found = (folder / NAME).stat()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise DamagedIndex(folder, "the folder of a lexical index", "a file") from None
    return found.st_mtime_ns, found.st_ino, found.st_size


def read(folder: Path) -> State:
    """DamagedIndex where the file is missing, unreadable or of another format."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
        body = json.loads(raw)
        version = body["format"]
        found = State(body["build"], body["revision"], tuple(body["metas"]), version)
    except FileNotFoundError:
        raise DamagedIndex(path, "the state of a lexical index", "no file") from None
    except (NotADirectoryError, IsADirectoryError):
        raise DamagedIndex(path, "the state of a lexical index", "something else in its place") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(path, "the state of a lexical index", f"{type(error).__name__}: {error}") from error
    if version != FORMAT:
        raise DamagedIndex(path, f"format {FORMAT}", f"format {version}")
    if found.to_bytes() != raw:
        raise DamagedIndex(path, "the state as it was written", "changed bytes")
    return found


def write(folder: Path, state: State) -> None:
    """Replaces the file in one step that outlives a power cut."""
    temporary = folder / f"{NAME}.tmp"
    with temporary.open("wb") as file:
        file.write(state.to_bytes())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / NAME)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear(folder: Path) -> None:
    """Takes away what is no folder where the folder of an index belongs, and no file where its state does."""
    if not folder.is_dir():
        folder.unlink(missing_ok=True)
    elif (folder / NAME).is_dir():
        shutil.rmtree(folder / NAME)


@contextmanager
def write_lock(folder: Path, wait_s: float) -> Iterator[None]:
    """Only one change at a time, over all threads and processes. Conflict where another lasts longer than `wait_s`.

    The system lets go of the lock when its holder dies. DamagedIndex where a file stands in the folder's place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DamagedIndex(folder, "the folder of a lexical index", "a file") from None
    until = time.monotonic() + wait_s
    with (folder / _LOCK).open("a") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= until:
                raise Conflict(f"the lexical index {folder} is being changed by another process; try again later")
            time.sleep(_LOOK_EVERY_S)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
