"""Which documents a search ranks, in which order, and which of them its facets count.

Counted are the documents that meet the filters and either match a word of the query or are among the `DEPTH` documents
of the whole collection that are nearest in meaning. Whether a document counts does not depend on the filters, so that
a facet's count is exactly what is left when its value becomes a filter.

Where a filter leaves few of those, further documents that meet it follow, by nearness, uncounted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riparian.types import Ids
from search.dense import Meaning
from search.fusion import DEPTH, Ranking, min_max, reciprocal_rank
from search.lexical import Words
from search.request import Fusion
from search.scene import Scene


@dataclass(frozen=True, slots=True)
class Ranked:
    """`ranking` holds what each retriever ranked, counted documents first; `counted` is ascending.

    `semantic` or `lexical` is None where that retriever was not asked. `weight` is the share of the semantic score,
    `depth` how many of each ranking share in the scale. `late` holds the first documents by what put them in
    order again (`rerank.py`), where something did.
    """

    ranking: Ranking
    counted: Ids
    semantic: Ranking | None
    lexical: Ranking | None
    weight: float
    depth: int
    late: Ranking | None = None
    fusion: Fusion = Fusion.MIN_MAX


def rank(
    scene: Scene,
    words: Words | None,
    meaning: Meaning | None,
    *,
    lexical: bool,
    weight: float,
    fusion: Fusion,
    reach: int,
    depth: int = DEPTH,
) -> Ranked:
    """Ranks at least `reach` documents where there are so many.

    Without `lexical` the words only constrain: what the query requires or excludes holds for the semantic side too.
    """
    near, nearest = _nearest(scene, words, meaning, depth) if meaning is not None else (None, _none())
    matching, matches = _matching(scene, words, max(depth, reach)) if words is not None and lexical else (None, _none())
    counted = np.union1d(nearest, matches)
    if near is not None and matching is not None:
        merged = _fused(near, matching, weight, fusion, depth)
    else:
        [merged] = [ranking for ranking in (near, matching) if ranking is not None] or [Ranking.empty()]
        weight = 0.0 if near is None else 1.0
    return Ranked(counted_first(merged, counted), counted, near, matching, weight, depth, fusion=fusion)


def reweighed(ranked: Ranked, weight: float, fusion: Fusion) -> Ranked:
    """The same with another share of the semantic score; as it is where one retriever alone ranked."""
    if ranked.semantic is None or ranked.lexical is None:
        return ranked
    merged = _fused(ranked.semantic, ranked.lexical, weight, fusion, ranked.depth)
    return replace(ranked, ranking=counted_first(merged, ranked.counted), weight=weight)


def _fused(near: Ranking, matching: Ranking, weight: float, fusion: Fusion, depth: int) -> Ranking:
    fuse = min_max if fusion is Fusion.MIN_MAX else reciprocal_rank
    return fuse([near, matching], [weight, 1 - weight], depth=depth)


def without(ranked: Ranked, apart: Ids) -> Ranked:
    """The same with these documents left out."""
    kept = ~np.isin(ranked.ranking.ids, apart)
    return replace(ranked, ranking=ranked.ranking.where(kept), counted=np.setdiff1d(ranked.counted, apart))


def put_last(ranked: Ranked, documents: Ids) -> Ranked:
    """The same with these documents at the end of those counted."""
    ranking = ranked.ranking
    late, counted = np.isin(ranking.ids, documents), np.isin(ranking.ids, ranked.counted)
    order = np.argsort(2 * ~counted + late, kind="stable")
    return replace(ranked, ranking=Ranking(ranking.ids[order], ranking.scores[order], ranking.floor))


def counted_first(ranking: Ranking, counted: Ids) -> Ranking:
    """Counted documents in their order, then those counted that were ranked by none, by id, then the others."""
    inside = np.isin(ranking.ids, counted)
    rest = np.setdiff1d(counted, ranking.ids)
    return Ranking(
        np.concatenate((ranking.ids[inside], rest, ranking.ids[~inside])),
        np.concatenate((ranking.scores[inside], np.zeros(len(rest)), ranking.scores[~inside])),
    )


def _nearest(scene: Scene, words: Words | None, meaning: Meaning, depth: int) -> tuple[Ranking, Ids]:
    """The nearest under the filters, and those of them that are among the nearest of the whole collection."""
    eligible = words.eligible(scene.layout) if words is not None else None
    everywhere = meaning.nearest(None if eligible is None else scene.layout.passages_of(eligible), depth=depth)
    if scene.documents is None:
        return everywhere, np.sort(everywhere.ids)
    under = meaning.nearest(scene.passages_among(eligible), depth=depth)
    return under, np.intersect1d(everywhere.ids, scene.documents)


def _matching(scene: Scene, words: Words, count: int) -> tuple[Ranking, Ids]:
    """Documents that match the words under the filters: the best of them ranked, and all."""
    ranking = words.ranking(count, scene.documents)
    matches = words.matches(scene.documents)
    # the lexical index may hold documents that were just removed
    return ranking.where(scene.layout.has(ranking.ids)), matches[scene.layout.has(matches)]


def _none() -> Ids:
    return np.empty(0, dtype=np.int64)
