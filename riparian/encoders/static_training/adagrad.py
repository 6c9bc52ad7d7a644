"""The objective of GloVe and its optimiser (Pennington et al. 2014, equations 8 and 9; AdaGrad as in their tool).

The tool updates after every pair. Here the pairs of a batch see the same vectors and what they change is added up; a
batch of one pair is the tool's update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from riparian.encoders.static_training.cooccurrence import Counts
from riparian.encoders.static_training.corpus import Numbers

Floats = NDArray[np.float32]


def weights(values: NDArray[Any], x_max: float, alpha: float) -> NDArray[np.float64]:
    """f(x) = (x / x_max)^alpha below x_max, else 1 (equation 9)."""
    return np.minimum(np.asarray(values, dtype=np.float64) / x_max, 1.0) ** alpha


@dataclass(frozen=True, slots=True)
class Pairs:
    """A batch: words and contexts by number, what their product should be (log x), and how much that counts (f(x))."""

    words: Numbers
    contexts: Numbers
    logs: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.logs)

    def taken(self, rows: NDArray[Any] | slice) -> Pairs:
        return Pairs(self.words[rows], self.contexts[rows], self.logs[rows], self.weights[rows])


def pairs_of(counts: Counts, x_max: float, alpha: float) -> Pairs:
    """All pairs, in the order of the counts."""
    logs = np.log(counts.values).astype(np.float32)
    return Pairs(counts.rows, counts.columns, logs, weights(counts.values, x_max, alpha).astype(np.float32))


class Factors:
    """(V, d + 1) float32 rows of words and of contexts, biases in the last column, with the squared gradients of each
    number, which start at 1."""

    def __init__(self, words: int, dimension: int, seed: int) -> None:
        numbers = np.random.default_rng([seed, 1])
        shape = (words, dimension + 1)
        self.words, self.contexts = (
            ((numbers.random(shape, dtype=np.float32) - 0.5) / dimension).astype(np.float32) for _ in range(2)
        )
        self._seen_words, self._seen_contexts = np.ones(shape, np.float32), np.ones(shape, np.float32)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that a run changes."""
        return {
            "words": self.words,
            "contexts": self.contexts,
            "squares/words": self._seen_words,
            "squares/contexts": self._seen_contexts,
        }

    def vectors(self) -> Floats:
        """(V, d): the vector of a word and that of it as a context, added up."""
        return np.ascontiguousarray((self.words + self.contexts)[:, :-1])

    def cost(self, pairs: Pairs) -> float:
        """J of equation 8 over the pairs, halved as in the tool."""
        error = _errors(self.words[pairs.words], self.contexts[pairs.contexts], pairs).astype(np.float64)
        return float(0.5 * (pairs.weights * error * error).sum())

    def learn(self, pairs: Pairs, rate: float, clip: float) -> float:
        """One step; answers with the cost of the pairs before it. A pair's gradient is clipped number by number."""
        words, contexts = _Touched.of(pairs.words), _Touched.of(pairs.contexts)
        own, other = self.words[words.rows], self.contexts[contexts.rows]
        error = _errors(own[words.places], other[contexts.places], pairs)
        pull = pairs.weights * error
        found = _gradients(pull, words, other, contexts.places, rate, clip)
        back = _gradients(pull, contexts, own, words.places, rate, clip)
        _apply(self.words, self._seen_words, words.rows, found)
        _apply(self.contexts, self._seen_contexts, contexts.rows, back)
        return float(0.5 * np.dot(pull.astype(np.float64), error))


@dataclass(frozen=True, slots=True)
class _Touched:
    """The distinct `rows` that a batch touches, and at which of them each pair stands."""

    rows: Numbers
    places: NDArray[np.int64]

    @staticmethod
    def of(numbers: Numbers) -> _Touched:
        rows, places = np.unique(numbers, return_inverse=True)
        return _Touched(rows, places)


def _errors(own: Floats, other: Floats, pairs: Pairs) -> Floats:
    """w.c + b + b' - log x of each pair."""
    product = np.einsum("ij,ij->i", own[:, :-1], other[:, :-1])
    return np.asarray(product + own[:, -1] + other[:, -1] - pairs.logs, dtype=np.float32)


def _gradients(
    pull: Floats, touched: _Touched, others: Floats, at: NDArray[np.int64], rate: float, clip: float
) -> tuple[Floats, Floats]:
    """For each touched row the sum over its pairs of rate * clipped gradient, and the sum of the squares of these."""
    factors = others.copy()
    factors[:, -1] = 1.0  # what a bias is multiplied with
    if float(np.abs(pull).max(initial=0)) * float(np.abs(factors).max(initial=0)) <= clip:
        spread: Any = sparse.csr_array((rate * pull, (touched.places, at)), shape=(len(touched.rows), len(others)))
        squared: Any = spread.copy()
        squared.data = squared.data**2
        return spread @ factors, squared @ factors**2
    gradients = rate * np.clip(pull[:, None] * factors[at], -clip, clip)
    adding: Any = sparse.csr_array(
        (np.ones(len(pull), np.float32), (touched.places, np.arange(len(pull)))), shape=(len(touched.rows), len(pull))
    )
    return adding @ gradients, adding @ gradients**2


def _apply(values: Floats, seen: Floats, rows: Numbers, found: tuple[Floats, Floats]) -> None:
    steps, squares = found
    past = seen[rows]
    values[rows] -= steps / np.sqrt(past)
    seen[rows] = past + squares
