"""How good each topic is, beyond what its fit told: words on documents they were not chosen on, and what is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Topic
from topics import coherence, naming
from topics.base import BagOfWords
from topics.describe import expected_counts

Reals = NDArray[np.float64]
TOP = coherence.TOP
Watch = Callable[[int, int], None]


def held_out_coherence(
    bag: BagOfWords, theta: csr_matrix, documents: NDArray[np.int64], watch: Watch = lambda done, total: None
) -> tuple[float | None, ...]:
    """Each topic's mean NPMI over two halves of the documents: its ten words chosen on one, measured on the other.

    The words are chosen as a fit chooses them, from the passages' mixtures; a document lies whole in one half, which is
    decided by its place among all ids. None where a half has no two words of a topic.
    """
    places = np.unique(documents, return_inverse=True)[1]
    halves = [np.flatnonzero(places % 2 == half) for half in (0, 1)]
    found = np.full((2, theta.shape[1]), np.nan)
    for number, (learn, judge) in enumerate((halves, halves[::-1])):
        watch(number, 2)
        if len(learn) and len(judge):
            found[number] = _measured(bag, theta, learn, judge)
    watch(2, 2)
    known = ~np.isnan(found)
    means = np.where(known, found, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return tuple(float(m) if k else None for m, k in zip(means, known.sum(axis=0), strict=True))


def _measured(bag: BagOfWords, theta: csr_matrix, learn: NDArray[np.int64], judge: NDArray[np.int64]) -> Reals:
    part = bag.rows(learn)
    expected = expected_counts(np.asarray(theta[learn].todense(), dtype=np.float32), part.counts)
    words = [[bag.vocabulary[word] for word in topic] for topic in naming.choose(part, expected)]
    return np.array(coherence.score(words, bag.rows(judge)).npmi)


def exclusivity(bag: BagOfWords, theta: csr_matrix, topics: Sequence[Topic]) -> tuple[float, ...]:
    """Each topic's mean, over its ten words, of its part in all occurrences of the word (1: nobody else's)."""
    counts = np.asarray((theta.T @ bag.counts).todense(), dtype=np.float64)
    part = counts / np.maximum(counts.sum(axis=0), 1e-12)
    place = {word: number for number, word in enumerate(bag.vocabulary)}
    found = []
    for k, topic in enumerate(topics):
        own = [place[term.term] for term in topic.terms[:TOP] if term.term in place]
        found.append(float(part[k, own].mean()) if own else 0.0)
    return tuple(found)


def own_words(topics: Sequence[Topic]) -> tuple[float, ...]:
    """The part of each topic's ten words that no other topic has among its ten."""
    tens = [{term.term for term in topic.terms[:TOP]} for topic in topics]
    found = []
    for k, ten in enumerate(tens):
        others = set().union(*(other for j, other in enumerate(tens) if j != k))
        found.append(len(ten - others) / len(ten) if ten else 1.0)
    return tuple(found)
