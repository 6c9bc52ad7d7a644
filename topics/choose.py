"""How many topics, when nobody says: a scan of quick groupings, judged on texts they did not see.

For each candidate K the passages of one half of the documents are grouped by spherical k-means, each group is
named by its ten most marking words (c-TF-IDF), and these words are looked up in the *other* half:

    score(K) = diversity(K) · mean over topics and word pairs of log((c + 3) / (e + 3))

c = windows of ten words that hold both, e = windows expected if they were independent, diversity = distinct words ÷
words. Too few topics mix subjects (pairs do not meet), too many split them (words repeat, and what a small group
showed is not found again). The score is averaged over both directions of a few fixed splits, smoothed over
neighbouring candidates, and the *largest* K within 2 % of the best is taken: of equally good numbers the one that
tells more apart. A proposal for people to override, not a truth about the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics.base import BagOfWords, Progress, silent
from topics.clusters import class_tf_idf, membership, refine, starting_rows
from topics.pairs import PairCounts, pair_counts

FEWEST, MOST = 8, 60
_ROWS = 4_000  # passages looked at, evenly spread: the number of subjects does not need them all
_SPLITS = 3
_TOP = 10
_TOLERANCE = 0.02
_ROUNDS = 8

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The number taken, and the score of every candidate that was tried (none where there was nothing to choose)."""

    topics: int
    curve: tuple[tuple[int, float], ...] = ()


def choose(vectors: Matrix, bag: BagOfWords, documents: Rows, progress: Progress = silent) -> Choice:
    """The number of topics for passages that belong to these documents (N,): at most one for eight passages and at
    most 60, and not below eight (below one for five passages where there are fewer than forty). Depends on no seed.
    """
    ks = candidates(len(vectors), _distinct(vectors))
    if len(ks) == 1:
        return Choice(ks[0])
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(_ROWS, len(vectors))).astype(np.int64))
    scores = []
    for number, (learn, judge) in enumerate(_halves(rows, documents[rows])):
        scores.append(_scores(vectors[learn], bag.rows(learn), bag.rows(judge), ks, seed=number))
        progress("choosing the number of topics", number + 1, 2 * _SPLITS)
    smooth = _smoothed(np.mean(scores, axis=0))
    good = [k for k, score in zip(ks, smooth, strict=True) if score >= smooth.max() - _TOLERANCE * abs(smooth.max())]
    return Choice(max(good), tuple((k, float(score)) for k, score in zip(ks, smooth, strict=True)))


def candidates(passages: int, distinct: int) -> list[int]:
    """Numbers of topics worth trying, ascending, each about a fifth larger than the one before."""
    ceiling = max(1, min(MOST, passages // 8, distinct))
    lowest = max(1, min(FEWEST, passages // 5, distinct))
    found = {lowest}
    value = float(lowest)
    while (value := value * 1.2) < ceiling:
        found.add(round(value))
    return sorted(found | {max(ceiling, lowest)})


def _distinct(vectors: Matrix) -> int:
    """How many different vectors there are, counted no further than candidates go."""
    seen: set[bytes] = set()
    for row in vectors:
        seen.add(np.round(row, 4).tobytes())
        if len(seen) >= MOST:
            break
    return len(seen)


def _halves(rows: Rows, documents: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of halves, both ways round. A document's passages stay together: what one document alone is about is not
    found again in others. With a single document its passages are parted."""
    ids, place = np.unique(documents, return_inverse=True)
    if len(ids) < 2:
        ids, place = rows, np.arange(len(rows))
    for split in range(_SPLITS):
        first = np.random.default_rng(split).permutation(len(ids)) % 2 == 0
        one, other = rows[first[place]], rows[~first[place]]
        yield one, other
        yield other, one


def _scores(vectors: Matrix, learn: BagOfWords, judge: BagOfWords, ks: list[int], seed: int) -> list[float]:
    starts = starting_rows(vectors, min(max(ks), len(vectors)), seed)
    words = [_words(vectors, learn, starts[:k]) for k in ks]
    union = np.unique(np.concatenate([topic for topics in words for topic in topics]))
    counts = pair_counts(judge, union)
    return [_score(topics, union, counts) for topics in words]


def _words(vectors: Matrix, bag: BagOfWords, starts: Matrix) -> list[Rows]:
    """Each group's most marking words."""
    _, labels = refine(vectors, starts, _ROUNDS)
    scores = class_tf_idf((membership(labels, len(starts)) @ bag.counts).toarray())
    best = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
    return [row[scores[k, row] > 0].astype(np.int64) for k, row in enumerate(best)]


def _score(topics: list[Rows], union: Rows, counts: PairCounts) -> float:
    one = np.diag(counts.together)
    values = []
    for topic in topics:
        place = np.searchsorted(union, np.sort(topic))
        i, j = np.triu_indices(len(place), 1)
        expected = one[place[i]] * one[place[j]] / max(counts.windows, 1)
        together = counts.together[place[i], place[j]]
        values.append(float(np.log((together + 3) / (expected + 3)).mean()) if len(i) else 0.0)
    words = np.concatenate(topics)
    return float(np.mean(values)) * len(np.unique(words)) / max(len(words), 1)


def _smoothed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quarter of each neighbour, half of the candidate itself."""
    return np.asarray(np.convolve(np.pad(scores, 1, mode="edge"), [0.25, 0.5, 0.25], "valid"))
