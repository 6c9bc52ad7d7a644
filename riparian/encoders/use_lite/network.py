"""The transformer of the Universal Sentence Encoder, English lite (Cer et al. 2018), in NumPy.

Twice the piece embeddings plus sines and cosines of their places pass pre-norm transformer layers (Vaswani et al.
2017); the first widens, and so adds a projection of what it read. The mean of the last states goes through one tanh
layer. (The paper divides the sum of the states by the root of their number; this model divides by their number.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.fingerprint import tensors_digest
from riparian.errors import BadWeights, Invalid
from riparian.types import Matrix

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """`narrow` is the width of an embedding, `width` that of every state, `inner` that between a layer's last two.

    Raises Invalid for a shape that cannot be.
    """

    pieces: int
    narrow: int
    width: int
    inner: int
    dimension: int
    layers: int
    heads: int
    longest: int
    epsilon: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "epsilon" and (type(value) is not int or value < 1):
                raise Invalid(f"{name} must be a whole number of at least 1, not {value!r}")
        if type(self.epsilon) is not float or not 0 < self.epsilon < 1:
            raise Invalid(f"epsilon must lie in (0, 1), not {self.epsilon!r}")
        if self.narrow % 2 or self.narrow % self.heads or self.width % self.heads:
            raise Invalid(f"narrow ({self.narrow}) and width ({self.width}) must suit {self.heads} heads")

    def read(self, layer: int) -> int:
        """Width of what a layer reads."""
        return self.width if layer else self.narrow

    def head(self, layer: int) -> int:
        """Width of one head of a layer."""
        return self.read(layer) // self.heads

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name → shape of every weight."""
        found: dict[str, tuple[int, ...]] = {
            "words": (self.pieces, self.narrow),
            "timing": (self.narrow // 2,),
            "residual.kernel": (self.narrow, self.width),
            "residual.bias": (self.width,),
            "out.kernel": (self.width, self.dimension),
            "out.bias": (self.dimension,),
        }
        for layer in range(self.layers):
            read, wide = self.read(layer), self.width
            found |= {
                f"layers.{layer}.{name}": shape
                for name, shape in {
                    "before.gain": (read,),
                    "before.bias": (read,),
                    "attention.kernel": (read, 3 * read),
                    "attention.bias": (3 * read,),
                    "joined.kernel": (read, wide),
                    "joined.bias": (wide,),
                    "between.gain": (wide,),
                    "between.bias": (wide,),
                    "wide.kernel": (wide, self.inner),
                    "wide.bias": (self.inner,),
                    "narrow.kernel": (self.inner, wide),
                    "narrow.bias": (wide,),
                }.items()
            }
        return found


class UseLiteNetwork:
    """Weights read once; every method is pure and safe to call from several threads."""

    def __init__(self, shape: Shape, weights: Mapping[str, NDArray[Any]], where: Path) -> None:
        """Raises BadWeights naming a tensor that is missing or has another shape; `where` is for the message."""
        for name, expected in shape.tensors().items():
            found = weights[name].shape if name in weights else None
            if found != expected:
                what = f"shape {found}" if found is not None else "no such tensor"
                raise BadWeights(where, f"tensor {name} of shape {expected}", what)
        self.shape = shape
        self.weights = {name: np.asarray(weights[name], dtype=np.float32) for name in shape.tensors()}
        self.digest = tensors_digest(self.weights)

    def states(self, ids: NDArray[np.int64]) -> Floats:
        """(B, L) ids without padding, L at most `longest` → (B, L, width) states."""
        w = self.weights
        angles = np.arange(ids.shape[1], dtype=np.float32)[:, None] * w["timing"]
        rows = 2 * w["words"][ids] + np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        for layer in range(self.shape.layers):
            rows = self._layer(layer, rows)
        return np.asarray(rows, dtype=np.float32)

    def sentences(self, states: Floats) -> Matrix:
        """(B, L, width) states → (B, dimension) vectors before unit length."""
        mean = states.mean(axis=1)
        return np.asarray(np.tanh(mean @ self.weights["out.kernel"] + self.weights["out.bias"]), dtype=np.float32)

    def shared(self, states: Floats) -> tuple[Matrix, Matrix]:
        """One text's (L, width) states → (L, dimension) and (dimension,), the bias's part: together they sum to what
        `sentences` gives, each component scaled as the tanh scales it."""
        rows = states / np.float32(len(states)) @ self.weights["out.kernel"]
        bias = self.weights["out.bias"]
        last = rows.sum(axis=0) + bias
        scale = np.divide(np.tanh(last), last, out=np.ones_like(last), where=last != 0)
        return np.asarray(rows * scale, dtype=np.float32), np.asarray(bias * scale, dtype=np.float32)

    def _layer(self, layer: int, rows: Floats) -> Floats:
        own = f"layers.{layer}."
        change = self._attended(layer, self._normed(own + "before", rows))
        kept = rows if layer else self._times("residual", rows)
        rows = self._times(own + "joined", change) + kept
        inner = np.maximum(self._times(own + "wide", self._normed(own + "between", rows)), 0)
        return rows + self._times(own + "narrow", inner)

    def _attended(self, layer: int, rows: Floats) -> Floats:
        batch, length, width = rows.shape
        parts = self._times(f"layers.{layer}.attention", rows)
        heads = parts.reshape(batch, length, 3, self.shape.heads, -1).transpose(2, 0, 3, 1, 4)
        query, key, value = heads
        scores = (query * np.float32(self.shape.head(layer) ** -0.5)) @ key.transpose(0, 1, 3, 2)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        found = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        return np.asarray(found.transpose(0, 2, 1, 3).reshape(batch, length, width), dtype=np.float32)

    def _times(self, name: str, rows: Floats) -> Floats:
        return np.asarray(rows @ self.weights[f"{name}.kernel"] + self.weights[f"{name}.bias"], dtype=np.float32)

    def _normed(self, name: str, rows: Floats) -> Floats:
        rows = rows - rows.mean(axis=-1, keepdims=True)
        variance = np.square(rows).mean(axis=-1, keepdims=True)
        gain, bias = self.weights[f"{name}.gain"], self.weights[f"{name}.bias"]
        return np.asarray(rows / np.sqrt(variance + np.float32(self.shape.epsilon)) * gain + bias, dtype=np.float32)
