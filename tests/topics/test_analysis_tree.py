"""The tree of topics: its shares, its levels, and that it depends on nothing but the topics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from riparian.types import Matrix, Topic, TopicId, TopicModelId, TopicTerm
from topics.analysis import tree
from topics.analysis.tree import Node

WORDS = ("river flood dam", "river water rain", "bread oven dough", "bread flour yeast", "comet orbit moon")


def topic(number: int, share: float) -> Topic:
    words = WORDS[number % len(WORDS)].split()
    terms = tuple(TopicTerm(word, 0.3 / (place + 1)) for place, word in enumerate(words))
    label = f"{' '.join(words)} {number}"
    return Topic(TopicId(number + 1), TopicModelId(1), number, label, terms, share, 10 + number, 1, {}, ())


def five() -> tuple[list[Topic], Matrix]:
    centres = np.array([[1, 0.1, 0], [1, -0.1, 0], [0, 1, 0.1], [0, 1, -0.1], [0, 0.1, 1]], np.float32)
    return [topic(k, share) for k, share in enumerate((0.3, 0.1, 0.25, 0.2, 0.15))], centres


def numbers(node: Node) -> set[int]:
    return {topic.number for topic in node.topics()}


def test_near_topics_stand_together() -> None:
    found = tree.cut(tree.grow(*five()), 3)
    assert [numbers(node) for node in found] == [{2, 3}, {0, 1}, {4}]
    assert found[0].words[0] == "bread"
    assert found[1].words[0] == "river"


def test_shares_and_passages_are_sums_of_those_below() -> None:
    root = tree.grow(*five())
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children)
        assert node.share == pytest.approx(sum(topic.share for topic in node.topics()), abs=1e-12)
        assert node.passages == sum(topic.passages for topic in node.topics())
    assert root.share == pytest.approx(1, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_every_level_parts_the_level_above_it(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    topics = [topic(k, float(share)) for k, share in enumerate(rng.dirichlet(np.ones(count)))]
    root = tree.grow(topics, rng.normal(size=(count, 4)).astype(np.float32))
    above: list[set[int]] = [set(range(count))]
    for level in range(1, count + 1):
        found = [numbers(node) for node in tree.cut(root, level)]
        assert len(found) == level
        assert set().union(*found) == set(range(count))
        assert sum(len(part) for part in found) == count
        assert all(any(part <= larger for larger in above) for part in found)
        above = found


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)))
def test_the_order_of_the_topics_changes_nothing(order: list[int]) -> None:
    topics, centres = five()
    assert tree.grow([topics[k] for k in order], centres[order]) == tree.grow(topics, centres)


def test_one_topic_is_a_tree() -> None:
    root = tree.grow([topic(0, 1.0)], np.ones((1, 3), np.float32))
    assert (root.topic, root.children, tree.cut(root, 5)) == (topic(0, 1.0), (), [root])


def test_topics_without_words_still_have_a_tree() -> None:
    bare = [Topic(TopicId(k + 1), TopicModelId(1), k, f"topic {k}", (), 0.5, 1, 1, {}, ()) for k in range(2)]
    root = tree.grow(bare, np.eye(2, dtype=np.float32))
    assert numbers(root) == {0, 1}
    assert root.label == "topic 0"


def test_centres_are_the_unit_mean_vectors_by_weight() -> None:
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    found = tree.centres(csr_matrix(np.array([[0.75, 0.25], [0.25, 0.75]])), vectors)
    np.testing.assert_allclose(found, np.array([[3, 1], [1, 3]]) / np.sqrt(10), atol=1e-6)


def test_levels_end_with_the_topics_themselves() -> None:
    assert tree.levels(34) == [3, 6, 12, 24, 34]
    assert tree.levels(2) == [2]
