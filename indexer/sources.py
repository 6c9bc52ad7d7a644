"""Walks the paths that a person names and finds the files to read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from riparian.errors import MissingPath

_JUNK_FOLDERS = frozenset({"node_modules", "__pycache__", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. `source` is its absolute path with "/" between the parts, in valid Unicode."""

    path: Path
    source: str
    size: int
    mtime_ns: int


def walk(paths: Iterable[Path | str]) -> Iterator[SourceFile]:
    """The regular files at and below `paths`: in the order given, folders by name, each file once.

    Hidden files and folders, lock files of office programs and the like are passed over, unless named themselves.
    A link is followed only to a file inside the folder that was named; links to folders are not.
    Raises MissingPath, before anything is yielded, for a path that is not there.
    """
    roots = [Path(path) for path in paths]
    for root in roots:
        if not root.exists():
            raise MissingPath(root)
    return _walk_all(roots)


def _walk_all(roots: list[Path]) -> Iterator[SourceFile]:
    seen: set[Path] = set()
    for root in roots:
        for path in [root] if root.is_file() else _files_below(root, root.resolve()):
            resolved = path.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield from _as_source(path)


def _files_below(folder: Path, root: Path) -> Iterator[Path]:
    waiting = [folder / entry.name for entry in _wanted(folder, root)]
    while waiting:
        path = waiting.pop()
        if path.is_dir():
            waiting.extend(path / entry.name for entry in _wanted(path, root))
        else:
            yield path


def _wanted(folder: Path, root: Path) -> Iterator[os.DirEntry[str]]:
    """Last name first, since the last of those waiting is taken next."""
    for entry in reversed(_entries(folder)):
        if is_junk(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False) or _may_be_opened(entry, folder / entry.name, root):
            yield entry


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What the folder holds, by name; nothing for a folder that may not be listed."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except PermissionError:
        return []


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is passed over: hidden, a lock file, or a program's own."""
    return name.startswith((".", "~$")) or name in _JUNK_FOLDERS or name.lower() in _JUNK_FILES


def _may_be_opened(entry: os.DirEntry[str], path: Path, root: Path) -> bool:
    """A regular file, or a link to one that lies inside `root`; never a device, socket or pipe."""
    if not entry.is_symlink():
        return entry.is_file(follow_symlinks=False)
    target = path.resolve()
    return target.is_file() and target.is_relative_to(root)


def _as_source(path: Path) -> Iterator[SourceFile]:
    try:
        status = path.stat()
    except FileNotFoundError:  # removed since its folder was listed
        return
    if stat.S_ISREG(status.st_mode):
        yield SourceFile(path, _shown(path), status.st_size, status.st_mtime_ns)


def _shown(path: Path) -> str:
    """A name that is not UTF-8 shows a replacement sign for what cannot be read."""
    return os.fsencode(path.absolute()).decode("utf-8", "replace").replace(os.sep, "/")


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of the bytes, read block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
