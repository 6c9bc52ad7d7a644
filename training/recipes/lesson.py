"""One way of teaching a transformer: what every recipe may be told, and what each must be able to say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from riparian.encoders.batches import Batch
from riparian.errors import Invalid
from riparian.text import sentences
from training.material import Material

MOST_SENTENCES = 200_000
SHORTEST = 20
"""Characters below which a sentence says too little to learn from."""

SHORTEST_UNSPACED = 8
"""The same where most characters are words or syllables by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every recipe may be told. `longest` counts tokens with special ones; `batch` counts examples. `hold` pulls
    the weights back to where they began (L2-SP), `frozen` counts the lowest layers that stay as they are, the
    embeddings with them. The rate rises over the first tenth of the steps and then falls to zero.

    The share `held_out` of the examples (256 at most) only judges: its loss is told before and after. With `patience`,
    it is looked at ten times; after so many looks without a gain the rest is not learnt, and the best weights of all
    looks are kept.

    Raises Invalid for a value that cannot be.
    """

    name: str = "tuned here"
    epochs: int = 1
    batch: int = 32
    longest: int = 128
    learning_rate: float = 2e-5
    weight_decay: float = 0.01
    dropout: float = 0.1
    clip_norm: float = 1.0
    hold: float = 0.0
    frozen: int = 0
    held_out: float = 0.05
    patience: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.longest < 4:
            raise Invalid("epochs must be at least 1, batch at least 2, longest at least 4")
        if not 0 < self.learning_rate <= 1 or not self.clip_norm > 0 or self.weight_decay < 0:
            raise Invalid("learning_rate must lie in (0, 1], clip_norm above 0, and weight_decay not below 0")
        if not 0 <= self.dropout < 1 or self.hold < 0 or self.frozen < 0:
            raise Invalid("dropout must lie in [0, 1); hold and frozen must not be below 0")
        if not 0 <= self.held_out <= 0.5 or self.patience < 0:
            raise Invalid("held_out must lie in [0, 0.5], and patience not be below 0")


class Lesson(Protocol):
    """What is learnt from. All chance beyond torch's own comes from `numbers`."""

    @property
    def examples(self) -> Sequence[Any]:
        """Different ones, in order."""
        ...

    @property
    def extra(self) -> Mapping[str, Tensor]:
        """Parameters of its own, learnt along and not part of the encoder."""
        ...

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        """Those examples in an order that the epoch alone decides. Invalid where they make no batch."""
        ...

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        """The mean over a batch."""
        ...


@runtime_checkable
class Viewing(Protocol):
    """A lesson that compares two views of each example."""

    def views(self, rows: Sequence[int], numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(N, H) vectors each."""
        ...


def sentences_of(material: Material) -> list[str]:
    """Different sentences that say something, in order. Invalid for fewer than two."""
    found: dict[str, None] = {}
    for text in material.texts:
        for span in sentences(text):
            sentence = " ".join(text[span.start : span.end].split())
            if len(sentence) >= (SHORTEST if " " in sentence else SHORTEST_UNSPACED):
                found[sentence] = None
            if len(found) == MOST_SENTENCES:
                return list(found)
    if len(found) < 2:
        raise Invalid(f"{len(found)} different sentences are too few to learn from; give at least 2, better 10,000")
    return list(found)


def digest_of(parts: Iterable[str]) -> str:
    """SHA-256 (hex) of texts in order."""
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part.encode("utf-8", "surrogatepass") + b"\x1f")
    return sha256.hexdigest()


def shuffled_batches(rows: Sequence[int], size: int, seed: int, epoch: int) -> list[Batch]:
    """All rows in batches of `size`; a last one of a single example, which has nothing to differ from, is left out."""
    order = [rows[at] for at in np.random.default_rng([seed, epoch]).permutation(len(rows))]
    found = [tuple(order[at : at + size]) for at in range(0, len(order), size)]
    return [batch for batch in found if len(batch) > 1]
