"""How a transformer is mirror-tuned; the published values for sentences and for words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.mirror.recipe import POOLINGS, MirrorPooling
from riparian.errors import Invalid


@dataclass(frozen=True, slots=True)
class Settings:
    """The default is the published recipe for sentences. `span` characters of strings of at least `shortest` are
    hidden in the second view; `max_tokens` counts special tokens; `batch` counts strings.

    `mask` "" means the tokenizer's own mask token (the published code writes "[MASK]" for every model).
    Raises Invalid for a value that cannot be.
    """

    name: str = "Mirror-BERT tuned here"
    temperature: float = 0.04
    span: int = 5
    shortest: int = 30
    mask: str = ""
    pooling: MirrorPooling = "mean"
    max_tokens: int = 50
    batch: int = 200
    epochs: int = 1
    learning_rate: float = 2e-5
    weight_decay: float = 0.01
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise Invalid(f"pooling {self.pooling!r} is not known; give {', '.join(POOLINGS)}")
        if self.batch < 2:
            raise Invalid(f"batch must be at least 2 (every string needs another to differ from), not {self.batch}")
        for name in ("temperature", "learning_rate", "epochs"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if self.span < 0 or self.max_tokens < 4 or not 0 <= self.dropout < 1:
            raise Invalid("span must not be negative, max_tokens at least 4, dropout in [0, 1)")

    @classmethod
    def for_words(cls) -> Settings:
        """The published recipe for words and short names."""
        return cls(temperature=0.2, span=0, pooling="cls", max_tokens=25, epochs=2)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
