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
        """One step; answers with the cost of the pairs before it. A pair's gradient is clipped number by number.

        Fastest with pairs sorted by word."""
        rows, row_of = np.unique(pairs.words, return_inverse=True)
        columns, column_of = np.unique(pairs.contexts, return_inverse=True)
        own, other = self.words[rows], self.contexts[columns]
        error = _errors(own[row_of], other[column_of], pairs)
        pull = pairs.weights * error
        spread = _Spread.of(pull, row_of, column_of, rate, clip)
        _step(self.words, self._seen_words, rows, own, spread.sums(other))
        _step(self.contexts, self._seen_contexts, columns, other, spread.turned().sums(own))
        return float(0.5 * np.dot(pull.astype(np.float64), error))


def _errors(own: Floats, other: Floats, pairs: Pairs) -> Floats:
    """w.c + b + b' - log x of each pair."""
    product = np.einsum("ij,ij->i", own[:, :-1], other[:, :-1])
    return np.asarray(product + own[:, -1] + other[:, -1] - pairs.logs, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Spread:
    """How hard each row is pulled towards each other row: a sparse matrix, with rate and clip."""

    pull: Any
    rate: float
    clip: float

    @staticmethod
    def of(pull: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], rate: float, clip: float) -> _Spread:
        return _Spread(sparse.csr_array((pull, (rows.astype(np.int32), columns.astype(np.int32)))), rate, clip)

    def turned(self) -> _Spread:
        return _Spread(self.pull.T, self.rate, self.clip)

    def sums(self, others: Floats) -> tuple[Floats, Floats]:
        """For each row the sum of rate * clipped gradient over its pairs, and the sum of the squares of these."""
        factors = others.copy()
        factors[:, -1] = 1.0  # what a bias is multiplied with
        if float(np.abs(self.pull.data).max(initial=0)) * float(np.abs(factors).max(initial=0)) > self.clip:
            return self._clipped(factors)
        factors *= self.rate
        squared = self.pull.copy()
        squared.data **= 2
        return self.pull @ factors, squared @ factors**2

    def _clipped(self, factors: Floats) -> tuple[Floats, Floats]:
        pull = self.pull.tocoo()
        gradients = self.rate * np.clip(pull.data[:, None] * factors[pull.col], -self.clip, self.clip)
        ones = np.ones(len(pull.data), dtype=np.float32)
        adding: Any = sparse.csr_array((ones, (pull.row, np.arange(len(ones)))), shape=(pull.shape[0], len(ones)))
        return adding @ gradients, adding @ gradients**2


def _step(values: Floats, seen: Floats, rows: Numbers, before: Floats, found: tuple[Floats, Floats]) -> None:
    steps, squares = found
    past = seen[rows]
    values[rows] = before - steps / np.sqrt(past)
    seen[rows] = past + squares
