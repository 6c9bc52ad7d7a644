"""Searching inside the hits of another search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riparian.types import Ids, Mode
from search.ranking import Ranked
from search.scene import Scene

REACH = 100
"""The hits of a search that another one looks into: the first so many, where it goes by meaning. Every document has
some nearness to a question; only the first are its hits."""


def hits_of(ranked: Ranked, mode: Mode) -> Ids:
    """The documents that count as found, ascending: all that match a search by words."""
    return ranked.counted if mode is Mode.LEXICAL else np.sort(ranked.ranking.ids[:REACH])


def narrowed(scene: Scene, documents: Ids) -> Scene:
    """The scene with these documents alone, as if a filter had let them through."""
    documents = documents if scene.documents is None else np.intersect1d(scene.documents, documents, assume_unique=True)
    passages = scene.layout.passages_of(documents)
    if scene.passages is not None:
        passages = np.intersect1d(scene.passages, passages, assume_unique=True)
    return replace(scene, documents=documents, passages=passages)
