"""Skip-gram with negative sampling (Mikolov et al. 2013, equation 4) through gensim, in pieces that can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import steps
from riparian.encoders.base import Progress
from riparian.encoders.steps import KeptArrays

_LAST_RATE = 1e-4
_PIECES_APART = 1_000_003

Read = Callable[[int], list[list[str]]]
"""The sentences of the piece of that number."""


class Shape(Protocol):
    """What of the settings the method needs: see `AweSettings`."""

    @property
    def dimension(self) -> int: ...
    @property
    def reach(self) -> int: ...
    @property
    def negatives(self) -> int: ...
    @property
    def epochs(self) -> int: ...
    @property
    def sample(self) -> float: ...
    @property
    def learning_rate(self) -> float: ...


class SkipGram:
    """One run over `pieces` of text in each epoch, on one thread. The chance of a piece comes from the seed and its
    number alone, so that a run can go on after any of them. Words that have no count are passed over."""

    def __init__(self, shape: Shape, counts: Mapping[str, int], pieces: int, read: Read, seed: int) -> None:
        from gensim.models import Word2Vec

        self._shape, self._pieces, self._read, self._seed = shape, pieces, read, seed
        # gensim starts from `seed` alone: no hash of a word takes part, and so no PYTHONHASHSEED
        self._model: Any = Word2Vec(
            vector_size=shape.dimension,
            window=shape.reach,
            min_count=1,
            sample=shape.sample,
            seed=seed % 2**32,
            workers=1,
            sg=1,
            negative=shape.negatives,
            alpha=shape.learning_rate,
            min_alpha=_LAST_RATE,
        )
        self._model.build_vocab_from_freq(dict(counts), corpus_count=sum(counts.values()))

    @property
    def total(self) -> int:
        return self._pieces * self._shape.epochs

    def run(self, progress: Progress | None, checkpoint: Path | None, run: str) -> None:
        """`progress` hears (pieces done, pieces in all) and may raise to stop; `run` names what the checkpoint holds.

        Raises Conflict for the checkpoint of another run, BadWeights for a damaged one.
        """
        arrays = {"inputs": self._model.wv.vectors, "outputs": self._model.syn1neg}
        kept = None if checkpoint is None else KeptArrays(checkpoint, run, arrays)
        steps.run(self.total, self._learn, progress, kept, every=1)

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """(V, d), in the order of the words."""
        rows = [self._model.wv.key_to_index[word] for word in words]
        return np.array(self._model.wv.vectors[rows], dtype=np.float32)

    def _learn(self, piece: int) -> float:
        """The mean loss a word, as gensim adds it up."""
        model, sentences = self._model, self._read(piece % self._pieces)
        model.random = np.random.RandomState((self._seed * _PIECES_APART + piece) % 2**32)
        model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=self._rate(piece),
            end_alpha=self._rate(piece + 1),
            compute_loss=True,
        )
        return float(model.get_latest_training_loss()) / max(1, sum(map(len, sentences)))

    def _rate(self, piece: int) -> float:
        first = self._shape.learning_rate
        return first - (first - _LAST_RATE) * piece / self.total
