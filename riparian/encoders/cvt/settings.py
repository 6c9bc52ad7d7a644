"""What a cross-view model is trained with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from riparian.encoders.cvt.network import Sizes
from riparian.errors import Invalid

_COUNTS = ("vocabulary", "least_count", "epochs", "batch_words")
_SHARES = ("dropout", "dropout_unlabelled", "smoothing", "average")


@dataclass(frozen=True, slots=True)
class Settings:
    """The network is the published one in small; the optimiser is Adam (published: gradient descent with momentum).

    `word_width` counts the numbers of a word's own vector, `char_width` those of a character, `filters` the character
    filters of each of three widths, `cell` and `projected` those of the first LSTMs in one direction (published: 1024
    and 512), `second` those of the second (512), `module` those inside a prediction module. `vocabulary` bounds the
    words with a vector of their own; they stand `least_count` times in the text or more.

    `labelled` is the share of the sentences whose labels are shown, where the labels are the casing of the text;
    `held_out` is the share of the labelled sentences that judge the model and are never trained on. `lower` reads
    tagged words in lower case too. `epochs` counts passes over the unlabelled sentences; between two batches of them
    stands one labelled batch. Without `cross_view` only the labelled batches are learnt from, as many as with it.
    `average` is the decay of the moving average of the weights that is kept. Raises Invalid for a value that cannot be.
    """

    name: str = "Cross-view model trained here"
    word_width: int = 100
    char_width: int = 16
    filters: int = 32
    cell: int = 128
    projected: int = 128
    second: int = 128
    module: int = 128
    most_characters: int = 20
    vocabulary: int = 20_000
    least_count: int = 2
    labelled: float = 0.05
    held_out: float = 0.05
    lower: bool = False
    cross_view: bool = True
    epochs: int = 2
    batch_words: int = 1_024
    learning_rate: float = 5e-3
    dropout: float = 0.5
    dropout_unlabelled: float = 0.2
    smoothing: float = 0.1
    clip_norm: float = 0.1
    average: float = 0.998
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.sizes(self.vocabulary)
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise Invalid(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) < 1:
                raise Invalid(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        for name in ("labelled", "held_out"):
            if not 0 < getattr(self, name) < 1:
                raise Invalid(f"{name} must lie between 0 and 1, not {getattr(self, name)}")

    def sizes(self, words: int) -> Sizes:
        """The network's, for so many words with a vector of their own."""
        return Sizes(
            words=words,
            word_width=self.word_width,
            char_width=self.char_width,
            filters=self.filters,
            cell=self.cell,
            projected=self.projected,
            second=self.second,
            module=self.module,
            most_characters=self.most_characters,
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}
