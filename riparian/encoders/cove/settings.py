"""What a translation model is trained with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.cove.view import CHOICES, View
from riparian.errors import Invalid

_COUNTS = ("hidden", "embedding", "vocabulary", "epochs", "batch_words", "least_words")


@dataclass(frozen=True, slots=True)
class Settings:
    """The network is the published one in small (published: 300 numbers a direction); the optimiser is Adam (published:
    plain gradient descent), its rate falls linearly to a tenth.

    `hidden` counts the numbers of one direction, `embedding` those of a target word, `vocabulary` the target words that
    are predicted, `batch_words` the padded source words of a batch. Pairs with a side of more than `most_words`, or a
    source of less than `least_words`, are left out. `held_out` is the share of the pairs that judge the model and are
    never trained on. Raises Invalid for a value that cannot be.
    """

    name: str = "CoVe trained here"
    hidden: int = 128
    embedding: int = 100
    vocabulary: int = 8_000
    epochs: int = 5
    batch_words: int = 768
    learning_rate: float = 2e-3
    dropout: float = 0.2
    clip_norm: float = 5.0
    least_words: int = 2
    most_words: int = 75
    held_out: float = 0.03
    case: str = "lower"
    licence: str = "not stated"
    languages: tuple[str, ...] = ("en",)

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise Invalid(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1 or not 0 < self.held_out < 1:
            raise Invalid("dropout must lie in [0, 1), and held_out in (0, 1)")
        if self.most_words < self.least_words:
            raise Invalid(f"most_words {self.most_words} is less than least_words {self.least_words}")
        if self.case not in CHOICES["case"]:
            raise Invalid(f"case must be {' or '.join(CHOICES['case'])}, not {self.case!r}")

    def view(self) -> View:
        return View(case="lower" if self.case == "lower" else "keep")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}
