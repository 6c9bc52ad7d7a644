"""Documents whose title follows from their body in other words, and tiny view-matching models trained on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from riparian.encoders.view_match.settings import Settings
from riparian.encoders.view_match.training import train, train_features
from riparian.types import Matrix

TINY = Settings(
    vocabulary=300,
    width=32,
    dimension=24,
    layers=1,
    heads=2,
    longest=32,
    epochs=1,
    batch=32,
    learning_rate=1e-2,
    held_out=0.1,
)
_THINGS = ("duck", "bank", "clerk", "heron", "court", "mill", "ferry", "school", "miner", "baker", "judge", "smith")
_TOLD = ("water", "money", "papers", "wings", "laws", "flour", "boats", "lessons", "coal", "bread", "verdicts", "iron")


def documents(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Three things make a title; the body tells of what belongs to each, and shares no word with the title."""
    numbers = np.random.default_rng(seed)
    found = []
    for number in range(count):
        which = numbers.choice(len(_THINGS), 3, replace=False)
        title = " and ".join(_THINGS[at] for at in which) + f" no {number}"
        told = [_TOLD[at] for at in numbers.permutation(which)]
        found.append((title, f"Here we read much of {told[0]}, then of {told[1]}; at last comes {told[2]}."))
    return found


def pictures(titles: list[str], width: int = 20, seed: int = 1) -> Matrix:
    """Features that a picture of the three things might have: a sum of one row a thing, with noise."""
    numbers = np.random.default_rng(seed)
    rows = numbers.normal(size=(len(_THINGS), width))
    seen = np.array([[thing in title.split() for thing in _THINGS] for title in titles], dtype=np.float64)
    return np.asarray(5 + seen @ rows + numbers.normal(scale=0.1, size=(len(titles), width)), dtype=np.float32)


def tiny_view_match(folder: Path) -> Path:
    """A folder that ``view-match:`` loads."""
    return train(documents(120), TINY, seed=1, into=folder / "views", workers=1)


def tiny_view_match_of_features(folder: Path) -> Path:
    """The same of texts and feature vectors."""
    titles = [title for title, _ in documents(120)]
    return train_features(titles, pictures(titles), TINY, seed=1, into=folder / "pictures", workers=1)
