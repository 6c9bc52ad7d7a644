"""What a person sees of a topic: its words, a label that no other topic has, passages that stand for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix, TopicTerm
from topics.phrases import SEPARATOR

_LABEL_WORDS = 3
_NEAR_DUPLICATE = 0.95


def expected_counts(theta: Matrix, counts: csr_matrix) -> Matrix:
    """(K, V): how many occurrences of each word a topic accounts for, thetaᵀ · counts."""
    # added up in float64, so that the order of the texts is not felt
    return np.asarray((counts.T.astype(np.float64) @ theta).T, dtype=np.float32)


def terms(chosen: Sequence[int], expected: NDArray[np.float32], vocabulary: Sequence[str]) -> tuple[TopicTerm, ...]:
    """The chosen words in order, each with its part of the topic's expected counts: the probability of the word."""
    total = max(float(expected.sum()), 1e-12)
    return tuple(TopicTerm(vocabulary[word], float(expected[word]) / total) for word in chosen)


# ------------------------------------------------------------------------------ labels


def labels(
    topics: Sequence[Sequence[str]], order: Sequence[int], write: Callable[[Sequence[str]], str] = SEPARATOR.join
) -> list[str]:
    """A label a topic: up to three of its words, best first, of different stems, as `write` puts them together.

    `topics` holds each topic's words, best first. Topics are labelled in `order` (largest first): a word that an
    earlier label holds goes behind the topic's words that none holds, and no two labels are of the same words. A topic
    without words of its own is "topic N".
    """
    made: list[tuple[str, ...]] = [()] * len(topics)
    used: set[str] = set()
    for number in order:
        made[number] = _label_words(topics[number], used, {frozenset(words) for words in made})
        used.update(made[number])
    return [write(words) if words else f"topic {number + 1}" for number, words in enumerate(made)]


def _label_words(words: Sequence[str], used: set[str], taken: set[frozenset[str]]) -> tuple[str, ...]:
    fresh = [word for word in words if word not in used]
    candidates = _distinct_stems([*fresh, *(word for word in words if word in used)])
    for size in range(min(_LABEL_WORDS, len(candidates)), len(candidates) + 1):
        label = tuple(candidates[:size])
        if frozenset(label) not in taken:
            return label
    return ()


def _distinct_stems(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for word in words:
        if not any(same_stem(word, other) for other in kept):
            kept.append(word)
    return kept


def same_stem(one: str, other: str) -> bool:
    """Whether two words look like forms of one: the longer adds up to four letters to a word of five or more, or an
    s or es (car, cars; exist, existence), or they share all but at most three letters, and four or more (armenia,
    armenian, armenians; crimes, criminal do not)."""
    short, long = sorted((one, other), key=len)
    if long.startswith(short):
        rest = long[len(short) :]
        return rest in ("", "s", "es") or (len(short) >= 5 and len(rest) <= 4)
    shared = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return shared >= 4 and shared >= len(long) - 3


# ------------------------------------------------------------------------------ passages


def representatives(theta: Matrix, vectors: Matrix, topic: int, count: int = 5, variety: float = 0.3) -> list[int]:
    """Rows of the passages that stand for a topic, best first: about it (theta), near its centre, unlike each other.

    Maximal marginal relevance (Carbonell and Goldstein 1998) over theta · cos(vector, centre); a near-duplicate of
    one that was taken (cosine above 0.95) comes only when nothing else is left. Passages whose main topic it is come
    before others.
    """
    weights = theta[:, topic]
    relevance = weights * (vectors @ _centre(vectors, weights)) + (theta.argmax(axis=1) == topic)
    candidates = np.argsort(-relevance, kind="stable")[: 10 * count]
    return _varied(candidates, relevance[candidates], vectors[candidates], count, variety)


def _centre(vectors: Matrix, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    centre = weights @ vectors
    return np.asarray(centre / max(float(np.linalg.norm(centre)), 1e-9), dtype=np.float32)


def _varied(
    rows: NDArray[np.int64], relevance: NDArray[np.float32], vectors: Matrix, count: int, variety: float
) -> list[int]:
    nearest = np.zeros(len(rows), np.float32)
    taken: list[int] = []
    for _ in range(min(count, len(rows))):
        value = (1 - variety) * relevance - variety * nearest - 10.0 * (nearest > _NEAR_DUPLICATE)
        value[taken] = -np.inf
        best = int(value.argmax())
        taken.append(best)
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return [int(rows[best]) for best in taken]
