"""Reads what lies inside another file: attachments and members of archives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

from indexer.readers.base import Readings, ReadOptions, Unreadable, joined
from indexer.readers.decode import clean_line
from indexer.readers.dispatch import read
from riparian.types import Extracted, ReadFailure

_BLOCK = 1 << 18
_LONGEST_NAME = 300


class Budget:
    """How many bytes may still be unpacked. Shared by all members of one archive."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def copy(self, source: IO[bytes], target: IO[bytes]) -> bool:
        """Copies to the end of `source`; False, midway, when the budget is used up."""
        while block := source.read(_BLOCK):
            self.left -= len(block)
            if self.left < 0:
                return False
            target.write(block)
        return True


class DistinctNames:
    """Tells members apart that an archive holds under one name, as a tar that was added to does."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def take(self, name: str) -> str:
        """ "a.txt" the first time; "a (2).txt" and so on after that."""
        self._times[name] = times = self._times.get(name, 0) + 1
        if times == 1:
            return name
        path = PurePosixPath(name)
        return self.take(path.with_name(f"{path.stem} ({times}){path.suffix}").as_posix())


@contextmanager
def temporary(source: IO[bytes], budget: Budget) -> Iterator[Path | None]:
    """A temporary file with the bytes of `source`, None where the budget does not reach; removed afterwards.

    Its name has nothing of the member's name in it, so no name can lead anywhere.
    """
    with tempfile.NamedTemporaryFile(prefix="member-") as file:
        complete = budget.copy(source, file)
        file.flush()
        yield Path(file.name) if complete else None


def read_member(path: Path, member: str, options: ReadOptions, parent: str | None = None) -> Readings:
    """The readings of a file that is called `member` inside its container, under that name.

    `parent` is set on the document that the file itself is; what lies deeper has its own.
    """
    try:
        inside = options.inside(PurePosixPath(member).name)
    except Unreadable as reason:
        yield ReadFailure(member, str(reason))
        return
    for reading in read(path, inside):
        name = joined(member, reading.member)
        if isinstance(reading, ReadFailure):
            yield replace(reading, member=name)
        else:
            yield _placed(reading, name, member, parent)


def _placed(reading: Extracted, name: str, member: str, parent: str | None) -> Extracted:
    if reading.parent is not None:
        return replace(reading, member=name, parent=joined(member, reading.parent))
    return replace(reading, member=name, parent=parent)


def safe_name(name: str) -> str | None:
    """A member's name to show, None for one that would lead outside (absolute, with a drive, or with "..")."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    if name.startswith(("/", "\\")) or ".." in parts or (parts and len(parts[0]) == 2 and parts[0][1] == ":"):
        return None
    return clean_line("/".join(parts), _LONGEST_NAME) or None
