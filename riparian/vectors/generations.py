"""Generations: folders of vectors that are written once, published by a rename, and verified before they are read.

    gen-7/vectors.f32     little-endian float32, row after row, memory-mapped
          ids.i64         little-endian int64, ascending
          index.faiss     where there are more rows than are compared one by one
          manifest.json   what must be in the folder

The order of publishing: everything is written and synced in `gen-7.tmp/`, the folder is renamed, its parent synced;
only then may the catalog name it active. A kill at any point leaves the older generation as it was.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from riparian.errors import AlreadyExists, DamagedIndex, IndexMismatch, StorageFull
from riparian.failpoints import failpoint
from riparian.manifests import NAME, FileRecord
from riparian.types import Ids, Matrix, Metric
from riparian.vectors import exact, faiss, manifest
from riparian.vectors.base import VectorIndex
from riparian.vectors.faiss import FLAT_ROWS
from riparian.vectors.flat import FlatIndex
from riparian.vectors.manifest import IndexRecord, Manifest

VECTORS, IDS, INDEX = "vectors.f32", "ids.i64", "index.faiss"

_FOLDER = re.compile(r"gen-([0-9]+)(\.tmp)?")
_ROWS_AT_ONCE = 16_384
_FULL = (errno.ENOSPC, errno.EDQUOT)


def folder_name(number: int) -> str:
    return f"gen-{number}"


def next_number(parent: Path, at_least: int = 1) -> int:
    """A number whose folder was never made: what a killed run published without telling the catalog is passed over."""
    if not parent.is_dir():
        return at_least
    used = (int(match[1]) for child in parent.iterdir() if (match := _FOLDER.fullmatch(child.name)))
    return max([at_least, *(number + 1 for number in used)])


def write_generation(
    parent: Path,
    number: int,
    ids: Ids,
    blocks: Iterable[Matrix],
    *,
    encoder: str,
    encoder_name: str,
    dimension: int,
    covers: int = 0,
    flat_rows: int = FLAT_ROWS,
) -> Path:
    """Writes and publishes `parent/gen-<number>/`; `blocks` are float32 (any, dimension) that follow `ids` row by row.

    StorageFull where the disk is full and AlreadyExists for a number that was used; in every failure nothing of the new
    generation stays. `ValueError` for rows of another shape or number, ids that do not ascend, NaN or infinity.
    """
    final = parent / folder_name(number)
    parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        raise AlreadyExists(f"{final} exists; a generation's number is never used twice")
    draft = _draft(number, encoder, encoder_name, dimension, covers)
    with _temporary(parent / f"{final.name}.tmp", final) as folder:
        _fill(folder, draft, ids, _checked(blocks, dimension), flat_rows)
        failpoint("generation.before-rename")
        folder.rename(final)
        failpoint("generation.after-rename")
        _sync(parent)
    return final


def read_manifest(folder: Path) -> Manifest:
    """DamagedIndex where the manifest is missing or not what was written."""
    return manifest.read(folder)


def verify_generation(folder: Path) -> Manifest:
    """Reads every byte and compares it with the manifest; DamagedIndex names the file, what was expected and found."""
    record = manifest.read(folder)
    expected = {VECTORS: record.rows * record.dimension * 4, IDS: record.rows * 8}
    for name, size in expected.items():
        if name not in record.files or record.files[name].size != size:
            raise DamagedIndex(folder / name, f"{size} bytes", "another size in the manifest")
    manifest.verify(folder, record)
    return record


def open_generation(folder: Path, encoder: str, *, threads: int = 1) -> VectorIndex:
    """The generation's index, every checksum compared first. `encoder` is the fingerprint of what asks.

    DamagedIndex for a changed, cut or missing file; IndexMismatch, naming both, for rows of another encoder. Without
    FAISS installed the rows are compared by NumPy: the same answers, slower beyond `FLAT_ROWS`.
    """
    record = manifest.read(folder)
    if record.encoder != encoder:
        raise IndexMismatch(f"generation {folder.name}", f"{record.encoder_name} ({record.encoder})", encoder)
    verify_generation(folder)
    flat = _map(folder, record)
    if not faiss.is_installed():
        return flat
    return faiss.open_index(flat, folder / INDEX if record.index else None, record.index, threads)


def remove_strays(parent: Path, keep: Names[str]) -> list[str]:
    """Deletes generation folders, finished or not, whose names are not in `keep`; answers with their names."""
    if not parent.is_dir():
        return []
    strays = sorted(c.name for c in parent.iterdir() if _FOLDER.fullmatch(c.name) and c.name not in keep)
    for name in strays:
        shutil.rmtree(parent / name)
    return strays


def blocks_of(index: VectorIndex, rows: int = _ROWS_AT_ONCE) -> Iterator[Matrix]:
    """The vectors of an index in the order of its ids: what compaction writes."""
    for start in range(0, len(index.ids), rows):
        yield index.vectors(index.ids[start : start + rows])


# -------------------------------------------------------------------------------------------- writing


class _HashedFile:
    """A file of the folder that knows its SHA-256 and size when it is closed, and is on the disk by then."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, block: bytes) -> int:
        self._digest.update(block)
        self._size += len(block)
        return self._file.write(block)

    def finish(self) -> FileRecord:
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        return FileRecord(self._digest.hexdigest(), self._size)

    def __enter__(self) -> _HashedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@contextmanager
def _temporary(folder: Path, final: Path) -> Iterator[Path]:
    """A new empty folder; if the work with it fails, neither it nor what it was renamed to stays."""
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was killed
    try:
        folder.mkdir()
        yield folder
    except BaseException as error:
        for made in (folder, final):
            shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise StorageFull(folder.parent) from error
        raise


def _draft(number: int, encoder: str, encoder_name: str, dimension: int, covers: int) -> Manifest:
    return Manifest(
        number=number,
        encoder=encoder,
        encoder_name=encoder_name,
        rows=0,
        dimension=dimension,
        metric=str(Metric.INNER_PRODUCT),
        covers=covers,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries={"numpy": np.__version__, "faiss": faiss.version()},
        files={},
    )


def _fill(folder: Path, draft: Manifest, ids: Ids, blocks: Iterable[Matrix], flat_rows: int) -> None:
    files: dict[str, FileRecord] = {}
    rows, files[VECTORS] = _write_vectors(folder / VECTORS, blocks)
    checked = exact.check_ids(ids, rows)
    files[IDS] = _write_file(folder / IDS, checked.astype("<i8").tobytes())
    failpoint("generation.files-written")
    index = _write_index(folder, checked, draft.dimension, flat_rows, files)
    _write_file(folder / NAME, replace(draft, rows=rows, files=files, index=index).to_bytes())
    _sync(folder)


def _write_vectors(path: Path, blocks: Iterable[Matrix]) -> tuple[int, FileRecord]:
    rows = 0
    with _HashedFile(path) as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
            rows += len(block)
        return rows, file.finish()


def _write_file(path: Path, content: bytes) -> FileRecord:
    with _HashedFile(path) as file:
        file.write(content)
        return file.finish()


def _write_index(
    folder: Path, ids: Ids, dimension: int, flat_rows: int, files: dict[str, FileRecord]
) -> IndexRecord | None:
    """`index.faiss` where there are too many rows to compare each, and FAISS is installed."""
    choice = faiss.choose(len(ids), flat_rows)
    if choice.kind == "flat" or not faiss.is_installed():
        return None
    flat = FlatIndex(ids, _mapped(folder / VECTORS, len(ids), dimension))
    with _HashedFile(folder / INDEX) as file:
        record = faiss.write_index(flat, choice, file.write)
        files[INDEX] = file.finish()
    return record


def _checked(blocks: Iterable[Matrix], dimension: int) -> Iterator[Matrix]:
    for block in blocks:
        if block.ndim != 2 or block.shape[1] != dimension:
            raise ValueError(f"blocks must have shape (any, {dimension}), got {block.shape}")
        if not np.isfinite(block).all():
            raise ValueError("a block holds NaN or infinity")
        yield block


def _sync(folder: Path) -> None:
    """Makes the folder's entries (new files, a rename) outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# -------------------------------------------------------------------------------------------- reading


def _map(folder: Path, record: Manifest) -> FlatIndex:
    ids = np.fromfile(folder / IDS, dtype="<i8").astype(np.int64, copy=False)
    return FlatIndex(ids, _mapped(folder / VECTORS, record.rows, record.dimension))


def _mapped(path: Path, rows: int, dimension: int) -> Matrix:
    if rows == 0:  # an empty file cannot be mapped
        return np.empty((0, dimension), dtype=np.float32)
    return np.memmap(path, dtype="<f4", mode="r", shape=(rows, dimension))
