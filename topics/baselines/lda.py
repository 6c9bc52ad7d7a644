"""Latent Dirichlet allocation (Blei, Ng and Jordan 2003) by scikit-learn's variational Bayes: words alone.

    theta_d ~ Dirichlet(1/K), beta_k ~ Dirichlet(1/K), every word of d from beta of a topic drawn from theta_d

`components` (K, V) are the posterior's pseudo-counts λ; beta is λ with rows divided by their sums. A text's mixture is
the mean of its variational Dirichlet. Every iteration goes over all texts. The vectors are not read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics import options, saved
from topics.base import BagOfWords, Fit, FitSettings, Progress, silent

if TYPE_CHECKING:
    from sklearn.decomposition import LatentDirichletAllocation

_ROWS = 2_000
# step n weighs new counts with (1 + n) ** -decay: that is 1, so each step takes the counts of all texts alone
_DECAY = 1e-12


@dataclass(frozen=True, slots=True)
class LdaSettings:
    """`iterations` over all texts."""

    iterations: int = 20


_BOUNDS = {"iterations": (1, 100_000)}


class LdaModel:
    """Pseudo-counts (K, V) float64, and the `dimension` of vectors it is bound to (see `topics.base.TopicModel`)."""

    kind = "lda"

    def __init__(
        self, encoder: str, vocabulary: tuple[str, ...], settings: LdaSettings, dimension: int,
        components: NDArray[np.float64],
    ) -> None:  # fmt: skip
        self.encoder, self.vocabulary, self.settings, self.dimension = encoder, vocabulary, settings, dimension
        self._components = components
        self._sklearn = _estimator(len(components), 0)
        self._sklearn.components_ = components
        self._sklearn.exp_dirichlet_component_ = _exp_expected_log(components)
        self._sklearn.doc_topic_prior_ = 1 / len(components)
        self._sklearn.n_features_in_ = components.shape[1]

    @property
    def topics(self) -> int:
        return len(self._components)

    def beta(self) -> Matrix:
        return np.asarray(self._components / self._components.sum(axis=1, keepdims=True), dtype=np.float32)

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        """A text without a known word has every topic alike."""
        given = (vectors.shape[1], counts.shape[1])
        saved.check_input(self, encoder, given, (self.dimension, len(self.vocabulary)))
        theta = np.empty((counts.shape[0], self.topics), np.float32)
        for start in range(0, len(theta), _ROWS):
            theta[start : start + _ROWS] = self._sklearn.transform(counts[start : start + _ROWS])
        return theta

    def save(self, folder: Path) -> None:
        facts = {"settings": asdict(self.settings), "dimension": self.dimension}
        saved.write(folder, self, facts, {"components": self._components})


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
    """`progress` is called after every iteration and may raise to stop.

    The number of topics is cut to the number of texts. `device` is not used, and guidance is not heard.
    """
    chosen = options.read(LdaSettings, settings.options or {}, _BOUNDS)
    topics = max(1, min(settings.topics, len(vectors)))
    estimator = _estimator(topics, settings.seed, texts=max(1, len(vectors)))
    counts = csr_matrix(bag.counts, dtype=np.float64)
    for iteration in range(chosen.iterations):
        estimator.partial_fit(counts)
        progress("sorting words", iteration + 1, chosen.iterations)
    components = np.asarray(estimator.components_, np.float64)
    model = LdaModel(encoder, bag.vocabulary, chosen, vectors.shape[1], components)
    return Fit(model, model.infer(vectors, bag.counts, encoder=encoder), chosen.iterations)


def _estimator(topics: int, seed: int, texts: int = 1) -> LatentDirichletAllocation:
    from sklearn.decomposition import LatentDirichletAllocation

    return LatentDirichletAllocation(
        topics, learning_decay=_DECAY, learning_offset=1.0, batch_size=texts, total_samples=texts, random_state=seed
    )


def _exp_expected_log(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """exp E[log beta] under Dirichlet(components)."""
    from scipy.special import psi

    return np.asarray(np.exp(psi(components) - psi(components.sum(axis=1, keepdims=True))))


def load(folder: Path, device: str = "cpu") -> LdaModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    with saved.reading(folder) as (record, arrays):
        vocabulary, components = tuple(record["vocabulary"]), arrays["components"]
        saved.check_shapes(arrays, {"components": (len(components), len(vocabulary))})
        settings, dimension = LdaSettings(**record["settings"]), int(record["dimension"])
        return LdaModel(record["encoder"], vocabulary, settings, dimension, components)
