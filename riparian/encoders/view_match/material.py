"""Two views of each document to learn from: checked, split into what is trained on and what judges. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid, MissingPath
from riparian.types import Matrix

LEAST = 8
"""Pairs without which nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Material:
    """Pair i is (`texts[i]`, `partners[i]`) or (`texts[i]`, `features[i]`); `train` and `judge` are row numbers.

    `first` and `second` number the distinct texts and partners: equal ones have one number. `digest` is a SHA-256 over
    all pairs in order.
    """

    texts: tuple[str, ...]
    partners: tuple[str, ...]
    features: Matrix | None
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    train: NDArray[np.int64]
    judge: NDArray[np.int64]
    digest: str


def text_pairs(pairs: Sequence[tuple[str, str]], held_out: float, seed: int) -> Material:
    """Pairs of two texts; one with a blank side is left out. No text of a pair that judges is trained on.

    Raises Invalid for too few pairs.
    """
    kept = [(first, second) for first, second in pairs if first.strip() and second.strip()]
    texts, partners = tuple(first for first, _ in kept), tuple(second for _, second in kept)
    return _split(texts, partners, None, [text.encode("utf-8", "surrogatepass") for text in partners], held_out, seed)


def feature_pairs(texts: Sequence[str], features: Matrix, held_out: float, seed: int) -> Material:
    """Texts, each with the row of `features` of its number; a blank text is left out with its row.

    Raises Invalid for another number of rows than of texts, for features that are no finite numbers, for too few pairs.
    """
    rows = checked(features)
    if len(rows) != len(texts):
        raise Invalid(f"row i of the features belongs to text i, but there are {len(rows)} rows and {len(texts)} texts")
    kept = [number for number, text in enumerate(texts) if text.strip()]
    rows = rows[kept]
    return _split(tuple(texts[at] for at in kept), (), rows, [row.tobytes() for row in rows], held_out, seed)


def read_features(path: Path) -> Matrix:
    """The matrix of a `.npy` file, float32. Raises MissingPath, Invalid for a file that is none or holds objects."""
    if not path.is_file():
        raise MissingPath(path)
    try:
        return checked(np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise Invalid(f"{path} holds no feature vectors: {error}; give a .npy file of a matrix of numbers") from error


def checked(features: NDArray[np.generic]) -> Matrix:
    """As float32. Raises Invalid unless it is a matrix of finite numbers."""
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not features.shape[1]:
        raise Invalid(f"features must be a matrix of numbers, not of shape {features.shape} and type {features.dtype}")
    rows = np.ascontiguousarray(features, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise Invalid("features must be finite numbers that fit into 32 bits")
    return rows


def _split(
    texts: tuple[str, ...],
    partners: tuple[str, ...],
    features: Matrix | None,
    keys: Sequence[bytes],
    held_out: float,
    seed: int,
) -> Material:
    first_keys = [text.encode("utf-8", "surrogatepass") for text in texts]
    first, second = _numbers(first_keys), _numbers(keys)
    judge = np.array([_share(key, seed) < held_out for key in first_keys], dtype=np.bool_)
    train = ~judge & ~np.isin(second, second[judge])
    once = _once(first, judge) & _once(second, judge)
    if train.sum() < LEAST or once.sum() < 2:
        raise Invalid(
            f"{len(texts)} pairs leave {int(train.sum())} to train on and {int(once.sum())} to judge by, which are too "
            f"few; give more pairs"
        )
    total = hashlib.sha256()
    for left, right in zip(first_keys, keys, strict=True):
        total.update(hashlib.sha256(left).digest() + hashlib.sha256(right).digest())
    rows = np.flatnonzero(train), np.flatnonzero(once)
    return Material(texts, partners, features, first, second, *rows, total.hexdigest())


def _numbers(keys: Sequence[bytes]) -> NDArray[np.int64]:
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _once(numbers: NDArray[np.int64], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows among those are the first with their number."""
    found = np.zeros(len(numbers), dtype=np.bool_)
    rows = np.flatnonzero(among)
    found[rows[np.unique(numbers[rows], return_index=True)[1]]] = True
    return found


def _share(key: bytes, seed: int) -> float:
    """A number in [0, 1) that depends on the text and the seed alone."""
    digest = hashlib.sha256(f"{seed} ".encode() + key).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
