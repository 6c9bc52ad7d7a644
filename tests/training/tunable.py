"""Small encoders to tune, and what to tune them on."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from training.material import Pair

NOUNS = ("bank", "river", "money", "water", "loan", "boat", "tree", "stone")
CODES = ("deposit", "flows", "lends", "wet", "debt", "sails", "leaf", "hard")


def loaded(spec: str | Path, cache: Path) -> Encoder:
    return registry.load(str(spec), cache_dir=cache / "cache", threads=1)


def coded(seed: int = 5) -> list[Pair]:
    """Partners that share no word: three of eight nouns, and the three words that stand for them. Only pairs can teach
    which belongs to which."""
    numbers = np.random.default_rng(seed)
    found = [
        Pair(" ".join(NOUNS[row] for row in rows), " ".join(CODES[row] for row in rows))
        for rows in combinations(range(len(NOUNS)), 3)
    ]
    return [found[row] for row in numbers.permutation(len(found))]


def mixed(pairs: list[Pair], by: int = 11) -> list[Pair]:
    """The same texts, each beside another's partner."""
    turned = pairs[by:] + pairs[:by]
    return [Pair(one.first, other.second) for one, other in zip(pairs, turned, strict=True)]


def reciprocal_ranks(encoder: Encoder, pairs: list[Pair]) -> np.ndarray:
    """1 over the rank of each partner among all."""
    first = encoder.encode_passages([pair.first for pair in pairs], "query")
    second = encoder.encode_passages([pair.second for pair in pairs], "passage")
    scores = first @ second.T
    found: np.ndarray = 1.0 / (scores >= np.diag(scores)[:, None]).sum(axis=1)
    return found
