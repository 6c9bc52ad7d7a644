"""Fusion against the plainest version that says the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.fusion import Ranking, min_max, reciprocal_rank

Found = dict[int, float]
FOUND = st.dictionaries(st.integers(1, 25), st.integers(-20, 20).map(float), max_size=20)


def naive_order(found: Found) -> list[int]:
    return sorted(found, key=lambda i: (-found[i], i))


def naive_sum(values: list[Found], orders: list[list[int]], weights: list[float]) -> list[tuple[int, float]]:
    everyone = {i for order in orders for i in order}
    total = {i: sum(w * v.get(i, 0.0) for v, w in zip(values, weights, strict=True)) for i in everyone}
    best = {i: min(order.index(i) for order in orders if i in order) for i in everyone}
    return [(i, total[i]) for i in sorted(everyone, key=lambda i: (-total[i], best[i], i))]


def naive_min_max(found: list[Found], weights: list[float], depth: int) -> list[tuple[int, float]]:
    orders, values = [naive_order(f) for f in found], []
    for f, order in zip(found, orders, strict=True):
        top = [f[i] for i in order[:depth]]
        span = max(top) - min(top) if top else 0.0
        values.append({i: (f[i] - min(top)) / span if span else 1.0 for i in order[:depth]})
    return naive_sum(values, orders, weights)


def naive_reciprocal(found: list[Found], weights: list[float], depth: int) -> list[tuple[int, float]]:
    orders = [naive_order(f) for f in found]
    values = [{i: 1 / (60 + rank) for rank, i in enumerate(order[:depth], start=1)} for order in orders]
    return naive_sum(values, orders, weights)


def ranking(found: Found) -> Ranking:
    return Ranking.of(np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=np.float64))


@pytest.mark.parametrize(("fuse", "naive"), [(min_max, naive_min_max), (reciprocal_rank, naive_reciprocal)])
@given(found=st.lists(FOUND, min_size=1, max_size=3), depth=st.integers(1, 25), weight=st.sampled_from([0.25, 0.5, 1]))
def test_fusion_equals_the_naive_version(fuse, naive, found, depth, weight):
    weights = [weight, 1 - weight, 0.5][: len(found)]
    fused = fuse([ranking(f) for f in found], weights, depth=depth)
    expected = naive(found, weights, depth)
    assert fused.ids.tolist() == [i for i, _ in expected]
    assert fused.scores.tolist() == pytest.approx([score for _, score in expected])
