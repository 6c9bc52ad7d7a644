"""Non-negative matrix factorisation of tf-idf weights (Lee and Seung 1999), by scikit-learn: words alone.

    X ≈ W H,  X_dw = (1 + log x_dw) · idf_w, rows of length 1;  W (N, K), H (K, V) ≥ 0

beta is H with rows divided by their sums; a text's mixture is its row of W times those sums, divided by its own sum:
the part of its weight that each topic accounts for. The vectors are not read.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix
from topics import options, saved
from topics.base import BagOfWords, Fit, FitSettings, Progress, silent

_ROWS = 2_000
_SWEEPS = 60  # over the topics, when a text's weights are found
_STEP = 20  # iterations between two words of progress
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class NmfSettings:
    """Most `iterations`; a fit ends sooner once one changes less than `tolerance` of what the first did."""

    iterations: int = 200
    tolerance: float = 1e-4


_BOUNDS = {"iterations": (1, 100_000), "tolerance": (0, 1)}


class NmfModel:
    """Topics `words` (K, V), rows sum to 1, with `idf` (V,), `shares` (K,) of the texts it was fitted on and the
    `dimension` of vectors it is bound to (see `topics.base.TopicModel`)."""

    kind = "nmf"

    def __init__(
        self, encoder: str, vocabulary: tuple[str, ...], settings: NmfSettings, dimension: int,
        words: Matrix, idf: NDArray[np.float32], shares: NDArray[np.float32],
    ) -> None:  # fmt: skip
        self.encoder, self.vocabulary, self.settings, self.dimension = encoder, vocabulary, settings, dimension
        self._words, self._idf, self.shares = words, idf, shares

    @property
    def topics(self) -> int:
        return len(self._words)

    def beta(self) -> Matrix:
        return self._words.copy()

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        """A text without a known word has the shares of the whole."""
        given = (vectors.shape[1], counts.shape[1])
        saved.check_input(self, encoder, given, (self.dimension, len(self.vocabulary)))
        theta = np.empty((counts.shape[0], self.topics), np.float32)
        for start in range(0, len(theta), _ROWS):
            theta[start : start + _ROWS] = self._mixtures(counts[start : start + _ROWS])
        return theta

    def _mixtures(self, counts: csr_matrix) -> Matrix:
        weights = _weights(_tf_idf(counts, self._idf), self._words.astype(np.float64))
        total = weights.sum(axis=1, keepdims=True)
        return np.where(total > _TINY, weights / np.maximum(total, _TINY), self.shares).astype(np.float32)

    def save(self, folder: Path) -> None:
        facts = {"settings": asdict(self.settings), "dimension": self.dimension}
        saved.write(folder, self, facts, {"words": self._words, "idf": self._idf, "shares": self.shares})


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
    """Starts from a singular value decomposition (NNDSVD), from random weights where there are more topics than words.

    The number of topics is cut to the number of texts. `device` is not used, and guidance is not heard.
    """
    chosen = options.read(NmfSettings, settings.options or {}, _BOUNDS)
    topics = max(1, min(settings.topics, len(vectors)))
    idf = _idf(bag.counts)
    words, done = _factorise(_tf_idf(bag.counts, idf), topics, settings.seed, chosen, progress)
    shares = np.full(topics, 1 / topics, np.float32)
    model = NmfModel(encoder, bag.vocabulary, chosen, vectors.shape[1], words, idf, shares)
    theta = model.infer(vectors, bag.counts, encoder=encoder)
    known = np.diff(bag.counts.indptr) > 0
    model.shares = theta[known].mean(axis=0) if known.any() else shares
    return Fit(model, model.infer(vectors, bag.counts, encoder=encoder), done)


def _idf(counts: csr_matrix) -> NDArray[np.float32]:
    """log((1 + N) / (1 + texts that hold the word)) + 1."""
    held = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + held)) + 1, dtype=np.float32)


def _tf_idf(counts: csr_matrix, idf: NDArray[np.float32]) -> csr_matrix:
    """(N, V), rows of length 1, those of texts without words empty."""
    weights = csr_matrix(counts, dtype=np.float64, copy=True)
    weights.data = (1 + np.log(weights.data)) * idf[weights.indices]
    lengths = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    weights.data /= np.repeat(np.maximum(lengths, _TINY), np.diff(weights.indptr))
    return weights


def _factorise(
    weights: csr_matrix, topics: int, seed: int, settings: NmfSettings, progress: Progress
) -> tuple[Matrix, int]:
    """H with rows that sum to 1 (an empty topic holds every word alike), and the iterations done."""
    from sklearn.decomposition import NMF, non_negative_factorization
    from sklearn.exceptions import ConvergenceWarning

    if not weights.nnz:
        return np.full((topics, weights.shape[1]), 1 / weights.shape[1], np.float32), 0
    start = "nndsvd" if topics <= min(weights.shape) else "random"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the steps are short on purpose
        model = NMF(topics, init=start, random_state=seed, max_iter=1, tol=0)
        mixtures, words, done = model.fit_transform(weights), model.components_, 1
        first = None
        while done < settings.iterations:
            steps, before = min(_STEP, settings.iterations - done), words
            mixtures, words, _ = non_negative_factorization(
                weights, mixtures, words, n_components=topics, init="custom", max_iter=steps, tol=0
            )
            done += steps
            progress("factorising words", done, settings.iterations)
            moved = float(np.linalg.norm(words - before)) / max(float(np.linalg.norm(words)), _TINY) / steps
            first = moved if first is None else first
            if moved <= settings.tolerance * first:
                break
    words = words + _TINY * (words.sum(axis=1, keepdims=True) <= _TINY)
    return (words / words.sum(axis=1, keepdims=True)).astype(np.float32), done


def _weights(texts: csr_matrix, words: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K) weights ≥ 0 of least squares ‖x − w · words‖, by coordinate descent; every text for itself."""
    gram, cross = words @ words.T, np.asarray(texts @ words.T)
    found: NDArray[np.float64] = np.zeros_like(cross)
    for _ in range(_SWEEPS):
        for k in range(len(words)):
            slope = found @ gram[:, k] - cross[:, k]
            found[:, k] = np.maximum(found[:, k] - slope / max(gram[k, k], _TINY), 0)
    return found


def load(folder: Path, device: str = "cpu") -> NmfModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    with saved.reading(folder) as (record, arrays):
        vocabulary, words = tuple(record["vocabulary"]), arrays["words"]
        width = len(vocabulary)
        saved.check_shapes(arrays, {"words": (len(words), width), "idf": (width,), "shares": (len(words),)})
        settings, dimension = NmfSettings(**record["settings"]), int(record["dimension"])
        return NmfModel(record["encoder"], vocabulary, settings, dimension, words, arrays["idf"], arrays["shares"])
