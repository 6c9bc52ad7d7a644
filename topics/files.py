"""Model folders on disk: written beside their place, synced, renamed; verified before they are loaded."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Set
from pathlib import Path
from typing import Any
from uuid import uuid4

from riparian import manifests
from riparian.encoders.storage import new_folder
from riparian.errors import StorageFull
from riparian.types import CollectionId
from topics import kinds
from topics.base import TopicModel

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
            manifests.write(draft, _facts(model))
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(data_dir / name) from error
        raise
    return name


def checkpoint(data_dir: Path, collection_id: CollectionId) -> Path:
    """Where a fit of the collection keeps its state until it ends."""
    return data_dir / _ROOT / str(collection_id) / ".training.safetensors"


def open_model(folder: Path, device: str = "cpu") -> TopicModel:
    """The model of a published folder. Raises DamagedIndex where a file is missing or not what was written."""
    manifests.verify(folder)
    return kinds.load(folder, device)


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
        if old and child.is_file():
            child.unlink(missing_ok=True)
        elif old and f"{_ROOT}/{collection_id}/{child.name}" not in live:
            shutil.rmtree(child, ignore_errors=True)


def _facts(model: TopicModel) -> dict[str, Any]:
    return {
        "kind": model.kind,
        "encoder": model.encoder,
        "topics": model.topics,
        "words": len(model.vocabulary),
    }
