"""Model folders on disk: written beside their place, synced, renamed; verified before they are loaded."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Set
from pathlib import Path
from typing import Any
from uuid import uuid4

from riparian.encoders.storage import new_folder
from riparian.errors import DamagedIndex, StorageFull
from riparian.types import CollectionId
from topics import kinds
from topics.base import TopicModel

MANIFEST = "manifest.json"
_ROOT = "topics"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LEFTOVER_SECONDS = 24 * 3600


def publish(data_dir: Path, collection_id: CollectionId, model: TopicModel) -> str:
    """Saves the model in a new folder with a manifest; answers with its path below `data_dir`.

    The folder is there whole or not at all. Raises StorageFull where the disk is full.
    """
    name = f"{_ROOT}/{collection_id}/{uuid4().hex[:12]}"
    try:
        with new_folder(data_dir / name) as draft:
            model.save(draft)
            (draft / MANIFEST).write_bytes(_manifest(draft, model))
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(data_dir / name) from error
        raise
    return name


def open_model(folder: Path, device: str = "cpu") -> TopicModel:
    """The model of a published folder. Raises DamagedIndex where a file is missing or not what was written."""
    verify(folder)
    return kinds.load(folder, device)


def verify(folder: Path) -> None:
    """Compares every file with the manifest. Raises DamagedIndex for the first that differs."""
    try:
        files: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())["files"]
        expected = {name: (int(entry["size"]), str(entry["sha256"])) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedIndex(folder / MANIFEST, "a manifest", f"{type(error).__name__}: {error}") from error
    for name, wanted in expected.items():
        found = _record(folder / name)
        if found != wanted:
            raise DamagedIndex(folder / name, f"{wanted[0]} bytes, SHA-256 {wanted[1]}", str(found or "no file"))


def remove(data_dir: Path, folder: str) -> None:
    """Removes a model's folder; one that is gone already is no error."""
    shutil.rmtree(data_dir / folder, ignore_errors=True)


def sweep(data_dir: Path, collection_id: CollectionId, live: Set[str]) -> None:
    """Removes folders of the collection that no model names and that are older than a day: what a killed fit left."""
    parent = data_dir / _ROOT / str(collection_id)
    if not parent.is_dir():
        return
    for child in parent.iterdir():
        old = time.time() - child.stat().st_mtime > _LEFTOVER_SECONDS
        if old and f"{_ROOT}/{collection_id}/{child.name}" not in live:
            shutil.rmtree(child, ignore_errors=True)


def _manifest(folder: Path, model: TopicModel) -> bytes:
    records = {path.name: _record(path) for path in sorted(folder.iterdir())}
    body = {
        "format": 1,
        "kind": model.kind,
        "encoder": model.encoder,
        "topics": model.topics,
        "words": len(model.vocabulary),
        "files": {name: {"size": record[0], "sha256": record[1]} for name, record in records.items() if record},
    }
    return json.dumps(body, sort_keys=True, indent=1).encode() + b"\n"


def _record(path: Path) -> tuple[int, str] | None:
    """Size and SHA-256, None for a file that is not there."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
