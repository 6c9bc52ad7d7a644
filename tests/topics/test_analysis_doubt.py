"""Doubt, the border between topics, and the stretches of a document."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.types import Membership, PassageId, Span, TopicId
from tests.topics.analysed import mixtures
from topics.analysis import doubt


def mixture(*weights: float) -> list[Membership]:
    return [Membership(TopicId(k + 1), weight) for k, weight in enumerate(weights) if weight]


def test_doubt_goes_from_none_to_all() -> None:
    assert doubt.doubt(mixture(1.0), 4) == doubt.Doubt(1.0, 0.0)
    even = doubt.doubt(mixture(0.25, 0.25, 0.25, 0.25), 4)
    assert even.margin == 0.0
    assert even.entropy == pytest.approx(1.0)
    assert doubt.doubt(mixture(0.7, 0.3), 4).margin == pytest.approx(0.4)


def test_borderline_passages_are_the_topics_own_with_the_smallest_margins() -> None:
    found = mixtures(np.array([[0.9, 0.1, 0], [0.52, 0, 0.48], [0.45, 0.55, 0], [0.6, 0.4, 0], [1, 0, 0]]))
    near = doubt.borderline(found, TopicId(1), 3)
    assert [(one.passage_id, one.other) for one in near] == [(2, 3), (4, 2), (1, 2)]
    assert [one.margin for one in near] == pytest.approx([0.04, 0.2, 0.8])


def test_mean_doubt_is_weighted_by_how_much_of_a_passage_the_topic_is() -> None:
    found = mixtures(np.array([[1.0, 0, 0], [0.5, 0.5, 0]]))
    half = np.log(2) / np.log(3)
    assert doubt.mean_doubt(found) == pytest.approx({1: 0.5 * half / 1.5, 2: half, 3: 1.0})


def test_neighbouring_passages_of_one_topic_are_one_stretch_and_no_two_overlap() -> None:
    places = [(PassageId(k), span) for k, span in enumerate([Span(0, 100), Span(80, 180), Span(170, 300)])]
    found = doubt.stretches(places, [mixture(0.9, 0.1), mixture(0.7, 0.3), mixture(0.2, 0.8)], 2)
    assert [(one.span, one.topic_id, one.passages) for one in found] == [
        (Span(0, 170), 1, (0, 1)),
        (Span(170, 300), 2, (2,)),
    ]
    assert found[0].weight == pytest.approx((80 * 0.9 + 90 * 0.7) / 170)
    assert found[1].doubt.margin == pytest.approx(0.6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2)), min_size=1, max_size=20))
def test_stretches_of_a_text_that_its_passages_cover_cover_it(pieces: list[tuple[int, int]]) -> None:
    places, mixed, start = [], [], 0
    for number, (length, main) in enumerate(pieces):
        places.append((PassageId(number), Span(start, start + length + 1)))
        mixed.append(mixture(*(0.8 if k == main else 0.1 for k in range(3))))
        start += length
    found = doubt.stretches(places, mixed, 3)
    assert found[0].span.start == 0
    assert found[-1].span.end == start + 1
    assert [a.span.end for a in found[:-1]] == [b.span.start for b in found[1:]]
    assert all(a.topic_id != b.topic_id for a, b in pairwise(found))
    assert [p for one in found for p in one.passages] == list(range(len(pieces)))


def test_a_document_without_topics_has_no_stretches() -> None:
    assert doubt.stretches([], [], 3) == []
