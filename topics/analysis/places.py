"""The map of a collection on disk, and where topics lie on it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np

from riparian.encoders.storage import write_file
from riparian.types import CollectionId, EncoderId, TopicId
from topics.analysis.doubt import leading
from topics.analysis.map import Map, Method
from topics.analysis.material import Mixtures


def path(data_dir: Path, collection_id: CollectionId, encoder_id: EncoderId) -> Path:
    """A map belongs to the vectors of one encoder, whatever topics are found in them."""
    return data_dir / "topics" / str(collection_id) / f"map-{encoder_id}.npz"


def save(file: Path, found: Map) -> None:
    def write(draft: Path) -> None:
        with draft.open("wb") as stream:
            np.savez(
                stream, passages=found.passages, places=found.places, method=np.array(found.method),
                told=np.array([found.kept, found.moved]),
            )  # fmt: skip

    write_file(file, write)


def load(file: Path) -> Map | None:
    """None where no map was drawn, or where its file cannot be read: it can be drawn again."""
    try:
        with np.load(file, allow_pickle=False) as found:
            kept, moved = found["told"].tolist()
            method = cast(Method, str(found["method"]))
            return Map(found["passages"], found["places"], method, int(kept), float(moved))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def of_topics(found: Map, mixtures: Mixtures) -> Mapping[TopicId, tuple[float, float]]:
    """The median place of the passages on the map whose main topic it is; topics without one are left out."""
    both, rows, points = np.intersect1d(mixtures.rows, found.passages, return_indices=True)
    labels = leading(mixtures)[rows] if len(both) else np.zeros(0, np.int64)
    made: dict[TopicId, tuple[float, float]] = {}
    for k, topic in enumerate(mixtures.ids):
        mine = found.places[points[labels == k]]
        if len(mine):
            x, y = np.median(mine, axis=0).tolist()
            made[topic] = (x, y)
    return made
