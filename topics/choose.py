"""How many topics, when nobody says: a scan of quick groupings, judged on texts they did not see.

For each candidate K the passages of one half of the documents are grouped as the joint model begins (smoothed vectors,
one Ward tree cut at every K, rounds of spherical k-means), each group is named by its ten most marking words
(c-TF-IDF), and these words are looked up in the *other* half:

    score(K) = diversity(K) · mean over passages of the coherence of their topic,
    coherence = mean over word pairs of ½ [ log((c + 3) / (e + 3)) + log((d + 0.3) / (f + 0.3)) ]

c = windows of ten words that hold both, d = passages that do, e and f = as many as there would be if the words were
independent, diversity = distinct words ÷ words. Too few topics mix subjects (pairs do not meet), too many split them
(words repeat, and what a small group showed is not found again). The score is averaged over both directions of a few
fixed splits. The curve is flat around its top, so that the best K itself would be luck: taken is the middle of the good
ones,

    K = exp(Σ_k g_k log k / Σ_k g_k),    g_k = max(0, score(k) − 0.9 · best).

No seed is read, and of a sample of the documents most stay in the same halves. A proposal for people to override, not a
truth about the collection.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics.base import BagOfWords, Progress, silent
from topics.clusters import class_tf_idf, membership
from topics.joint.smoothing import smooth, unit
from topics.joint.start import counts_of, cut, projected, refine, tree
from topics.pairs import PairCounts, Reals, pair_counts

FEWEST, MOST = 8, 60
_ROWS = 5_000  # passages looked at, the first in the order of `ordering.by_content`, which is a random sample
_SPLITS = 3
_TOP = 10
_GOOD = 0.9  # part of the best score from which on a number counts
_NEIGHBOURS, _PULL, _SMOOTHINGS, _DIMENSIONS = 20, 4.0, 5, 64
_FEW_DOCUMENTS = 50
_ROUNDS = 8

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """The number taken, and the score of every candidate that was tried (none where there was nothing to choose)."""

    topics: int
    curve: tuple[tuple[int, float], ...] = ()


def choose(vectors: Matrix, bag: BagOfWords, documents: Rows, progress: Progress = silent) -> Choice:
    """The number of topics for passages that belong to these documents (N,): at most one for eight passages and at
    most 60, and not below eight (below one for five passages where there are fewer than forty). Depends on no seed;
    rows in the order of `ordering.by_content`.
    """
    ks = candidates(len(vectors), _distinct(vectors))
    if len(ks) == 1:
        return Choice(ks[0])
    rows = np.arange(min(_ROWS, len(vectors)))
    scores = []
    for number, (learn, judge) in enumerate(_halves(vectors, rows, documents[rows])):
        scores.append(_scores(vectors[learn], bag.rows(learn), bag.rows(judge), ks))
        progress("choosing the number of topics", number + 1, 2 * _SPLITS)
    smooth = _smoothed(np.mean(scores, axis=0))
    return Choice(_middle(ks, smooth), tuple((k, float(score)) for k, score in zip(ks, smooth, strict=True)))


def _middle(ks: list[int], scores: NDArray[np.float64]) -> int:
    good = np.maximum(scores - scores.max() + (1 - _GOOD) * abs(scores.max()), 0)
    if not good.sum() > 0:
        return ks[int(scores.argmax())]
    return round(float(np.exp(good @ np.log(ks) / good.sum())))


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


def _halves(vectors: Matrix, rows: Rows, documents: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of halves, both ways round. A document's passages stay together: what one document alone is about is not
    found again in others. With a single document its passages are parted."""
    ids, first, place = np.unique(documents, return_index=True, return_inverse=True)
    if len(ids) < 2:
        ids, first, place = rows, np.arange(len(rows)), np.arange(len(rows))
    contents = [np.ascontiguousarray(vectors[row], np.float32).tobytes() for row in rows[first]]
    for split in range(_SPLITS):
        keys = np.array([zlib.crc32(content, split) for content in contents])
        # few documents are parted evenly; many by a hash of their own, so that the others have no part in it
        halves = keys % 2 if len(ids) >= _FEW_DOCUMENTS else np.argsort(np.argsort(keys, kind="stable")) % 2
        one, other = rows[(halves == 0)[place]], rows[(halves == 1)[place]]
        yield one, other
        yield other, one


def _scores(vectors: Matrix, learn: BagOfWords, judge: BagOfWords, ks: list[int]) -> list[float]:
    smoothed = smooth(unit(vectors), len(vectors), _NEIGHBOURS, _PULL, _SMOOTHINGS)
    joined = tree(projected(smoothed, _DIMENSIONS))
    found = [_named(smoothed, learn, cut(joined, k)) for k in ks]
    union = np.unique(np.concatenate([topic for topics, _ in found for topic in topics]))
    counts = pair_counts(judge, union)
    return [_score(topics, sizes, union, counts) for topics, sizes in found]


def _named(smoothed: Matrix, bag: BagOfWords, labels: Rows) -> tuple[list[Rows], Rows]:
    """Each group's most marking words, and how many passages it has."""
    groups = int(labels.max()) + 1
    _, labels = refine(smoothed, unit(membership(labels, groups) @ smoothed), rounds=_ROUNDS)
    scores = class_tf_idf(counts_of(labels, bag.counts, groups))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :_TOP]
    words = [row[scores[k, row] > 0].astype(np.int64) for k, row in enumerate(best)]
    return words, np.bincount(labels, minlength=groups).astype(np.int64)


def _score(topics: list[Rows], sizes: Rows, union: Rows, counts: PairCounts) -> float:
    values = [_coherence(np.searchsorted(union, np.sort(topic)), counts) for topic in topics]
    words = np.concatenate(topics)
    return float(np.average(values, weights=sizes)) * len(np.unique(words)) / max(len(words), 1)


def _coherence(words: Rows, counts: PairCounts) -> float:
    i, j = np.triu_indices(len(words), 1)
    if not len(i):
        return 0.0
    windows = _surprise(counts.together, counts.windows, words[i], words[j], 3.0)
    texts = _surprise(counts.texts, counts.number, words[i], words[j], 0.3)
    return float((windows + texts).mean() / 2)


def _surprise(met: Reals, number: float, one: Rows, other: Rows, doubt: float) -> Reals:
    """log((c + q) / (e + q)) of pairs: how much oftener than by chance two words meet."""
    alone = np.diag(met)
    chance = alone[one] * alone[other] / max(number, 1)
    return np.asarray(np.log((met[one, other] + doubt) / (chance + doubt)))


def _smoothed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quarter of each neighbour, half of the candidate itself."""
    return np.asarray(np.convolve(np.pad(scores, 1, mode="edge"), [0.25, 0.5, 0.25], "valid"))
