"""The words of each topic in each period: what it was about then.

Expected counts of a period's passages, n_kpw = Σ_i theta_ik x_iw, i in p, drawn towards the topic's own words where the
period holds little of it, and marked as the words of a fit are (c-TF-IDF):

    p(w | k, p) = (n_kpw + mu · p(w | k)) / (Σ_w n_kpw + mu)        mu = 100 words
    score = p(w | k, p)^0.7 · log(1 + A / f_w)        f, A over all topics and the whole time

so the rarity of a word is one for all periods, and a word comes up because the period holds more of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from topics import describe
from topics.base import BagOfWords

PRIOR = 100.0
EXPONENT = 0.7
SHOWN = 6
FEWEST = 20.0
"""A topic of which a period holds fewer expected words has none of its own there."""

MUCH_MORE = 2.0
"""A word this many times as frequent as usual is pointed out."""


@dataclass(frozen=True, slots=True)
class PeriodWord:
    """`share` is its part of the topic's words in the period, `times` that over its part of them at all times."""

    word: str
    share: float
    times: float


Words = tuple[tuple[PeriodWord, ...], ...]
"""Of each period, the words that mark a topic most, best first; none where the period holds too little of it."""


def words_of_periods(theta: csr_matrix, bag: BagOfWords, period_of: NDArray[np.int64], periods: int) -> list[Words]:
    """Of each topic, from the mixtures (N, K) and words of passages and the period of each, -1 for those without a
    date, which count for all times alone."""
    overall = describe.expected_counts(theta.toarray(), bag.counts).astype(np.float64)
    usual = overall / np.maximum(overall.sum(axis=1, keepdims=True), 1e-12)
    rarity = np.log1p(overall.sum() / len(overall) / np.maximum(overall.sum(axis=0), 1e-12))
    found: list[list[tuple[PeriodWord, ...]]] = [[] for _ in range(theta.shape[1])]
    for period in range(periods):
        rows = np.flatnonzero(period_of == period)
        counted = describe.expected_counts(theta[rows].toarray(), bag.counts[rows]).astype(np.float64)
        for topic, words in enumerate(_best(counted, usual, rarity, bag.vocabulary)):
            found[topic].append(words)
    return [tuple(words) for words in found]


def _best(
    counted: NDArray[np.float64], usual: NDArray[np.float64], rarity: NDArray[np.float64], vocabulary: Sequence[str]
) -> list[tuple[PeriodWord, ...]]:
    totals = counted.sum(axis=1, keepdims=True)
    part = (counted + PRIOR * usual) / (totals + PRIOR)
    scores = part**EXPONENT * rarity
    order = np.argsort(-scores, axis=1, kind="stable")[:, :SHOWN]
    return [
        tuple(
            PeriodWord(vocabulary[word], float(part[topic, word]), float(part[topic, word] / usual[topic, word]))
            for word in order[topic].tolist()
            if counted[topic, word] > 0
        )
        if totals[topic, 0] >= FEWEST
        else ()
        for topic in range(len(counted))
    ]
