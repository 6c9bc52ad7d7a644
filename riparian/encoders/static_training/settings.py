"""What word vectors are trained with."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from riparian.errors import Invalid


@dataclass(frozen=True, slots=True)
class Word2vecSettings:
    """Skip-gram with negative sampling, sized for small text (published: 300 dimensions, words that stand 5 times).
    Words that stand fewer than `trim` times get no vector; a window reaches up to `reach` words to either side;
    `sample` is the frequency above which words are passed over more and more often.

    Raises Invalid for a value that cannot be.
    """

    name: str = "word2vec trained here"
    dimension: int = 100
    reach: int = 5
    trim: int = 3
    negatives: int = 10
    epochs: int = 15
    sample: float = 1e-4
    learning_rate: float = 0.025
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _at_least_one(self, "dimension", "reach", "trim", "negatives", "epochs")
        if not 0 <= self.sample < 1 or not 0 < self.learning_rate <= 1:
            raise Invalid("sample must lie in [0, 1), and learning_rate in (0, 1]")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}


@dataclass(frozen=True, slots=True)
class GloveSettings:
    """Weighted least squares on the logarithm of co-occurrence counts, sized for small text: `x_max` is 10 as in the
    published demonstration (100 for billions of words). Words that stand fewer than `trim` times get no vector; a
    window reaches `reach` words to either side; `clip` bounds each number of the gradient of a pair.

    Raises Invalid for a value that cannot be.
    """

    name: str = "GloVe trained here"
    dimension: int = 100
    reach: int = 10
    trim: int = 3
    x_max: float = 10.0
    alpha: float = 0.75
    epochs: int = 25
    learning_rate: float = 0.05
    clip: float = 100.0
    licence: str = "not stated"
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _at_least_one(self, "dimension", "reach", "trim", "epochs")
        for name in ("x_max", "alpha", "learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}


def _at_least_one(settings: object, *names: str) -> None:
    for name in names:
        if getattr(settings, name) < 1:
            raise Invalid(f"{name} must be at least 1, not {getattr(settings, name)}")
