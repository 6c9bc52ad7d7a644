"""Token states of passages: what late interaction compares, kept small, in folders that are written once.

    part-7/states.i8     int8, row after row: the passages' tokens that hold a letter or digit, memory-mapped
           ids.i64       little-endian int64, ascending: the passages
           ends.i64      little-endian int64: where the rows of each passage end
           sums.u32      CRC-32 of each passage's rows, compared when they are read
           basis.f32     (token_dim, width): the directions that the rows are coordinates along
           manifest.json what must be in the folder

A row is a unit token state along the main directions of the first passages' states, unit again, times 127. So it takes
96 bytes where the state itself takes 1536, and ranks as well (`docs/search.md`).

As with generations of vectors: a folder is there whole or not at all, and only then may the catalog name it.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian import manifests
from riparian.encoders.pooling import unit_rows
from riparian.encoders.storage import new_folder
from riparian.errors import DamagedIndex, StorageFull
from riparian.failpoints import failpoint
from riparian.types import CollectionId, EncoderId, Ids, Matrix

logger = logging.getLogger(__name__)

ROOM = "token_states"
"""Folder of the data folder that holds `<collection>/<encoder>/part-<number>`."""

WIDTH = 96
"""Directions that are kept. 48 lose .005 nDCG@10 on SciFact; 384 in full gain .001."""

_SCALE = 127.0
_STATES, _IDS, _ENDS, _SUMS, _BASIS = "states.i8", "ids.i64", "ends.i64", "sums.u32", "basis.f32"
_SMALL = (_IDS, _ENDS, _SUMS, _BASIS)
_FOLDER = re.compile(r"part-([0-9]+)")
_FULL = (errno.ENOSPC, errno.EDQUOT)

Rows = NDArray[np.int8]
"""(tokens, width): unit rows times 127."""


def states_folder(collection_id: CollectionId, encoder_id: EncoderId) -> str:
    """Where the parts of a collection and encoder lie, below the data folder."""
    return f"{ROOM}/{collection_id}/{encoder_id}"


def main_directions(states: Matrix, width: int = WIDTH) -> Matrix:
    """(token_dim, at most width) orthonormal columns that keep most of the states' second moments: the eigenvectors of
    the largest eigenvalues. Their signs are fixed, so that the same states give the same columns."""
    unit = unit_rows(states).astype(np.float64)
    _, vectors = np.linalg.eigh(unit.T @ unit)
    kept = vectors[:, ::-1][:, :width]
    signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return np.ascontiguousarray(kept * np.where(signs == 0, 1.0, signs), dtype=np.float32)


def is_kept(token: str) -> bool:
    """Whether a token's state is kept: it holds a letter or digit."""
    return any(sign.isalnum() for sign in token)


def projected(states: Matrix, basis: Matrix) -> Matrix:
    """(any, width) unit rows: the states along the directions. What a query is compared with, not rounded."""
    return unit_rows(unit_rows(states) @ basis)


def rounded(states: Matrix, basis: Matrix) -> Rows:
    """The same as they are kept."""
    return np.asarray(np.rint(_SCALE * projected(states, basis)), dtype=np.int8)


def restored(rows: Rows) -> Matrix:
    """float32 rows of about unit length."""
    return np.asarray(rows, dtype=np.float32) / np.float32(_SCALE)


# -------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class Written:
    """A published part: where, and how much it holds."""

    folder: Path
    passages: int
    rows: int
    bytes: int


def part_name(number: int) -> str:
    return f"part-{number}"


def next_number(parent: Path, at_least: int = 1) -> int:
    """A number whose folder was never made: what a killed run left is passed over."""
    if not parent.is_dir():
        return at_least
    used = (int(match[1]) for child in parent.iterdir() if (match := _FOLDER.fullmatch(child.name)))
    return max([at_least, *(number + 1 for number in used)])


def write_part(
    parent: Path, number: int, passages: Iterable[tuple[int, Rows]], basis: Matrix, *, encoder: str
) -> Written:
    """Publishes `parent/part-<number>`; `passages` = (id, rows), ids ascending. `encoder` is its fingerprint.

    StorageFull where the disk is full, AlreadyExists for a number that was used; in every failure nothing stays.
    """
    folder = parent / part_name(number)
    try:
        with new_folder(folder) as draft:
            passages_written, rows = _fill(draft, passages, basis, encoder)
            failpoint("states.before-rename")
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(folder) from error
        raise
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Written(folder, passages_written, rows, size)


def _fill(folder: Path, passages: Iterable[tuple[int, Rows]], basis: Matrix, encoder: str) -> tuple[int, int]:
    ids: list[int] = []
    ends: list[int] = []
    sums: list[int] = []
    with (folder / _STATES).open("xb") as file:
        for passage, rows in passages:
            content = np.ascontiguousarray(rows, dtype=np.int8).tobytes()
            file.write(content)
            ids.append(passage)
            ends.append((ends[-1] if ends else 0) + len(rows))
            sums.append(zlib.crc32(content))
    if any(later <= earlier for earlier, later in pairwise(ids)):
        raise ValueError("passage ids must ascend")
    (folder / _IDS).write_bytes(np.array(ids, dtype="<i8").tobytes())
    (folder / _ENDS).write_bytes(np.array(ends, dtype="<i8").tobytes())
    (folder / _SUMS).write_bytes(np.array(sums, dtype="<u4").tobytes())
    (folder / _BASIS).write_bytes(np.ascontiguousarray(basis, dtype="<f4").tobytes())
    rows_written = ends[-1] if ends else 0
    facts = {"encoder": encoder, "passages": len(ids), "rows": rows_written, "width": int(basis.shape[1])}
    manifests.write(folder, facts)
    return len(ids), rows_written


# -------------------------------------------------------------------------------------------- reading


class Part:
    """An opened folder. Rows are read from the disk when they are asked for."""

    def __init__(self, folder: Path, ids: Ids, ends: Ids, sums: NDArray[np.uint32], rows: Rows, basis: Matrix) -> None:
        self.folder, self.ids, self.basis = folder, ids, basis
        self._ends, self._sums, self._rows = ends, sums, rows
        self._starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1])) if len(ends) else ends

    def rows_of(self, place: int) -> Rows | None:
        """The rows of the passage at that place of `ids`; None, and a line in the log, where they are damaged."""
        rows = self._rows[self._starts[place] : self._ends[place]]
        if zlib.crc32(rows.tobytes()) != self._sums[place]:
            logger.error("token states of passage %d in %s are damaged", self.ids[place], self.folder)
            return None
        return rows

    def count_of(self, places: Ids) -> int:
        """Rows of these passages together."""
        return int((self._ends[places] - self._starts[places]).sum())


def open_part(folder: Path, encoder: str) -> Part:
    """The part, whose small files are compared with the manifest; of the rows only the size, until they are read.

    DamagedIndex for a missing or changed file, and for a part of another encoder than the one with this fingerprint.
    """
    facts, files = manifests.read(folder)
    if facts["encoder"] != encoder:
        raise DamagedIndex(folder, f"states of the encoder {encoder[:12]}", f"of {str(facts['encoder'])[:12]}")
    manifests.verify_files(folder, {name: files[name] for name in _SMALL})
    passages, count, width = int(facts["passages"]), int(facts["rows"]), int(facts["width"])
    rows = _mapped(folder / _STATES, count, width)
    ends = np.fromfile(folder / _ENDS, dtype="<i8").astype(np.int64, copy=False)
    basis = np.fromfile(folder / _BASIS, dtype="<f4").astype(np.float32, copy=False).reshape(-1, width)
    ids = np.fromfile(folder / _IDS, dtype="<i8").astype(np.int64, copy=False)
    sums = np.fromfile(folder / _SUMS, dtype="<u4").astype(np.uint32, copy=False)
    if len(ids) != passages or (len(ends) and int(ends[-1]) != count):
        raise DamagedIndex(folder, f"{passages} passages with {count} rows", "another number")
    return Part(folder, ids, ends, sums, rows, basis)


def _mapped(path: Path, count: int, width: int) -> Rows:
    found = path.stat().st_size if path.is_file() else -1
    if found != count * width:
        raise DamagedIndex(path, f"{count * width} bytes", f"{found} bytes" if found >= 0 else "no file")
    if not count:  # an empty file cannot be mapped
        return np.zeros((0, width), dtype=np.int8)
    return np.memmap(path, dtype=np.int8, mode="r", shape=(count, width))


class TokenStates:
    """What a search sees: parts in the order of their making. A later one replaces what an earlier one says."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def ids(self) -> Ids:
        """The passages, ascending."""
        found = [part.ids for part in self.parts]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)

    def of(self, passages: Iterable[int]) -> dict[int, tuple[Matrix, Rows]]:
        """The basis and the rows of each passage that has states."""
        found = {}
        for passage in passages:
            for part in reversed(self.parts):
                place = int(np.searchsorted(part.ids, passage))
                if place < len(part.ids) and part.ids[place] == passage:
                    rows = part.rows_of(place)
                    if rows is not None:
                        found[passage] = (part.basis, rows)
                    break
        return found


def strays(parent: Path, keep: Iterable[str]) -> list[Path]:
    """What lies beside the parts that are named: what a killed run left, or what was replaced."""
    kept = set(keep)
    return [child for child in sorted(parent.iterdir()) if child.name not in kept] if parent.is_dir() else []


def remove_strays(parent: Path, keep: Iterable[str]) -> None:
    for child in strays(parent, keep):
        shutil.rmtree(child, ignore_errors=True)
