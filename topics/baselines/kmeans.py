"""Spherical k-means on the vectors, named by c-TF-IDF (Grootendorst 2022): groups by meaning, words afterwards.

    theta_dk = softmax_k(sharpness · cos(e_d, C_k))        beta_k ∝ tf_kw · log(1 + A / f_w) of the group's counts

The topic of a text is its nearest centre; how near the others are shows as doubt.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics import options, saved
from topics.base import BagOfWords, Fit, FitSettings, Progress, silent
from topics.clusters import Labels, class_tf_idf, membership, refine, spherical_kmeans

_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class KMeansSettings:
    """`rounds` of assignment at most; `sharpness` of the mixtures (see above)."""

    rounds: int = 25
    sharpness: float = 20.0


_BOUNDS = {"rounds": (1, 10_000), "sharpness": (1e-3, 1e6)}


class KMeansModel:
    """Centres (K, E) and word probabilities (K, V) (see `topics.base.TopicModel`)."""

    kind = "kmeans"

    def __init__(
        self, encoder: str, vocabulary: tuple[str, ...], settings: KMeansSettings, centres: Matrix, beta: Matrix
    ) -> None:
        self.encoder, self.vocabulary, self.settings = encoder, vocabulary, settings
        self._centres, self._beta = centres, beta

    @property
    def topics(self) -> int:
        return len(self._centres)

    def beta(self) -> Matrix:
        return self._beta.copy()

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        given, expected = (vectors.shape[1], counts.shape[1]), (self._centres.shape[1], len(self.vocabulary))
        saved.check_input(self, encoder, given, expected)
        theta = np.empty((len(vectors), self.topics), np.float32)
        for start in range(0, len(vectors), _ROWS):
            theta[start : start + _ROWS] = self._mixtures(vectors[start : start + _ROWS])
        return theta

    def _mixtures(self, vectors: Matrix) -> Matrix:
        scores = self.settings.sharpness * (vectors @ self._centres.T)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)

    def save(self, folder: Path) -> None:
        facts = {"settings": asdict(self.settings)}
        saved.write(folder, self, facts, {"centres": self._centres, "beta": self._beta})


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
    """Groups of the vectors and their words. Starts at the guidance's centres where it has one for every topic.

    The number of topics is cut to the number of texts; `device` is not used.
    """
    chosen = options.read(KMeansSettings, settings.options or {}, _BOUNDS)
    topics = max(1, min(settings.topics, len(vectors)))
    progress("grouping passages", 0, 2)
    centres, labels = _groups(vectors, topics, settings, chosen.rounds)
    progress("grouping passages", 1, 2)
    model = KMeansModel(encoder, bag.vocabulary, chosen, centres, _word_probabilities(labels, topics, bag.counts))
    theta = model.infer(vectors, bag.counts, encoder=encoder)
    progress("grouping passages", 2, 2)
    return Fit(model, theta, chosen.rounds)


def _groups(vectors: Matrix, topics: int, settings: FitSettings, rounds: int) -> tuple[Matrix, Labels]:
    start = settings.guidance.start_centres
    if start is not None and len(start) == topics and bool((np.abs(start).sum(axis=1) > 0).all()):
        return refine(vectors, start, rounds)
    return spherical_kmeans(vectors, topics, settings.seed, rounds)


def _word_probabilities(labels: Labels, topics: int, counts: csr_matrix) -> Matrix:
    """(K, V): c-TF-IDF rows divided by their sums; a group without words holds every word alike."""
    scores = class_tf_idf((membership(labels, topics) @ counts).toarray())
    scores[scores.sum(axis=1) <= 0] = 1.0
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)


def load(folder: Path, device: str = "cpu") -> KMeansModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    with saved.reading(folder) as (record, arrays):
        vocabulary, centres = tuple(record["vocabulary"]), arrays["centres"]
        saved.check_shapes(arrays, {"beta": (len(centres), len(vocabulary))})
        settings = KMeansSettings(**record["settings"])
        return KMeansModel(record["encoder"], vocabulary, settings, centres, arrays["beta"])
