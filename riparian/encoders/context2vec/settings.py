"""What either kind is trained with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.context2vec.facts import Vectors, vectors_named
from riparian.errors import Invalid


@dataclass(frozen=True, slots=True)
class Settings:
    """The published network in small: LSTMs and targets twice as wide as `unit` (published: 300). Words that stand
    fewer than `trim` times are read as unknown. `batch_words` counts the padded words of a batch (published: 100
    sentences of one length); `clip_norm` bounds the gradient; `held_out` is the share of the sentences that judge the
    model and are never trained on.

    Raises Invalid for a value that cannot be.
    """

    name: str = "context2vec trained here"
    unit: int = 100
    deep: bool = True
    trim: int = 3
    negatives: int = 10
    epochs: int = 10
    batch_words: int = 2_048
    learning_rate: float = 1e-3
    clip_norm: float = 5.0
    held_out: float = 0.02
    vectors: Vectors = "both"
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vectors_named(self.vectors)
        _at_least_one(self, "unit", "trim", "negatives", "epochs", "batch_words")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 < self.held_out < 1:
            raise Invalid(f"held_out must lie in (0, 1), not {self.held_out}")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}


@dataclass(frozen=True, slots=True)
class AweSettings:
    """Skip-gram with negative sampling (Mikolov et al. 2013), then the mean of a window. `reach` is the window of the
    training, `window` that of the context (0: the whole sentence); `stop_words` is the language whose most common
    words are left out of contexts ("": none); `idf` weights the words of a context by how rare they are.

    Raises Invalid for a value that cannot be.
    """

    name: str = "word2vec with averaged windows, trained here"
    dimension: int = 100
    reach: int = 5
    trim: int = 3
    negatives: int = 10
    epochs: int = 5
    sample: float = 1e-3
    learning_rate: float = 0.025
    window: int = 5
    stop_words: str = ""
    idf: bool = False
    vectors: Vectors = "both"
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vectors_named(self.vectors)
        _at_least_one(self, "dimension", "reach", "trim", "negatives", "epochs")
        if self.window < 0 or not 0 <= self.sample < 1 or not self.learning_rate > 0:
            raise Invalid("window must be at least 0, sample lie in [0, 1), learning_rate be above 0")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}


def _at_least_one(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise Invalid(f"{name} must be at least 1, not {getattr(settings, name)}")
