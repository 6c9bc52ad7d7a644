"""What a view-matching encoder is and how it is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.view_match.network import Shape
from riparian.errors import Invalid


@dataclass(frozen=True, slots=True)
class Settings:
    """`width` is that of a token inside the network, `dimension` that of the vectors; `longest` counts special tokens,
    and a text beyond it is trained on by another stretch each time. `batch` counts pairs: each is told apart from all
    others of its batch. `temperature` divides the cosines. `held_out` is the share of pairs that judge the model and
    are never trained on.

    Raises Invalid for a value that cannot be.
    """

    name: str = "View matching trained here"
    vocabulary: int = 8_000
    lower: bool = True
    width: int = 128
    dimension: int = 128
    layers: int = 1
    heads: int = 4
    longest: int = 64
    epochs: int = 10
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    temperature: float = 0.07
    clip_norm: float = 1.0
    held_out: float = 0.05
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.shape(self.vocabulary, 0)
        for name in ("epochs", "learning_rate", "clip_norm", "temperature"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if self.batch < 2:
            raise Invalid(f"batch must be at least 2, not {self.batch}: a pair is told apart from others")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1:
            raise Invalid("dropout must lie in [0, 1), held_out in (0, 1)")

    def shape(self, vocabulary: int, features: int) -> Shape:
        """The network's, for a vocabulary that was learnt, and feature vectors of this length (0 = two texts)."""
        return Shape(vocabulary, self.width, self.dimension, self.layers, self.heads, self.longest, features)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}
