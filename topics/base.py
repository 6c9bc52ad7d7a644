"""What every topic model is, and the data it is made from.

A model sees a passage twice: its stored vector (meaning) and its counts over a vocabulary (words). Fitting and
inference take both; nothing here encodes a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix

Progress = Callable[[str, int, int], None]
"""Called with (stage, steps done, steps in all); may raise to stop the work."""


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class BagOfWords:
    """Words of N texts over V words.

    `counts` is CSR float32 (N, V) with sorted columns. `tokens` (int32) holds the vocabulary numbers of every counted
    word in reading order, those of text i at `starts[i]:starts[i + 1]` (`starts` is int64, N + 1 long). `written` has
    each word as the texts write it most often (Arafat for arafat), or is empty where nobody asked.
    """

    vocabulary: tuple[str, ...]
    counts: csr_matrix
    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]
    written: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, chosen: NDArray[np.int64]) -> BagOfWords:
        """The same vocabulary with these texts alone, in the order given."""
        pieces = [self.tokens[self.starts[i] : self.starts[i + 1]] for i in chosen]
        starts = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces], dtype=np.int64)]).astype(np.int64)
        tokens = np.concatenate([np.zeros(0, np.int32), *pieces])
        return BagOfWords(self.vocabulary, self.counts[chosen], tokens, starts, self.written)

    def words(self) -> list[list[str]]:
        """The counted words of every text in reading order."""
        return [
            [self.vocabulary[token] for token in self.tokens[start:end]]
            for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Guidance:
    """What people, or an earlier fit, have settled. Every part may be left out.

    `start_centres` is float32 (K', E), rows of length 1 or zero: topic i starts at row i and stays topic i; topics
    beyond K' are found anew, and a zero row leaves its topic to be found. A fit of fewer than K' topics makes K'.
    `seed_words` holds words that a topic is to be about, by its number: they draw passages to it and mark it. Words
    that the vocabulary lacks are passed over. `fixed` binds a row of the vectors to a topic: its main topic whatever
    the fit finds. `together` and `apart` are pairs of rows that should, or should not, have one main topic: a
    preference, which strong evidence overrides. `known_words` are the words that named a topic before, best first: the
    naming step keeps those that still fit nearly as well as any other.

    A topic number outside 0 to K - 1, or a row that is not there, is refused with Invalid where the fit meets it.
    """

    start_centres: Matrix | None = None
    seed_words: Mapping[int, Sequence[str]] = field(default_factory=dict)
    fixed: Mapping[int, int] = field(default_factory=dict)
    together: Sequence[tuple[int, int]] = ()
    apart: Sequence[tuple[int, int]] = ()
    known_words: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is settled."""
        parts = (self.seed_words, self.fixed, self.together, self.apart, self.known_words)
        return self.start_centres is not None or any(len(part) for part in parts)


NO_GUIDANCE = Guidance()


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """What people called the texts: `names` of the classes, `of_texts` (N,) the number of each text's class, -1 where
    none is known."""

    names: tuple[str, ...]
    of_texts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What a fit was asked for. `options` belong to the kind of model (see its own settings class).

    Kinds that train epoch by epoch learn `classes` beside the words, and keep their state in the file `checkpoint`: a
    fit of the same data and settings that finds it there goes on from it, to the same result bit for bit. Kinds that
    do not pass over both.
    """

    topics: int
    seed: int = 0
    options: Mapping[str, Any] | None = None
    guidance: Guidance = NO_GUIDANCE
    classes: Classes | None = None
    checkpoint: Path | None = None


class TopicModel(Protocol):
    """A fitted model: immutable, safe to call from several threads, deterministic.

    `encoder` is the fingerprint of the encoder whose vectors it was fitted on; other vectors are refused.
    """

    @property
    def kind(self) -> str: ...

    @property
    def encoder(self) -> str: ...

    @property
    def topics(self) -> int: ...

    @property
    def vocabulary(self) -> tuple[str, ...]: ...

    def beta(self) -> Matrix:
        """(K, V) float32: what the model itself believes about words in topics; rows sum to 1."""
        ...

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        """(N, K) float32 mixtures, rows sum to 1, one row a text in the order given; texts do not influence each other.

        Raises IndexMismatch where `encoder` is not the fingerprint the model was fitted with, `ValueError` for
        widths that are not the model's.
        """
        ...

    def save(self, folder: Path) -> None:
        """Writes safetensors and JSON into an existing folder: never pickle."""
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model and the mixtures (N, K) of the passages it was fitted on."""

    model: TopicModel
    theta: Matrix
    epochs: int
