"""GloVe on the user's own text (Pennington et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import steps
from riparian.encoders.base import Progress
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder
from riparian.encoders.static_training.adagrad import Factors, Pairs, pairs_of
from riparian.encoders.static_training.cooccurrence import count
from riparian.encoders.static_training.corpus import gather
from riparian.encoders.static_training.report import encoder_of
from riparian.encoders.static_training.settings import GloveSettings
from riparian.encoders.steps import KeptArrays

_BATCHES, _LARGEST = 64, 32_768
"""A batch is a 64th of all pairs at most: a frequent word stands in many pairs, which must not push it too far at
once. (With a 20th the cost falls more slowly, with a 5th it rises.)"""


def train(
    texts: Iterable[str],
    settings: GloveSettings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> StaticEncoder:
    """An encoder over word vectors learnt from `texts`, word and context vectors summed, on one thread of the CPU
    whatever `device` and `workers` say. Its card's `extra["training"]` holds the mean cost of a pair in the first and
    in the last epoch.

    The same texts, settings and seed give the same vectors on one machine. `progress` hears (batches done, batches in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same vectors;
    Conflict where the file belongs to another run. Raises Invalid for too little text, and for a learning rate at which
    the vectors are no numbers any more.
    """
    corpus = gather(texts, settings.trim)
    counts = count(corpus.stretches, len(corpus.words), settings.reach)
    pairs = pairs_of(counts, settings.x_max, settings.alpha)
    trainer = _Trainer(settings, seed, Factors(len(corpus.words), settings.dimension, seed), pairs)
    run = text_digest(canonical(["glove", settings.to_json(), seed, corpus.digest]))
    trainer.run(progress, checkpoint, run)
    first, last = (round(float(cost), 6) for cost in (trainer.costs[0], trainer.costs[-1]))
    more = {"pairs": len(pairs), "cost_first_epoch": first, "cost": last}
    return encoder_of("glove", settings, seed, corpus, trainer.factors.vectors(), more)


class _Trainer:
    """One run. The batches are drawn once, by the seed; each epoch takes them in another order."""

    def __init__(self, settings: GloveSettings, seed: int, factors: Factors, pairs: Pairs) -> None:
        self._settings, self._seed, self.factors = settings, seed, factors
        self._size = max(1, min(len(pairs) // _BATCHES, _LARGEST))
        self._pairs = pairs.taken(_drawn(len(pairs), self._size, seed))
        self._batches = -(-len(pairs) // self._size)
        self.costs = np.zeros(settings.epochs)

    def run(self, progress: Progress | None, checkpoint: Path | None, run: str) -> None:
        arrays = {**self.factors.arrays, "costs": self.costs}
        kept = None if checkpoint is None else KeptArrays(checkpoint, run, arrays)
        steps.run(self._batches * self._settings.epochs, self._learn, progress, kept)

    def _learn(self, step: int) -> float:
        epoch, at = divmod(step, self._batches)
        batch = int(np.random.default_rng([self._seed, 3, epoch]).permutation(self._batches)[at])
        pairs = self._pairs.taken(slice(batch * self._size, (batch + 1) * self._size))
        cost = self.factors.learn(pairs, self._settings.learning_rate, self._settings.clip)
        self.costs[epoch] += cost / len(self._pairs)
        return cost / len(pairs)


def _drawn(pairs: int, size: int, seed: int) -> NDArray[np.int64]:
    """All pairs in an order of chance, those of a batch in the order they are sorted in."""
    batch = np.random.default_rng([seed, 2]).permutation(pairs) // size
    return np.argsort(batch, kind="stable")
