"""The network of the Universal Sentence Encoder, multilingual v3 (Cer et al. 2018; Yang et al. 2020), in NumPy.

Piece embeddings (512) are projected to 3 x 256 and layer-normed together; each part passes two residual ReLU
convolutions over an n-gram window (n = 2, 3, 5). The features [512 | 256 | 256 | 256], layer-normed, are projected
to one 512-d state a position; the states are summed, divided by the root of their number, and go through a residual
network (320, 320, 512) and tanh. A position sees four pieces to either side, no further.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.fingerprint import tensors_digest
from riparian.errors import BadWeights
from riparian.types import Matrix

Floats = NDArray[np.float32]

DIMENSION = 512
HEAD = ("d0", "d1", "p1", "d2", "p3", "d3")
"""The residual network behind the sum, which can be trained on."""

REACH = 4
"""Pieces to either side that a state depends on."""

_BRANCHES = ((2, 0), (3, 1), (5, 2))  # (n-gram length, pieces to the left)
_WIDTH = 256
_GAP = max(max(left, length - 1 - left) for length, left in _BRANCHES)
_HIDDEN = 320
_CHUNKS, _ROWS = 17, 7530
_SHAPES: dict[str, tuple[int, ...]] = {
    **{f"q{chunk + 1}": (_ROWS, DIMENSION) for chunk in range(_CHUNKS)},
    "scale": (_CHUNKS,),
    "lo": (_CHUNKS,),
    "ln_g": (DIMENSION + 3 * _WIDTH,),
    "ln_b": (DIMENSION + 3 * _WIDTH,),
    "cnn_W": (DIMENSION + 3 * _WIDTH, DIMENSION),
    "cnn_b": (DIMENSION,),
    "d0": (DIMENSION, _HIDDEN),
    "d1": (_HIDDEN, _HIDDEN),
    "p1": (DIMENSION, _HIDDEN),
    "d2": (_HIDDEN, DIMENSION),
    "p3": (_HIDDEN, DIMENSION),
    "d3": (DIMENSION, DIMENSION),
    "eps": (),
}
_BRANCH_SHAPES: dict[str, tuple[int, ...]] = {
    "proj": (DIMENSION, _WIDTH),
    "proj_b": (_WIDTH,),
    "ln_g": (_WIDTH,),
    "ln_b": (_WIDTH,),
    "b1_": (_WIDTH,),
    "b2_": (_WIDTH,),
}


@dataclass(frozen=True, slots=True)
class _Branch:
    length: int
    left: int
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats


class UseNetwork:
    """Weights read once; every method is pure and safe to call from several threads."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._w = {name: np.asarray(value) for name, value in tensors.items() if not name.startswith("q")}
        self._table = np.empty((_CHUNKS * _ROWS, DIMENSION), dtype=np.uint8)
        for chunk in range(_CHUNKS):
            self._table[chunk::_CHUNKS] = tensors[f"q{chunk + 1}"]
        self._projection, self._bias, self._gain, self._shift = (
            np.concatenate([self._w[f"{name}{length}"] for length, _ in _BRANCHES], axis=-1)
            for name in ("proj", "proj_b", "ln_g", "ln_b")
        )
        self._branches = [_branch(self._w, length, left) for length, left in _BRANCHES]
        self._eps = float(self._w["eps"])
        self.digest = tensors_digest(tensors)

    @property
    def width(self) -> int:
        """Length of a feature row."""
        return DIMENSION + len(_BRANCHES) * _WIDTH

    def features(self, texts: Sequence[NDArray[np.int64]]) -> list[Floats]:
        """Ids of several texts or stretches, (T,) each → their (T, 1280) layer-normed features.

        They are laid end to end, so that each weight is read once, with rows between them that count as nothing.
        """
        starts = np.cumsum([0, *(len(text) + _GAP for text in texts)])
        ids = np.zeros(int(starts[-1]), dtype=np.int64)
        inside = np.zeros((len(ids), 1), dtype=np.float32)
        for start, text in zip(starts, texts, strict=False):
            ids[start : start + len(text)] = text
            inside[start : start + len(text)] = 1
        flat = self._flat(ids, inside)
        return [flat[start : start + len(text)] for start, text in zip(starts, texts, strict=False)]

    def _flat(self, ids: NDArray[np.int64], inside: Floats) -> Floats:
        chunk = ids % _CHUNKS
        embedded = self._table[ids] * self._w["scale"][chunk, None] + self._w["lo"][chunk, None]
        projected = _layer_norm(embedded @ self._projection + self._bias, self._gain, self._shift, self._eps) * inside
        split = np.split(projected, len(_BRANCHES), axis=1)
        parts = [embedded, *(_convolved(x, inside, branch) for x, branch in zip(split, self._branches, strict=True))]
        return _layer_norm(np.concatenate(parts, axis=1), self._w["ln_g"], self._w["ln_b"], self._eps)

    def states(self, features: Floats) -> Matrix:
        """(T, 1280) features → (T, 512) states."""
        return np.asarray(features @ self._w["cnn_W"] + self._w["cnn_b"], dtype=np.float32)

    def pooled(self, sums: Floats, counts: NDArray[np.int64]) -> Floats:
        """Sums of features (N, 1280) over `counts` positions each → (N, 512): the states' sum over the root of their
        number."""
        number = counts.astype(np.float32)[:, None]
        found = (sums @ self._w["cnn_W"] + number * self._w["cnn_b"]) / np.sqrt(number)
        return np.asarray(found, dtype=np.float32)

    def sentences(self, pooled: Floats) -> Matrix:
        """What `pooled` gives → (N, 512) vectors before unit length."""
        w = self._w
        first = _relu(pooled @ w["p1"] + _relu(pooled @ w["d0"]) @ w["d1"])
        second = first @ w["p3"] + _relu(first @ w["d2"]) @ w["d3"]
        return np.asarray(np.tanh(second), dtype=np.float32)

    def shared(self, inputs: Floats) -> Matrix:
        """(T, 512) parts of one text's `pooled` row → (T, 512) that sum to what `sentences` makes of their sum.

        The network has no biases: at a given row it is the linear map of the ReLUs that are open there, and the tanh
        scales each component. So each part goes through the same map (gradient times input of a piecewise linear
        network: Shrikumar et al. 2017, section 3.1; for this network the integrated gradients of Sundararajan et al.
        2017 from zero are the same, since the open ReLUs do not change on the way).
        """
        w = self._w
        whole = inputs.sum(axis=0, keepdims=True)
        first_open = whole @ w["d0"] > 0
        first = whole @ w["p1"] + _relu(whole @ w["d0"]) @ w["d1"]
        second_open = _relu(first) @ w["d2"] > 0
        rows = (inputs @ w["p1"] + (inputs @ w["d0"] * first_open) @ w["d1"]) * (first > 0)
        rows = rows @ w["p3"] + (rows @ w["d2"] * second_open) @ w["d3"]
        last = rows.sum(axis=0)
        scale = np.divide(np.tanh(last), last, out=np.ones_like(last), where=last != 0)
        return np.asarray(rows * scale, dtype=np.float32)


def read(path: Path) -> UseNetwork:
    """The network of the package's `weights.npz`. Raises BadWeights naming a missing or mis-shaped tensor."""
    return UseNetwork(read_tensors(path))


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of `weights.npz`. Raises BadWeights naming one that is missing or mis-shaped."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            tensors = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise BadWeights(path, "a NumPy archive", str(error)) from error
    for name, shape in _expected():
        found = tensors[name].shape if name in tensors else None
        if found != shape:
            raise BadWeights(path, f"tensor {name} of shape {shape}", f"shape {found}" if found else "no such tensor")
    return tensors


def _expected() -> Sequence[tuple[str, tuple[int, ...]]]:
    branches = [
        (f"{name}{length}", shape)
        for length, _ in _BRANCHES
        for name, shape in {
            **_BRANCH_SHAPES,
            "w1_": (length * _WIDTH, _WIDTH),
            "w2_": (length * _WIDTH, _WIDTH),
        }.items()
    ]
    return [*_SHAPES.items(), *branches]


def _branch(w: Mapping[str, NDArray[Any]], length: int, left: int) -> _Branch:
    names = ("w1_", "b1_", "w2_", "b2_")
    return _Branch(length, left, *(w[f"{name}{length}"] for name in names))


def _convolved(x: Floats, inside: Floats, branch: _Branch) -> Floats:
    x = (x + _relu(_grams(x, branch) @ branch.first + branch.first_bias)) * inside
    return np.asarray(x + _relu(_grams(x, branch) @ branch.second + branch.second_bias), dtype=np.float32)


def _grams(x: Floats, branch: _Branch) -> Floats:
    """(T, W) → (T, length * W): each position's window side by side, zeros beyond the ends."""
    right = branch.length - 1 - branch.left
    padded = np.pad(x, ((branch.left, right), (0, 0)))
    return np.concatenate([padded[shift : shift + len(x)] for shift in range(branch.length)], axis=1)


def _layer_norm(x: Floats, gain: Floats, shift: Floats, eps: float) -> Floats:
    x = x - x.mean(axis=1, keepdims=True)
    variance = np.square(x).mean(axis=1, keepdims=True)
    return np.asarray(x / np.sqrt(variance + eps) * gain + shift, dtype=np.float32)


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)
