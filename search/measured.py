"""What the hits of a search mean where that was measured: their relevance, and whether one of them is close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.errors import NotIndexedYet
from riparian.types import Hit, Ids, RelevanceBasis
from search.lexical import Words
from search.ranking import Ranked, without
from search.relevance import JUDGMENTS, LABEL_FREE, Curve, Scores, scores_of
from search.request import Rerank
from search.scene import Scene

FIRST = 10
"""Hits of which one must be close."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`curve` says what is close; relevance is `fitted`'s where there are judgments that it was fitted to."""

    curve: Curve
    basis: RelevanceBasis
    fitted: Curve | None = None

    def relevance(self, scores: Mapping[str, Scores]) -> Scores:
        curve = self.fitted or self.curve
        return curve.relevance(curve.spreads_above(scores))

    def is_close(self, scores: Mapping[str, Scores]) -> bool:
        return bool(self.curve.spreads_above(scores).max() > self.curve.threshold)


def measured(catalog: Catalog, scene: Scene) -> Measured | None:
    """None where it was never measured with the collection's encoder."""
    if scene.encoder is None:
        return None
    found = catalog.calibrations.get(scene.collection.id, scene.encoder.id)
    if (free := found.get(LABEL_FREE)) is None:
        return None
    if (judged := found.get(JUDGMENTS)) is None:
        return Measured(Curve(**free.curve), RelevanceBasis(LABEL_FREE, free.passages))
    return Measured(Curve(**free.curve), _basis(judged.passages, judged.curve), Curve(**judged.curve["curve"]))


def _basis(passages: int, told: Mapping[str, Any]) -> RelevanceBasis:
    error = told["error"]
    interval = (error["mean"], error["low"], error["high"])
    return RelevanceBasis(JUDGMENTS, passages, told["queries"], told["hits"], told["accepted"], interval)


def cut(ranked: Ranked, kind: Rerank, words: Words | None, known: Measured | None, least: float) -> Ranked:
    """Without the documents of less relevance. NotIndexedYet where relevance was never measured."""
    if known is None or words is None:
        raise NotIndexedYet("relevance was not measured in this collection; run `riparian calibrate` first")
    ids = ranked.ranking.ids
    return without(ranked, ids[known.relevance(scores_of(_own(ranked, kind), words, ids)) < least])


def with_relevance(
    hits: tuple[Hit, ...], ranked: Ranked, kind: Rerank, words: Words | None, known: Measured | None
) -> tuple[tuple[Hit, ...], bool | None]:
    """The hits with their relevance, and whether one of the first of the ranking is close; None where nobody knows."""
    if known is None or words is None or not len(ranked.ranking):
        return hits, None
    own = _own(ranked, kind)
    shown: Ids = np.array([hit.document.id for hit in hits], dtype=np.int64)
    values = known.relevance(scores_of(own, words, shown)).tolist()
    told = tuple(replace(hit, relevance=value) for hit, value in zip(hits, values, strict=True))
    return told, known.is_close(scores_of(own, words, ranked.ranking.ids[:FIRST]))


def _own(ranked: Ranked, kind: Rerank) -> Ranked:
    """What relevance is told of: a cross-encoder's scores are none of those that the curve was measured on."""
    return replace(ranked, late=None) if kind is Rerank.CROSS_ENCODER else ranked
