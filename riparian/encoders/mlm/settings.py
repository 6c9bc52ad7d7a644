"""What a small masked language model is and how it is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.errors import Invalid

_AT_LEAST_ONE = ("vocabulary", "layers", "hidden", "heads", "epochs", "batch_tokens")


@dataclass(frozen=True, slots=True)
class Settings:
    """The default is BERT-Mini's shape (4 layers of 256). `max_length` counts special tokens; `batch_tokens` is the
    padded size of a batch. `held_out` is the share of sentences that judge the model and are never trained on.

    Raises Invalid for a value that cannot be.
    """

    name: str = "BERT trained here"
    vocabulary: int = 8_000
    lower: bool = True
    layers: int = 4
    hidden: int = 256
    heads: int = 4
    max_length: int = 128
    epochs: int = 3
    batch_tokens: int = 4_096
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    dropout: float = 0.1
    masked: float = 0.15
    clip_norm: float = 1.0
    held_out: float = 0.02
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise Invalid(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.hidden % self.heads:
            raise Invalid(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")
        if self.max_length < 8:
            raise Invalid(f"max_length must be at least 8, not {self.max_length}")
        if not self.learning_rate > 0 or not self.clip_norm > 0:
            raise Invalid("learning_rate and clip_norm must be above 0")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1 or not 0 < self.masked < 1:
            raise Invalid("dropout must lie in [0, 1), held_out and masked in (0, 1)")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}
