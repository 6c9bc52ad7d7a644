"""Fits CombinedTM and ZeroShotTM on stored vectors and counts, and uses the fitted models.

A thin trainer: batches are slices of a permutation, counts are made dense one batch at a time, every draw has its own
seeded generator, every text takes part in every epoch however few there are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.errors import BadWeights, IndexMismatch, Invalid
from riparian.types import Matrix
from topics.base import BagOfWords, Fit, FitSettings, Progress, silent
from topics.clusters import class_tf_idf, membership, spherical_kmeans

if TYPE_CHECKING:
    from topics.network import TopicNetwork

KINDS = ("combined", "zeroshot")
_STARTS = ("k-means", "random")
_BOUNDS = {
    "epochs": (1, 10_000),
    "batch": (2, 1 << 20),
    "hidden": (1, 10_000),
    "dropout": (0, 0.9),
    "validation": (0, 0.5),
}
_ROWS = 1024  # texts a pass when nothing is learned
_MODEL, _WEIGHTS = "model.json", "weights.safetensors"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How a network is trained. The defaults start from k-means groups and train briefly; `published()` follows
    the papers.

    `validation` is the part of the texts kept aside (where there are 200 or more) to stop once their loss has not
    fallen for `patience` epochs and to go back to the best; 0 trains all `epochs`. `samples` 0 takes theta at the
    posterior's mean, n averages n draws.
    """

    start: str = "k-means"  # or "random"
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 2e-3
    one_cycle: bool = True
    gain: float = 3.0
    hidden: int = 100
    dropout: float = 0.2
    kl_weight: float = 1.0
    learn_prior: bool = True
    validation: float = 0.0
    patience: int = 5
    samples: int = 0

    @classmethod
    def published(cls) -> NetworkSettings:
        """As in the papers and their reference implementation."""
        return cls(start="random", epochs=100, batch=64, one_cycle=False, gain=1.0, samples=20)


def network_settings(options: dict[str, Any]) -> NetworkSettings:
    """Settings from plain values. Invalid names an option that is not there or whose value cannot be."""
    known = {field.name: type(field.default) for field in fields(NetworkSettings)}
    if strange := set(options) - known.keys():
        raise Invalid(f"no option {', '.join(sorted(strange))}; there is: {', '.join(sorted(known))}")
    for name, value in options.items():
        _check_option(name, value, known[name])
    return replace(NetworkSettings(), **options)


def _check_option(name: str, value: object, kind: type) -> None:
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or isinstance(value, bool) != (kind is bool):
        raise Invalid(f"option {name} is a {kind.__name__}; {value!r} was given")
    if name == "start" and value not in _STARTS:
        raise Invalid(f"option start is one of {', '.join(_STARTS)}; {value!r} was given")
    lowest, highest = _BOUNDS.get(name, (0, math.inf))
    if isinstance(value, int | float) and not lowest <= value <= highest:
        raise Invalid(f"option {name} lies between {lowest} and {highest}; {value!r} was given")


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
    bit. `progress` is called after every epoch and may raise to stop.
    """
    from topics.network import Objective, Shape, TopicNetwork

    chosen = network_settings(dict(settings.options or {}))
    topics = max(1, min(settings.topics, len(vectors)))
    shape = Shape(
        topics, len(bag.vocabulary), vectors.shape[1], chosen.hidden,
        counts_in=kind == "combined", centred=chosen.start == "k-means",
    )  # fmt: skip
    objective = Objective(chosen.dropout, chosen.kl_weight, learn_prior=chosen.learn_prior)
    network = TopicNetwork(shape, objective, gain=chosen.gain, seed=settings.seed, device=device)
    if shape.centred:
        network.start_from(*_groups(vectors, bag.counts, topics, settings.seed))
    epochs = _train(network, vectors, bag.counts, chosen, settings.seed, progress)
    model = NetworkModel(kind, encoder, bag.vocabulary, network, chosen, settings.seed)
    return Fit(model, model.infer(vectors, bag.counts, encoder=encoder), epochs)


def _groups(vectors: Matrix, counts: csr_matrix, topics: int, seed: int) -> tuple[Matrix, Matrix]:
    """Centres and word scores to start from: c-TF-IDF of k-means groups, each row standardised, 0.3 z in [-1, 3]."""
    centres, labels = spherical_kmeans(vectors, topics, seed)
    scores = class_tf_idf((membership(labels, topics) @ counts).toarray())
    spread = scores.std(axis=1, keepdims=True)
    z = (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)
    return centres, np.clip(0.3 * z, -1, 3).astype(np.float32)


# ------------------------------------------------------------------------------ the loop


def _train(
    network: TopicNetwork, vectors: Matrix, counts: csr_matrix, settings: NetworkSettings, seed: int, progress: Progress
) -> int:
    """Trains in place; answers with the number of epochs done."""
    rng = np.random.default_rng(seed)
    learning, held = _split(len(vectors), settings.validation, rng)
    if len(learning) < 2:
        return 0
    batches = math.ceil(len(learning) / settings.batch)
    watch = _Watch(settings.patience)
    for epoch in range(settings.epochs):
        for number, rows in enumerate(_batches(rng.permutation(learning), settings.batch)):
            rate = _rate(settings, (epoch * batches + number) / (settings.epochs * batches))
            network.train_step(vectors[rows], counts[rows].toarray(), rate)
        progress("training", epoch + 1, settings.epochs)
        if len(held) and watch.stops(network, _mean_loss(network, vectors, counts, held)):
            network.restore(watch.best)
            return epoch + 1
    if len(held):
        network.restore(watch.best)
    return settings.epochs


def _split(texts: int, part: float, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from and rows kept aside."""
    rows = rng.permutation(texts)
    aside = int(part * texts) if texts >= 200 else 0
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


def _mean_loss(network: TopicNetwork, vectors: Matrix, counts: csr_matrix, rows: NDArray[np.int64]) -> float:
    pieces = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
    losses = [network.evaluate(vectors[piece], counts[piece].toarray()) * len(piece) for piece in pieces]
    return sum(losses) / len(rows)


class _Watch:
    """Remembers the best weights and says when to stop."""

    def __init__(self, patience: int) -> None:
        self._patience, self._since, self._lowest = patience, 0, math.inf
        self.best: dict[str, NDArray[np.float32]] = {}

    def stops(self, network: TopicNetwork, loss: float) -> bool:
        if loss < self._lowest:
            self._lowest, self._since, self.best = loss, 0, network.arrays()
            return False
        self._since += 1
        return self._since >= self._patience


# ------------------------------------------------------------------------------ the fitted model


class NetworkModel:
    """A trained CombinedTM or ZeroShotTM (see `topics.base.TopicModel`)."""

    def __init__(
        self, kind: str, encoder: str, vocabulary: tuple[str, ...], network: TopicNetwork, settings: NetworkSettings,
        seed: int,
    ) -> None:  # fmt: skip
        self.kind, self.encoder, self.vocabulary = kind, encoder, vocabulary
        self.settings, self.seed = settings, seed
        self._network = network

    @property
    def topics(self) -> int:
        return self._network.shape.topics

    def beta(self) -> Matrix:
        return self._network.word_probabilities()

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        if encoder != self.encoder:
            raise IndexMismatch("the topic model", self.encoder, encoder)
        shape = self._network.shape
        if vectors.shape[1] != shape.dimension or counts.shape[1] != shape.words:
            raise ValueError(
                f"expected {shape.dimension} dimensions and {shape.words} words, "
                f"found {vectors.shape[1]} and {counts.shape[1]}"
            )
        theta = np.empty((len(vectors), shape.topics), np.float32)
        for start in range(0, len(vectors), _ROWS):
            rows = slice(start, start + _ROWS)
            theta[rows] = self._network.mixtures(
                vectors[rows], counts[rows].toarray(), self.settings.samples, self.seed
            )
        return theta

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file(self._network.arrays(), folder / _WEIGHTS)
        record = {
            "format": 1,
            "kind": self.kind,
            "encoder": self.encoder,
            "seed": self.seed,
            "shape": asdict(self._network.shape),
            "settings": asdict(self.settings),
            "vocabulary": list(self.vocabulary),
        }
        (folder / _MODEL).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path, device: str = "cpu") -> NetworkModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from topics.network import Objective, Shape, TopicNetwork

    try:
        record = json.loads((folder / _MODEL).read_text(encoding="utf-8"))
        if record["format"] != 1:
            raise BadWeights(folder / _MODEL, "format 1", f"format {record['format']!r}")
        settings = NetworkSettings(**record["settings"])
        network = TopicNetwork(Shape(**record["shape"]), Objective(), gain=settings.gain, seed=0, device=device)
        network.restore(load_file(folder / _WEIGHTS))
        vocabulary = tuple(record["vocabulary"])
        return NetworkModel(record["kind"], record["encoder"], vocabulary, network, settings, record["seed"])
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BadWeights(folder, "a saved topic model", f"{type(error).__name__}: {error}") from error
