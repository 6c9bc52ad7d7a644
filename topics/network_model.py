"""A trained CombinedTM or ZeroShotTM: mixtures and words, on disk and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics import saved
from topics.batches import TextRows
from topics.network_settings import NetworkSettings

if TYPE_CHECKING:
    from topics.network import TopicNetwork

_ROWS = 1024  # texts a pass


class NetworkModel:
    """See `topics.base.TopicModel`. `classes` are the names of what the network learned beside the words."""

    def __init__(
        self, kind: str, encoder: str, vocabulary: tuple[str, ...], network: TopicNetwork, settings: NetworkSettings,
        seed: int, classes: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.kind, self.encoder, self.vocabulary = kind, encoder, vocabulary
        self.settings, self.seed, self.classes = settings, seed, classes
        self._network = network

    @property
    def topics(self) -> int:
        return self._network.shape.topics

    def beta(self) -> Matrix:
        return self._network.word_probabilities()

    def decoder(self) -> Matrix:
        """(K, V) the decoder's weights as they are: what the papers list a topic's words by."""
        return np.asarray(self._network.arrays()["beta"], dtype=np.float32)

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        shape = self._network.shape
        given = (vectors.shape[1], counts.shape[1])
        saved.check_input(self, encoder, given, (shape.dimension, shape.words))
        theta = np.empty((len(vectors), shape.topics), np.float32)
        for place, batch in TextRows(vectors, counts).runs(_ROWS):
            theta[place] = self._network.mixtures(batch, self.settings.samples, self.seed)
        return theta

    def class_probabilities(self, theta: Matrix) -> Matrix:
        """(N, classes) of mixtures (N, K); rows sum to 1. `ValueError` where it learned no classes."""
        return self._network.class_probabilities(theta)

    def save(self, folder: Path) -> None:
        facts = {
            "seed": self.seed,
            "shape": asdict(self._network.shape),
            "settings": asdict(self.settings),
            "classes": list(self.classes),
        }
        saved.write(folder, self, facts, self._network.arrays())


def load(folder: Path, device: str = "cpu") -> NetworkModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    from topics.network import Objective, Shape, TopicNetwork

    with saved.reading(folder) as (record, arrays):
        settings = NetworkSettings(**record["settings"])
        network = TopicNetwork(Shape(**record["shape"]), Objective(), gain=settings.gain, seed=0, device=device)
        network.restore(arrays)
        return NetworkModel(
            record["kind"], record["encoder"], tuple(record["vocabulary"]), network, settings, record["seed"],
            tuple(record.get("classes", ())),
        )  # fmt: skip
