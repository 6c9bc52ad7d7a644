"""Texts about known subjects, and the vectors and words that a model is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics import bow
from topics.base import BagOfWords

THEMES = (
    "river flood dam water rain storm valley boat bridge gauge".split(),
    "bread oven dough flour yeast baker crust kneading butter kitchen".split(),
    "violin orchestra concert symphony melody cello conductor rehearsal piano choir".split(),
    "comet planet telescope orbit moon galaxy star observatory eclipse meteor".split(),
)
FILLER = "really people thing many other often perhaps around during while".split()


@dataclass(frozen=True)
class Themed:
    """`labels` says which theme each text is about; `vectors` are unit rows near the theme's direction."""

    texts: list[str]
    labels: NDArray[np.int64]
    vectors: Matrix
    bag: BagOfWords


def themed(count: int = 120, seed: int = 0, dimension: int = 16) -> Themed:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(THEMES)
    texts = [" ".join(rng.choice(THEMES[label] + FILLER, 30)) + "." for label in labels]
    directions = np.random.default_rng(99).normal(size=(len(THEMES), dimension))
    rows = directions[labels] + 0.3 * rng.normal(size=(count, dimension))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Themed(texts, labels, vectors, bow.build((text, ("en",)) for text in texts))


def purity(labels: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    return sum(int(np.bincount(labels[found == k]).max()) for k in np.unique(found)) / len(labels)
