"""The map of a collection on disk, and where topics lie on it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from riparian.encoders.storage import write_file
from riparian.types import CollectionId, EncoderId, Ids, TopicId
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
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
            kept, moved = found["told"].tolist()
            method = cast(Method, str(found["method"]))
            return Map(found["passages"], found["places"], method, int(kept), float(moved))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map with what lies on it now: `main` (N,) the main topic of each passage, 0 where it has none; `topics` in the
    median of their passages; `labels` of all topics."""

    map: Map
    main: Ids
    topics: Mapping[TopicId, tuple[float, float]]
    labels: Mapping[TopicId, str]


def drawn(found: Map, mixtures: Mixtures) -> Drawn:
    """The map under the topics of these mixtures."""
    main = np.zeros(len(found.passages), np.int64)
    _, rows, points = np.intersect1d(mixtures.rows, found.passages, return_indices=True)
    if len(rows):
        main[points] = np.array(mixtures.ids, np.int64)[leading(mixtures)[rows]]
    return Drawn(found, main, of_topics(found, main, mixtures.ids), {t.id: t.label for t in mixtures.topics})


def of_topics(found: Map, main: Ids, topics: Sequence[TopicId]) -> dict[TopicId, tuple[float, float]]:
    """The median place of the passages of each topic; topics without one are left out."""
    made: dict[TopicId, tuple[float, float]] = {}
    for topic in topics:
        mine = found.places[main == topic]
        if len(mine):
            x, y = np.median(mine, axis=0).tolist()
            made[topic] = (x, y)
    return made
