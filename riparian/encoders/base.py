"""What every encoder is: token vectors with offsets, and pooled passage vectors.

An encoder is any object with these members; no inheritance is asked of a plug-in. `riparian.encoders.checks`
holds the conformance suite that each must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix, Role

Offsets = NDArray[np.int64]
"""Shape (T, 2): half-open [start, end) code points into the ORIGINAL text, whatever the encoder normalises."""

Progress = Callable[[int, int], None]
"""Called between batches with (texts done, texts in all); may raise to stop."""

Through = Callable[[Matrix], NDArray[Any]]
"""What becomes of token vectors at once: float32 (any, token_dim) → as many rows of any width and type."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The encoder's own units of one text, special tokens left out, nothing truncated."""

    tokens: tuple[str, ...]
    offsets: Offsets


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token vectors of one text: `vectors` is float32 (T, token_dim), `known` bool (T,).

    `known` is False where a static encoder has no vector for the token (its row is zero).
    """

    tokens: tuple[str, ...]
    offsets: Offsets
    vectors: Matrix
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """The card's facts. `spec` is what loads it again (`registry.load(spec)`); `name` is for people.

    `contextual` says how much of the text a token vector sees; `token_dim` is None for sentence-only encoders.
    `max_tokens` counts the encoder's own tokens without special ones; None = no limit.
    """

    kind: str
    name: str
    spec: str
    origin: Literal["published", "trained-here", "fine-tuned"]
    contextual: Literal["none", "window", "left-right", "full"]
    token_dim: int | None
    passage_dim: int
    max_tokens: int | None
    pooling: str
    languages: tuple[str, ...]
    licence: str
    method: Literal["published", "as-described"]
    provenance: str
    extra: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors. Safe to call from several threads; deterministic on one machine."""

    @property
    def info(self) -> EncoderInfo: ...

    def fingerprint(self) -> str:
        """Hex SHA-256 over everything that changes a vector (weights, tokenizer, pooling, limits, prompts,
        normalisation), and nothing that does not (device, batch size, threads)."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Pure; never truncates."""
        ...

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        """Every token of every text, long texts in overlapping windows.

        Raises TokensUnavailable where the model gives sentence vectors only.
        """
        ...

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        """(N, passage_dim) float32, unit rows in the order given; a text without any known token (also the empty
        one) gives a zero row, never NaN. A text beyond `max_tokens` is encoded in windows whose vectors are averaged
        by their token counts and normalised again: nothing is cut silently. The same text gives the same row (1e-5)
        alone, in any batch and in any order."""
        ...

    def save(self, folder: Path) -> None:
        """Writes `encoder.json`, `model.safetensors` and JSON vocabularies: never pickle."""
        ...


@dataclass(frozen=True, slots=True)
class States:
    """Token vectors of one text after `Through`, beside their tokens: `rows` (T, any)."""

    tokens: tuple[str, ...]
    offsets: Offsets
    rows: NDArray[Any]


@runtime_checkable
class GivesStates(Protocol):
    """An encoder whose passage vectors and token vectors come out of the same pass: the second cost nothing.

    What late interaction needs (`search/late.py`). Encoders that would have to read a text twice leave it out.
    """

    def encode_both(self, texts: Sequence[str], role: Role, through: Through) -> tuple[Matrix, list[States]]:
        """The rows of `encode_passages`, and those of `encode_tokens` sent through `through` batch by batch, so that
        the full token vectors of many texts are never held together."""
        ...
