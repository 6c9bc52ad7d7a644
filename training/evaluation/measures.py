"""How good a ranking is, against what is known to be relevant. Pure; the one place where these are computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

DEPTH = 10
"""How deep a ranking is looked at."""

NDCG, MRR, RECALL_1, RECALL_10 = "nDCG@10", "MRR@10", "recall@1", "recall@10"
MEASURES = (NDCG, MRR, RECALL_1, RECALL_10)


def measure(ranking: Sequence[int], gains: Mapping[int, float]) -> dict[str, float]:
    """Each of MEASURES for one question: `ranking` holds documents best first, `gains` the relevance of those that have
    one above 0. A question without any relevant document scores 0.

    nDCG@10 with linear gains and log2(rank + 1) (Järvelin and Kekäläinen 2002, as trec_eval); MRR@10 counts from the
    first relevant document; recall@k is the share of the relevant documents among the first k.
    """
    relevant = {document for document, gain in gains.items() if gain > 0}
    first = next((rank for rank, document in enumerate(ranking[:DEPTH], start=1) if document in relevant), None)
    return {
        NDCG: _ndcg(ranking, gains),
        MRR: 1 / first if first else 0.0,
        RECALL_1: recall(ranking[:1], relevant),
        RECALL_10: recall(ranking[:10], relevant),
    }


def _ndcg(ranking: Sequence[int], gains: Mapping[int, float]) -> float:
    best = sorted((gain for gain in gains.values() if gain > 0), reverse=True)
    ideal = _dcg(best)
    return _dcg([max(0.0, gains.get(document, 0.0)) for document in ranking]) / ideal if ideal else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:DEPTH], start=1))


def recall(ranking: Sequence[int], relevant: set[int]) -> float:
    """The share of the relevant documents that the ranking holds; 0 where there is none."""
    return len(relevant.intersection(ranking)) / len(relevant) if relevant else 0.0
