"""ZIP and tar archives and single compressed files: each member through the reader of its own format."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.dispatch import read
from indexer.readers.nested import Budget, DistinctNames, read_member, safe_name, temporary
from indexer.readers.package import check_member
from indexer.sources import is_junk
from riparian.types import ReadFailure

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


def read_zip(path: Path, options: ReadOptions) -> Readings:
    """The members in the archive's order. What is refused (traps, links, names that lead outside) gives a failure."""
    budget, names = Budget(options.max_unpacked_bytes), DistinctNames()
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        yield from _too_many(len(members), options)
        for member in members[: options.max_members]:
            name = _wanted_name(member.filename)
            if isinstance(name, ReadFailure):
                yield name
            elif name:
                yield from _zip_member(archive, member, names.take(name), budget, options)


def _zip_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, budget: Budget, options: ReadOptions
) -> Readings:
    try:
        check_member(member, options)
        with archive.open(member) as source:
            yield from _member(source, name, budget, options)
    except Unreadable as reason:
        yield ReadFailure(name, str(reason))
    except _DAMAGED as error:
        yield ReadFailure(name, f"damaged: {error}")


def read_tar(path: Path, options: ReadOptions) -> Readings:
    """The regular files in the archive's order; links and devices give a failure, folders nothing."""
    budget, names = Budget(_allowed(path, options)), DistinctNames()
    number = 0
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            number += 1
            if number > options.max_members:
                yield from _too_many(number, options)
                return
            name = _wanted_name(member.name)
            if member.isdir() or not name:
                continue
            if isinstance(name, ReadFailure):
                yield name
            elif not member.isreg():
                yield ReadFailure(name, "refused: a link or device, not a file")
            else:
                yield from _tar_member(archive, member, names.take(name), budget, options)
            archive.members = []  # type: ignore[attr-defined]  # it would keep every one


def _tar_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, budget: Budget, options: ReadOptions
) -> Readings:
    source = archive.extractfile(member)
    if source is not None:
        yield from _member(source, name, budget, options)


def read_compressed(path: Path, options: ReadOptions) -> Readings:
    """The one file that was compressed, as if it lay there unpacked."""
    with path.open("rb") as file:
        head = file.read(3)
    openers: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
    opener = openers.get(head[:2], lzma.open)
    budget = Budget(_allowed(path, options))
    with opener(path) as source, temporary(source, budget) as unpacked:
        if unpacked is None:
            raise Unreadable(_over_budget(options))
        yield from read(unpacked, options.inside(PurePosixPath(options.called(path)).stem))


def _member(source: IO[bytes], name: str, budget: Budget, options: ReadOptions) -> Readings:
    with temporary(source, budget) as unpacked:
        if unpacked is None:
            yield ReadFailure(name, _over_budget(options))
        else:
            yield from read_member(unpacked, name, replace(options, max_unpacked_bytes=max(budget.left, 0)))


def _allowed(path: Path, options: ReadOptions) -> int:
    """Bytes that a compressed file may grow to."""
    return min(options.max_unpacked_bytes, max(100_000_000, path.stat().st_size * options.max_ratio))


def _over_budget(options: ReadOptions) -> str:
    return f"refused: it unpacks to far more than it is (beyond {options.max_ratio} times or the limit of the archive)"


def _too_many(members: int, options: ReadOptions) -> Iterator[ReadFailure]:
    if members > options.max_members:
        yield ReadFailure("", f"it holds more than {options.max_members:,} files; the rest was not read")


def _wanted_name(name: str) -> str | ReadFailure:
    """The name to show, "" for a member that is passed over, a failure for one that leads outside."""
    shown = safe_name(name)
    if shown is None:
        return ReadFailure(name, "refused: its path leads outside the archive")
    return "" if any(is_junk(part) for part in shown.split("/")) else shown
