"""What a two-direction transformer is and how it is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.twin.network import Shape
from riparian.errors import Invalid


@dataclass(frozen=True, slots=True)
class Settings:
    """`width` is that of one half; `longest` counts special tokens; `batch_tokens` is the padded size of a batch.
    `held_out` is the share of sentences that judge the model and are never trained on.

    Raises Invalid for a value that cannot be.
    """

    name: str = "Two-direction transformer trained here"
    vocabulary: int = 8_000
    lower: bool = True
    width: int = 128
    layers: int = 2
    heads: int = 4
    longest: int = 128
    epochs: int = 3
    batch_tokens: int = 2_048
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    clip_norm: float = 1.0
    held_out: float = 0.02
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.shape(self.vocabulary)
        for name in ("epochs", "batch_tokens", "learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1:
            raise Invalid("dropout must lie in [0, 1), held_out in (0, 1)")

    def shape(self, vocabulary: int) -> Shape:
        """The network's, for a vocabulary that was learnt."""
        return Shape(vocabulary, self.width, self.layers, self.heads, self.longest)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}
