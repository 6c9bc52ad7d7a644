"""How a document got its place: what each retriever gave, scaled and weighted as the ranking did."""

from __future__ import annotations

import numpy as np

from riparian.types import DocumentId, ScorePart
from search.explain.records import Given, Placing
from search.fusion import DAMPING
from search.present import late_part, score_parts
from search.ranking import Ranked
from search.request import Fusion


def placing_of(document: DocumentId, ranked: Ranked, fusion: Fusion) -> Placing:
    """Sums to the ranking's own score, up to what re-ranking changed. `rank` counts before copies are collapsed."""
    rows = np.flatnonzero(ranked.ranking.ids == document)
    rank = int(rows[0]) + 1 if len(rows) else None
    score = float(ranked.ranking.scores[rows[0]]) if len(rows) else 0.0
    fused = ranked.semantic is not None and ranked.lexical is not None
    weights = {"semantic": ranked.weight, "lexical": 1.0 - ranked.weight}
    given = tuple(
        Given(part, weights[part.retriever], weights[part.retriever] * _value(part, ranked, fusion))
        if fused
        else Given(part, 1.0, part.raw)
        for part in score_parts(document, ranked)
    )
    late = next(iter(late_part(document, ranked)), None)
    return Placing(rank, score, given, score - sum(one.adds for one in given), late)


def _value(part: ScorePart, ranked: Ranked, fusion: Fusion) -> float:
    if fusion is Fusion.MIN_MAX:
        return part.scaled
    return 1.0 / (DAMPING + part.rank) if part.rank <= ranked.depth else 0.0
