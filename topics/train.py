"""Fits CombinedTM and ZeroShotTM on stored vectors and counts.

A thin trainer: batches are gathered from a permutation, counts stay sparse, every draw has its own seeded generator,
every text takes part in every epoch however few there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics import checkpoints
from topics.base import BagOfWords, Classes, Fit, FitSettings, Progress, silent
from topics.batches import TextRows
from topics.checkpoints import Checkpoint
from topics.clusters import class_tf_idf, membership, refine, spherical_kmeans
from topics.network_model import NetworkModel, load
from topics.network_settings import NetworkSettings, network_settings

if TYPE_CHECKING:
    from topics.network import TopicNetwork

__all__ = ["KINDS", "NetworkModel", "NetworkSettings", "fit", "load", "network_settings"]

KINDS = ("combined", "zeroshot")
_FEWEST_WITH_VALIDATION = 200
_ROWS = 1024  # texts a pass when nothing is learned


def fit(
    kind: str,
    vectors: Matrix,
    bag: BagOfWords,
    settings: FitSettings,
    *,
    encoder: str,
    device: str = "cpu",
    progress: Progress = silent,
) -> Fit:
    """A fitted `combined` or `zeroshot` model and the mixtures of the texts it saw.

    `vectors` (N, E) float32 belong to the encoder of that fingerprint, `bag` has the same N texts and at least one
    word. The number of topics is cut to the number of texts. Two fits with one seed on one machine are equal bit for
    bit, interrupted or not. Of guidance only the starting centres are heard. `progress` is called after every epoch
    and may raise to stop.
    """
    chosen = network_settings(settings.options or {})
    topics = max(1, min(settings.topics, len(vectors)))
    network = _network(kind, vectors, bag, topics, chosen, settings, device)
    texts = TextRows(vectors, bag.counts, settings.classes.of_texts if settings.classes else None)
    epochs = _Run(network, texts, chosen, settings.seed, _checkpoint(kind, vectors, bag, settings, encoder)).train(
        progress
    )
    classes = settings.classes.names if settings.classes else ()
    model = NetworkModel(kind, encoder, bag.vocabulary, network, chosen, settings.seed, classes)
    return Fit(model, model.infer(vectors, bag.counts, encoder=encoder), epochs)


def _network(
    kind: str, vectors: Matrix, bag: BagOfWords, topics: int, chosen: NetworkSettings, settings: FitSettings,
    device: str,
) -> TopicNetwork:  # fmt: skip
    from topics.network import Objective, Shape, TopicNetwork

    shape = Shape(
        topics, len(bag.vocabulary), vectors.shape[1], chosen.hidden,
        counts_in=kind == "combined", centred=chosen.start == "k-means",
        labels=len(settings.classes.names) if settings.classes else 0,
    )  # fmt: skip
    objective = Objective(
        chosen.dropout, chosen.kl_weight, learn_prior=chosen.learn_prior, label_weight=chosen.label_weight
    )
    network = TopicNetwork(shape, objective, gain=chosen.gain, seed=settings.seed, device=device)
    if shape.centred:
        centres, groups = _groups(vectors, topics, settings)
        network.start_from(centres, _words_of(groups, bag.counts, topics))
        if settings.classes:
            network.start_labels(_labels_of(groups, settings.classes, topics))
    return network


def _groups(vectors: Matrix, topics: int, settings: FitSettings) -> tuple[Matrix, NDArray[np.int64]]:
    """Centres to start from and the group of each text, by k-means."""
    given = settings.guidance.start_centres
    if given is not None and len(given) == topics and bool(np.abs(given).sum(axis=1).all()):
        return refine(vectors, given)
    return spherical_kmeans(vectors, topics, settings.seed)


def _words_of(groups: NDArray[np.int64], counts: csr_matrix, topics: int) -> Matrix:
    """Word scores to start from: c-TF-IDF of the groups, each row standardised, 0.3 z in [-1, 3]."""
    scores = class_tf_idf((membership(groups, topics) @ counts).toarray())
    spread = scores.std(axis=1, keepdims=True)
    z = (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)
    return np.asarray(np.clip(0.3 * z, -1, 3), np.float32)


def _labels_of(groups: NDArray[np.int64], classes: Classes, topics: int) -> Matrix:
    """Scores of labels to start from: the log of each label's part in a group, with one text more that is labelled as
    all are. A head that starts at random learns little in ten epochs: it is right about half as often."""
    known = classes.of_texts >= 0
    counts = np.zeros((topics, len(classes.names)))
    np.add.at(counts, (groups[known], classes.of_texts[known]), 1.0)
    part = counts.sum(axis=0) / counts.sum()
    parts = (counts + part) / (counts.sum(axis=1, keepdims=True) + 1)
    return np.asarray(np.log(np.maximum(parts, 1e-9)), np.float32)


def _checkpoint(kind: str, vectors: Matrix, bag: BagOfWords, settings: FitSettings, encoder: str) -> Checkpoint | None:
    if settings.checkpoint is None:
        return None
    chosen = asdict(network_settings(settings.options or {}))
    classes = settings.classes and (settings.classes.names, settings.classes.of_texts.tolist())
    start = settings.guidance.start_centres
    settled = (kind, encoder, settings.topics, settings.seed, chosen, bag.vocabulary, classes)
    name = checkpoints.name_of(vectors, bag.counts, settled, None if start is None else start.tolist())
    return Checkpoint(settings.checkpoint, name)


# ------------------------------------------------------------------------------ the loop


class _Run:
    """One training of one network."""

    def __init__(
        self, network: TopicNetwork, texts: TextRows, settings: NetworkSettings, seed: int,
        checkpoint: Checkpoint | None,
    ) -> None:  # fmt: skip
        self._network, self._texts, self._settings, self._checkpoint = network, texts, settings, checkpoint
        self._rng = np.random.default_rng(seed)
        self._learning, self._held = _split(len(texts), settings.validation, self._rng)
        self._watch = _Watch(settings.patience)

    def train(self, progress: Progress) -> int:
        """Trains in place; answers with the number of epochs done."""
        if len(self._learning) < 2:
            return 0
        total, done = self._settings.epochs, self._resumed()
        while done < total and not self._watch.is_over():
            self._epoch(done)
            done += 1
            if len(self._held):
                self._watch.see(self._network, self._held_out_loss())
            self._keep(done)
            progress("training", done, total)
        if len(self._held):
            self._network.restore(self._watch.best)
        if self._checkpoint:
            self._checkpoint.remove()
        return done

    def _epoch(self, epoch: int) -> None:
        size = self._settings.batch
        batches = math.ceil(len(self._learning) / size)
        for number, rows in enumerate(_batches(self._rng.permutation(self._learning), size)):
            rate = _rate(self._settings, (epoch * batches + number) / (self._settings.epochs * batches))
            self._network.train_step(self._texts.take(rows), rate)

    def _held_out_loss(self) -> float:
        pieces = [self._held[start : start + _ROWS] for start in range(0, len(self._held), _ROWS)]
        return sum(self._network.evaluate(self._texts.take(piece)) for piece in pieces) / len(self._held)

    def _keep(self, done: int) -> None:
        if self._checkpoint and self._checkpoint.is_due():
            arrays = {f"network/{name}": array for name, array in self._network.state().items()}
            arrays |= {f"best/{name}": array for name, array in self._watch.best.items()}
            facts = {"epoch": done, "rng": self._rng.bit_generator.state, "watch": self._watch.facts()}
            self._checkpoint.write(arrays, facts)

    def _resumed(self) -> int:
        """Epochs that an earlier run of the same did, with everything set as it was then."""
        found = self._checkpoint.read() if self._checkpoint else None
        if found is None:
            return 0
        arrays, facts = found
        self._network.resume(_below("network/", arrays))
        self._rng.bit_generator.state = facts["rng"]
        self._watch.resume(facts["watch"], _below("best/", arrays))
        return int(facts["epoch"])


def _below(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _split(texts: int, part: float, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from and rows kept aside."""
    rows = rng.permutation(texts)
    aside = int(part * texts) if texts >= _FEWEST_WITH_VALIDATION else 0
    return np.sort(rows[aside:]), np.sort(rows[:aside])


def _batches(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Slices of `size`; a last one of a single row, which has no variance, joins the one before."""
    pieces = [rows[start : start + size] for start in range(0, len(rows), size)]
    if len(pieces) > 1 and len(pieces[-1]) == 1:
        pieces[-2:] = [np.concatenate(pieces[-2:])]
    yield from pieces


def _rate(settings: NetworkSettings, done: float) -> float:
    """The learning rate after a part of the run: constant, or one cycle (up over 30 %, then down by a cosine)."""
    top = settings.learning_rate
    if not settings.one_cycle:
        return top
    if done < 0.3:
        return top * (0.04 + 0.96 * (1 - math.cos(math.pi * done / 0.3)) / 2)
    return top * (1 + math.cos(math.pi * (done - 0.3) / 0.7)) / 2 + top * 4e-6


class _Watch:
    """Remembers the best weights and says when to stop."""

    def __init__(self, patience: int) -> None:
        self._patience, self._since, self._lowest = patience, 0, math.inf
        self.best: dict[str, NDArray[Any]] = {}

    def see(self, network: TopicNetwork, loss: float) -> None:
        """Takes note of the loss after an epoch."""
        if loss < self._lowest:
            self._lowest, self._since, self.best = loss, 0, dict(network.arrays())
        else:
            self._since += 1

    def is_over(self) -> bool:
        return self._since >= self._patience

    def facts(self) -> dict[str, float]:
        return {"since": self._since} | ({"lowest": self._lowest} if math.isfinite(self._lowest) else {})

    def resume(self, facts: dict[str, float], best: dict[str, NDArray[Any]]) -> None:
        self._since, self._lowest, self.best = int(facts["since"]), facts.get("lowest", math.inf), best
