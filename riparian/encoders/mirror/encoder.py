"""A Mirror-BERT as an encoder: a transformer under its own pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import EncoderInfo
from riparian.encoders.engines import Engine
from riparian.encoders.fingerprint import fingerprint
from riparian.encoders.mirror.recipe import MirrorRecipe
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder, Window
from riparian.encoders.transformer_files import Source
from riparian.types import Matrix


class MirrorEncoder(TransformerEncoder):
    """Liu et al. 2021. Where the recipe is padded, every window is padded to the same length, so that a vector does
    not depend on what is encoded beside it (the published code does so too)."""

    def __init__(self, source: Source, recipe: MirrorRecipe, subwords: Subwords, engine: Engine) -> None:
        super().__init__(source, recipe, subwords, engine)
        self._mirror = recipe

    @property
    def info(self) -> EncoderInfo:
        return replace(super().info, pooling=self._mirror.named)

    def fingerprint(self) -> str:
        plain = super().fingerprint()
        return fingerprint({"transformer": plain, "pooling": self._mirror.named}) if self._mirror.padded else plain

    def _length(self, rows: Sequence[Window]) -> int:
        return self._mirror.max_length if self._mirror.padded else super()._length(rows)

    def _pooled(self, rows: Sequence[Window], states: NDArray[np.float32]) -> Matrix:
        if self._mirror.padded:
            return np.asarray(states.mean(axis=1, dtype=np.float64), dtype=np.float32)
        return super()._pooled(rows, states)

    def _weighted(self, rows: Sequence[Window], states: NDArray[np.float32]) -> NDArray[np.float64]:
        if self._mirror.padded:
            return np.divide(states, states.shape[1], dtype=np.float64)
        return super()._weighted(rows, states)
