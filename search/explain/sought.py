"""What is to be explained: a query as the encoder has it, and passages that it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.inputs import encoder_input
from riparian.types import Passage


@dataclass(frozen=True, slots=True)
class Sought:
    """The query as the encoder has it: `row` its unit vector; `text` is "" where it has none of its own (an example);
    `rarity` tells how much each of some words tells."""

    encoder: Encoder
    text: str
    row: NDArray[np.float64]
    rarity: Callable[[Sequence[str]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Target:
    """A passage with its document's title, and its cosine by the stored vector where there is one."""

    passage: Passage
    title: str
    stored: float | None

    @property
    def input(self) -> str:
        return encoder_input(self.title, self.passage.text)
