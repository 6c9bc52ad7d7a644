"""Compares the files on the disk with those the catalog knows: added, changed, renamed, removed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from indexer.sources import SourceFile, digest_of
from riparian.catalog.collections import Root
from riparian.catalog.files import KnownFile

Digest = Callable[[Path], str]

SAMPLE = "sample"
"""The path of the sample archive's root and file; those on the disk are absolute."""


@dataclass(frozen=True, slots=True)
class ToRead:
    """A file that is new, or not as it was."""

    file: SourceFile
    path: str
    root: Root
    known: KnownFile | None

    @property
    def doubted(self) -> bool:
        """A check found fault with what was written of it: it is to be written anew, equal or not."""
        return self.known is not None and not self.known.digest


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file whose content was known under another name, which is gone."""

    known: KnownFile
    file: SourceFile
    path: str
    root: Root


@dataclass(slots=True)
class Changes:
    """What a scan found. `touched` were written again with the same content."""

    to_read: list[ToRead] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    touched: list[tuple[KnownFile, int]] = field(default_factory=list)
    removed: list[KnownFile] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The files below one root, as `walk` gave them."""

    root: Root
    files: Iterable[SourceFile]


def path_key(file: SourceFile) -> str:
    """The absolute path as text that any database takes, different for different files: bytes that are not UTF-8
    are written as ``\\xNN``. The sample archive, which is no file, has its own name."""
    if file.source == SAMPLE:
        return SAMPLE
    return os.fsencode(file.path.absolute()).decode("utf-8", "backslashreplace")


def real_path(path: str) -> Path:
    """The path on the disk that `path_key` wrote so."""
    if os.path.lexists(path):
        return Path(path)
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), path.encode())
    return Path(os.fsdecode(raw))


def compare(
    found: Iterable[Found],
    known: Mapping[str, KnownFile],
    *,
    read_again: Callable[[KnownFile, Root], bool],
    digest: Digest = digest_of,
) -> Changes:
    """What is to be done so that the catalog says what the disk says.

    A file of the same size and time is taken as unchanged unless `read_again` says otherwise. Removed are the known
    files of the roots in `found` that are not there any more; a file below two roots belongs to the first that has it.
    """
    changes = Changes()
    fresh: list[ToRead] = []
    seen: set[str] = set()
    roots: set[int] = set()
    for at in found:
        roots.add(at.root.id)
        for file in at.files:
            path = path_key(file)
            if path in seen:
                continue
            seen.add(path)
            before = known.get(path)
            if before is None:
                fresh.append(ToRead(file, path, at.root, None))
            else:
                _compare_known(changes, ToRead(file, path, at.root, before), before, read_again, digest)
    gone = {path: file for path, file in known.items() if path not in seen and _is_gone(file, roots)}
    _tell_renamed_from_new(changes, fresh, gone, digest)
    changes.removed = [file for file in gone.values() if file.root_id in roots]
    return changes


def _compare_known(
    changes: Changes,
    entry: ToRead,
    before: KnownFile,
    read_again: Callable[[KnownFile, Root], bool],
    digest: Digest,
) -> None:
    same_times = (entry.file.size, entry.file.mtime_ns) == (before.size, before.mtime_ns)
    if before.state == "reading" or read_again(before, entry.root):
        changes.to_read.append(entry)
    elif same_times:
        changes.unchanged += 1
    elif entry.file.size == before.size and before.digest and _digest(digest, entry.file.path) == before.digest:
        changes.touched.append((before, entry.file.mtime_ns))
    else:
        changes.to_read.append(entry)


def _is_gone(file: KnownFile, roots: set[int]) -> bool:
    """Not seen below its root, or below a root that was not looked at and not on the disk either."""
    return file.root_id in roots or not os.path.lexists(file.path)


def _tell_renamed_from_new(changes: Changes, fresh: list[ToRead], gone: dict[str, KnownFile], digest: Digest) -> None:
    by_content: dict[tuple[int, str], list[KnownFile]] = {}
    sizes = set()
    for file in gone.values():
        if file.state == "read" and file.digest:
            by_content.setdefault((file.size, file.digest), []).append(file)
            sizes.add(file.size)
    for entry in fresh:
        same = by_content.get((entry.file.size, _digest(digest, entry.file.path))) if entry.file.size in sizes else None
        old = next((file for file in same or () if _suffix(file.path) == _suffix(entry.path)), None)
        if same is None or old is None:
            changes.to_read.append(entry)
            continue
        same.remove(old)
        del gone[old.path]
        changes.renamed.append(Renamed(old, entry.file, entry.path, entry.root))


def _suffix(path: str) -> str:
    """Another ending may mean another reader: then it is not the same document."""
    return PurePosixPath(path).suffix.lower()


def _digest(digest: Digest, path: Path) -> str:
    """ "" for a file that cannot be read; reading it will say why."""
    try:
        return digest(path)
    except OSError:
        return ""
