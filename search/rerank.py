"""The best hits put in order once more, by what is too dear to ask of every document.

Of the first `FIRST` counted documents, the fused score and how well each word is met (`late.py`) are scaled to 0..1
among these documents and summed by fixed shares; then that sum, and how near a document is to those that it puts first.
The second step hears what the first one found: on its own it would keep up what the words of the query do not bear out.
Before both, meaning counts for less where it tells hardly anything apart (`weighed`).

Which documents these are does not change, nor what comes after them: facets, totals and recall stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids
from riparian.vectors.base import VectorIndex
from search.dense import Meaning
from search.fusion import Ranking, scale_of, scaled
from search.late import nearest_of
from search.ranking import Ranked
from search.request import Fusion
from search.scene import Scene
from search.stored_sentences import Stored

FIRST = 100
"""Documents that are put in order again."""

PASSAGES = 3
"""Of a document, so many passages are compared, the nearest ones: a long document is met by the best of them."""

LATE, ECHO = 0.4, 0.4
"""Shares of late interaction beside the fused score, and of nearness to what was found first beside the sum of both."""

HEARD = 10
"""Documents that stand for what was found first, weighted by a softmax of their fused scores."""

TEMPERATURE = 0.1

PAIRS = 0.5
"""Share of a cross-encoder beside all that was before it: how well the one that people bring suits is not known."""

SPREADS, SAMPLE = 3.0, 256
"""What the nearest documents differ by counts as at least so many standard deviations of the cosine between passages of
the collection, told by so many of them."""

Scores = NDArray[np.float64]


def first_counted(ranked: Ranked, count: int = FIRST) -> Ids:
    """The documents that are put in order again, as they stand."""
    ids = ranked.ranking.ids[: min(count, len(ranked.counted))]
    return ids[np.isin(ids, ranked.counted)]


def met(scene: Scene, documents: Ids, meaning: Meaning, stored: Stored) -> dict[int, float]:
    """How well each document meets the words of the query; documents whose passages have no states are left out."""
    passages = scene.passages_among(np.sort(documents))
    assert passages is not None
    owners = scene.layout.documents_of(passages)
    chosen = nearest_of(passages, owners, meaning.nearness(passages), PASSAGES)
    owner = dict(zip(passages.tolist(), owners.tolist(), strict=True))
    best: dict[int, float] = {}
    for passage, score in stored.wanted.scores(stored.states.of(chosen)).items():
        best[owner[passage]] = max(score, best.get(owner[passage], -1.0))
    return best


def echoed(scene: Scene, ranked: Ranked, documents: Ids, meaning: Meaning) -> dict[int, float]:
    """How near each document is to what was found first: the largest cosine of its passages with the mean vector of the
    first `HEARD`, by softmax of their scaled scores. Documents without a vector are left out.

    Relevant documents are like each other (van Rijsbergen's cluster hypothesis): one that is like the best ones gains.
    """
    passages = scene.passages_among(np.sort(documents))
    assert passages is not None
    view = meaning.view
    embedded = passages[np.isin(passages, view.ids)]
    owners, vectors = scene.layout.documents_of(embedded), view.vectors(embedded).astype(np.float64)
    near = np.isin(documents[:HEARD], owners)
    if not near.any():
        return {}
    weights = _softmax(_scaled(ranked.ranking.scores[: len(documents)])[:HEARD][near] / TEMPERATURE)
    means = np.stack([_unit(vectors[owners == one].sum(axis=0)) for one in documents[:HEARD][near].tolist()])
    cosines = (vectors * _unit(weights @ means)).sum(axis=1)
    best: dict[int, float] = {}
    for owner, cosine in zip(owners.tolist(), cosines.tolist(), strict=True):
        best[owner] = max(cosine, best.get(owner, -1.0))
    return best


def weighed(ranked: Ranked, documents: Ids, view: VectorIndex) -> Ranked:
    """In the order of the fused scores, meaning scaled by what passages of the collection differ by at least.

    Min-max scaling stretches any list of cosines to 0..1, also those of a question that nothing is nearer to than
    passages are to each other by chance. Untouched where one side alone ranked, or ranks were fused and not scores.
    """
    if ranked.semantic is None or ranked.lexical is None or ranked.fusion is not Fusion.MIN_MAX:
        return ranked
    low, high = scale_of(ranked.semantic, depth=ranked.depth)
    least = SPREADS * spread_between(view)
    if high - low >= least:
        return ranked
    lost = ranked.weight * (1 - (high - low) / least)
    near = dict(zip(ranked.semantic.ids.tolist(), scaled(ranked.semantic, depth=ranked.depth).tolist(), strict=True))
    scores = zip(documents.tolist(), ranked.ranking.scores.tolist(), strict=False)
    return reordered(ranked, documents, 1.0, {one: score - lost * near.get(one, 0.0) for one, score in scores})


def spread_between(view: VectorIndex) -> float:
    """The standard deviation of the cosines between passages, of at most `SAMPLE` evenly spaced ones; 0 for fewer than
    two."""
    count = min(SAMPLE, len(view.ids))
    if count < 2:
        return 0.0
    rows = view.vectors(view.ids[np.linspace(0, len(view.ids) - 1, count).round().astype(np.int64)])
    return float((rows @ rows.T)[np.triu_indices(count, 1)].astype(np.float64).std())


def by_words(ranked: Ranked, documents: Ids, met: Mapping[int, float]) -> Ranked:
    """In the order that late interaction gives with its share; `late` tells what it said of each."""
    return _told(reordered(ranked, documents, LATE, met), documents, met)


def by_pairs(ranked: Ranked, documents: Ids, scores: Mapping[int, float]) -> Ranked:
    """In the order that a cross-encoder gives with its share; `late` tells what it said of each."""
    return _told(reordered(ranked, documents, PAIRS, scores), documents, scores)


def by_echo(scene: Scene, ranked: Ranked, documents: Ids, meaning: Meaning) -> Ranked:
    """In the order that nearness to the first of them gives with its share."""
    return reordered(ranked, documents, ECHO, echoed(scene, ranked, documents, meaning))


def reordered(ranked: Ranked, documents: Ids, share: float, scores: Mapping[int, float]) -> Ranked:
    """The first documents, `documents` in their order, by `share` of these scores and the rest of those that they have.

    Their new scores lie where the old ones lay, so that they fall along the whole ranking. A document that has none of
    these scores gets the least of them.
    """
    count = len(documents)
    if count < 2 or not scores:
        return ranked
    old = ranked.ranking.scores[:count]
    total = (1 - share) * _scaled(old) + share * _scaled(_column(documents, scores))
    order = np.lexsort((np.arange(count), -np.round(total, 12)))
    low, high = float(old.min()), float(old.max())
    moved = np.concatenate((low + (high - low) * total[order], ranked.ranking.scores[count:]))
    ids = np.concatenate((documents[order], ranked.ranking.ids[count:]))
    return replace(ranked, ranking=Ranking(ids, moved, ranked.ranking.floor))


def _told(ranked: Ranked, documents: Ids, scores: Mapping[int, float]) -> Ranked:
    return replace(ranked, late=Ranking.of(documents, _column(documents, scores))) if scores else ranked


def _column(documents: Ids, scores: Mapping[int, float]) -> Scores:
    least = min(scores.values())
    return np.array([scores.get(document, least) for document in documents.tolist()], dtype=np.float64)


def _scaled(values: Scores) -> Scores:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros(len(values), dtype=np.float64)


def _softmax(values: Scores) -> Scores:
    grown = np.exp(values - values.max())
    return np.asarray(grown / grown.sum(), dtype=np.float64)


def _unit(row: Scores) -> Scores:
    length = float(np.linalg.norm(row))
    return row / length if length > 0 else row
