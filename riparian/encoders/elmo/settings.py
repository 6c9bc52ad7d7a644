"""What a language model is trained with."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from riparian.encoders.elmo.options import ElmoOptions, parse_options
from riparian.errors import BadWeights, Invalid

_DEFAULT_FILTERS = ((1, 16), (2, 16), (3, 32), (4, 64), (5, 64))
_PATH = Path("training settings")


@dataclass(frozen=True, slots=True)
class Settings:
    """The network is the published one in small; the optimiser is Adam (published: Adagrad), its rate falls linearly
    to a tenth. `vocabulary` counts the words that are predicted (any word can be read), `samples` the noise words of
    the sampled softmax, `batch_words` the padded words of a batch; `held_out` is the share of the sentences that
    judge the model and are never trained on.

    Raises Invalid for a value that cannot be.
    """

    name: str = "ELMo trained here"
    filters: tuple[tuple[int, int], ...] = _DEFAULT_FILTERS
    char_dim: int = 16
    highway: int = 1
    projection: int = 128
    cell: int = 512
    layers: int = 2
    skip: bool = True
    vocabulary: int = 20_000
    samples: int = 2_048
    epochs: int = 2
    batch_words: int = 1_024
    learning_rate: float = 2e-3
    dropout: float = 0.1
    clip_norm: float = 10.0
    held_out: float = 0.02
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("vocabulary", "samples", "epochs", "batch_words"):
            if getattr(self, name) < 1:
                raise Invalid(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 < self.learning_rate <= 1 or not 0 < self.clip_norm < math.inf:
            raise Invalid("learning_rate must lie in (0, 1], and clip_norm above 0")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1:
            raise Invalid("dropout must lie in [0, 1), and held_out in (0, 1)")
        try:
            parse_options(self.options().to_json(), _PATH)
        except BadWeights as error:
            raise Invalid(f"elmo cannot be built so: {error}") from error

    def options(self) -> ElmoOptions:
        """The sizes of the network, clips as published."""
        return ElmoOptions(
            filters=self.filters,
            char_dim=self.char_dim,
            activation="relu",
            highway=self.highway,
            projection=self.projection,
            cell=self.cell,
            layers=self.layers,
            skip=self.skip,
            cell_clip=3.0,
            proj_clip=3.0,
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "filters": [list(pair) for pair in self.filters], "languages": list(self.languages)}
