"""The joint model: passages are grouped by smoothed vectors, words correct the groups (docs/topic-model.md).

Nothing is drawn: neither a seed nor the order of the passages has a part in the result.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.errors import BadWeights, IndexMismatch
from riparian.types import Matrix
from topics.base import BagOfWords, Fit, FitSettings, Progress, silent
from topics.joint import em, guiding
from topics.joint.settings import JointSettings
from topics.joint.smoothing import fold_in, smooth, unit
from topics.joint.start import counts_of, refine, starting_centres
from topics.ordering import by_content, reordered

KIND = "joint"
_MODEL, _WEIGHTS = "model.json", "weights.safetensors"
_ROWS = 4_096  # texts a pass of inference
_ANCHOR = 0.5  # what an earlier centre weighs, in passages of a mean group


@dataclass(frozen=True, slots=True)
class _Arrays:
    """`beta` (K, V); `centres` (K, E); `landmarks` (L, E), and what smoothing made of them."""

    beta: Matrix
    centres: Matrix
    landmarks: Matrix
    smoothed: Matrix


class JointModel:
    """A fitted joint model (see `topics.base.TopicModel`)."""

    kind = KIND

    def __init__(self, encoder: str, vocabulary: tuple[str, ...], settings: JointSettings, arrays: _Arrays) -> None:
        self.encoder, self.vocabulary, self.settings = encoder, vocabulary, settings
        self._arrays = arrays

    @property
    def topics(self) -> int:
        return len(self._arrays.centres)

    def beta(self) -> Matrix:
        return self._arrays.beta

    def centres(self) -> Matrix:
        """(K, E) unit float32: where a later fit starts from to keep these topics (`Guidance.start_centres`)."""
        return self._arrays.centres

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        """Mixtures of texts. One without a word of the vocabulary has what its vector says."""
        if encoder != self.encoder:
            raise IndexMismatch("the topic model", self.encoder, encoder)
        width, words = self._arrays.centres.shape[1], len(self.vocabulary)
        if vectors.shape[1] != width or counts.shape[1] != words:
            raise ValueError(
                f"expected {width} dimensions and {words} words, found {vectors.shape[1]} and {counts.shape[1]}"
            )
        theta = np.empty((len(vectors), self.topics), np.float32)
        for start in range(0, len(vectors), _ROWS):
            rows = slice(start, start + _ROWS)
            theta[rows] = self._mixtures(vectors[rows], counts[rows])
        return theta

    def _mixtures(self, vectors: Matrix, counts: csr_matrix) -> Matrix:
        arrays, chosen = self._arrays, self.settings
        near = fold_in(unit(vectors), arrays.landmarks, arrays.smoothed, chosen.neighbours, chosen.pull)
        prior = embedding_mixtures(near, arrays.centres, chosen.sharpness)
        return em.infer(counts, prior, chosen.prior, arrays.beta, chosen.iterations)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file(
            {name: np.ascontiguousarray(array) for name, array in asdict(self._arrays).items()}, folder / _WEIGHTS
        )
        record = {
            "format": 1,
            "kind": self.kind,
            "encoder": self.encoder,
            "settings": asdict(self.settings),
            "vocabulary": list(self.vocabulary),
        }
        (folder / _MODEL).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def embedding_mixtures(smoothed: Matrix, centres: Matrix, sharpness: float) -> Matrix:
    """theta0 (N, K): softmax over topics of sharpness · cosine."""
    logits = np.float32(sharpness) * (smoothed @ centres.T)
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return np.asarray(logits / logits.sum(axis=1, keepdims=True), np.float32)


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
    """A fitted model and the mixtures of the texts it saw, in the order given.

    `vectors` (N, E) float32 belong to the encoder of that fingerprint, `bag` has the same N texts and at least one
    word. `settings.seed` and `device` are not read. The passages' order has no part in the result, to the last bit.
    """
    chosen = JointSettings.of(dict(settings.options or {}))
    order = by_content(vectors, bag)
    guidance = reordered(settings.guidance, order)
    topics = guiding.topics_asked(settings.topics, guidance, len(order))
    found = guiding.bounds(guidance, bag, topics)
    arranged = _Passages(unit(vectors[order]), bag.counts[order])
    model, theta = _fit(arranged, guiding.Bounds(found.bound, found.seeds, guidance), chosen, bag, encoder, progress)
    given = np.empty_like(theta)
    given[order] = theta
    return Fit(model, given, chosen.iterations)


@dataclass(frozen=True, slots=True)
class _Passages:
    vectors: Matrix
    counts: csr_matrix


def _fit(
    passages: _Passages, found: guiding.Bounds, chosen: JointSettings, bag: BagOfWords, encoder: str, progress: Progress
) -> tuple[JointModel, Matrix]:
    topics, counts = found.seeds.shape[0], passages.counts
    progress("looking at neighbours", 0, 3)
    smoothed = smooth(passages.vectors, chosen.landmarks, chosen.neighbours, chosen.pull, chosen.rounds)
    smoothed = _drawn_together(smoothed, found)
    progress("grouping passages", 1, 3)
    centres, labels = _groups(smoothed, passages, found, chosen)
    progress("weighing words", 2, 3)
    own = embedding_mixtures(smoothed, centres, chosen.sharpness)
    theta0, weight = guiding.theta_prior(found, own, counts, chosen.prior)
    words = guiding.word_prior(found, chosen.smoothing, float(counts.sum()))
    theta, expected = em.fit(
        counts, em.Prior(theta0, weight, words), counts_of(labels, counts, topics), chosen.iterations
    )
    progress("weighing words", 3, 3)
    beta = np.asarray(expected / expected.sum(axis=1, keepdims=True), np.float32)
    some = slice(0, chosen.landmarks)
    arrays = _Arrays(beta, centres, passages.vectors[some], smoothed[some])
    return JointModel(encoder, bag.vocabulary, chosen, arrays), theta


def _drawn_together(smoothed: Matrix, found: guiding.Bounds) -> Matrix:
    """Rows to be together stand at their middle, so that they are grouped alike."""
    groups = guiding.groups_of(found.guidance.together, len(smoothed))
    if not groups:
        return smoothed
    smoothed = smoothed.copy()
    for rows in groups:
        smoothed[rows] = unit(smoothed[rows].mean(axis=0, keepdims=True))
    return smoothed


def _groups(
    smoothed: Matrix, passages: _Passages, found: guiding.Bounds, chosen: JointSettings
) -> tuple[Matrix, NDArray[np.int64]]:
    """Unit centres (K, E) and the group of every row."""
    topics = found.seeds.shape[0]
    known = guiding.known_centres(found, smoothed, passages.counts)
    there = np.linalg.norm(known, axis=1) > 0
    if there.all():
        centres = known
    else:
        centres = starting_centres(smoothed, passages.vectors, topics, chosen.dimensions)
        centres = guiding.merged(known, centres) if there.any() else centres
    anchors = known * np.float32(_ANCHOR * len(smoothed) / topics) if there.any() else None
    return refine(smoothed, centres, found.bound, anchors)


def load(folder: Path, device: str = "cpu") -> JointModel:
    """A model that `save` wrote. Raises BadWeights where files are missing, broken or do not fit together."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        record = json.loads((folder / _MODEL).read_text(encoding="utf-8"))
        if record["format"] != 1:
            raise BadWeights(folder / _MODEL, "format 1", f"format {record['format']!r}")
        arrays = _Arrays(**load_file(folder / _WEIGHTS))
        vocabulary = tuple(record["vocabulary"])
        if arrays.beta.shape != (len(arrays.centres), len(vocabulary)):
            raise BadWeights(folder, f"words of {len(vocabulary)} in each topic", f"{arrays.beta.shape}")
        return JointModel(record["encoder"], vocabulary, JointSettings(**record["settings"]), arrays)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BadWeights(folder, "a saved topic model", f"{type(error).__name__}: {error}") from error
