"""A tree over topics: near ones joined first, so that every level of it is a grouping of the ones below.

A topic's place = (its centre less the mean of all centres, its words by c-TF-IDF), each part scaled to unit length. The
centre is the mean vector of its passages, by weight. Joined by Ward's criterion (Ward 1963): the two groups whose union
adds least to the summed squared distances from the groups' means, so that no group grows by swallowing topics one by
one. A cut of the tree at any number of groups is one level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Matrix, Topic
from topics.clusters import class_tf_idf

Reals = NDArray[np.float64]

_WORDS = 4
_LEVELS = (3, 6, 12, 24, 48, 96)


@dataclass(frozen=True, slots=True)
class Node:
    """A topic (no `children`) or topics joined at `height`.

    `share`, `passages` are sums over the topics below, `words` what marks it against the rest of the collection.
    """

    label: str
    words: tuple[str, ...]
    share: float
    passages: int
    height: float
    topic: Topic | None = None
    children: tuple[Node, ...] = ()

    def topics(self) -> Iterator[Topic]:
        """The topics below, in the order of the tree."""
        if self.topic is not None:
            yield self.topic
        for child in self.children:
            yield from child.topics()


def grow(topics: Sequence[Topic], centres: Matrix) -> Node:
    """The tree of at least one topic; `centres` (K, E) are their unit mean vectors in the same order.

    The same topics give the same tree, whatever their order. Of two joined, the larger share comes first.
    """
    order = sorted(range(len(topics)), key=lambda number: topics[number].id)
    topics = [topics[number] for number in order]
    words, weights = _word_weights(topics)
    leaves = [_leaf(topic) for topic in topics]
    if len(topics) == 1:
        return leaves[0]
    nodes: list[Node] = list(leaves)
    members = [[number] for number in range(len(topics))]
    shares = np.array([topic.share for topic in topics])
    for one, other, height, _ in _linkage(features(centres[order], weights)):
        pair = sorted((int(one), int(other)), key=lambda node: (-nodes[node].share, nodes[node].label))
        below = [*members[pair[0]], *members[pair[1]]]
        nodes.append(_joined([nodes[node] for node in pair], _marking(words, weights, shares, below), float(height)))
        members.append(below)
    return nodes[-1]


def cut(root: Node, groups: int) -> list[Node]:
    """The tree at the level of so many groups (at most one a topic): the largest share first.

    The highest joints are undone first, so each level parts groups of the level above and moves nothing.
    """
    level = [root]
    while len(level) < groups:
        highest = max((node for node in level if node.children), key=lambda node: node.height, default=None)
        if highest is None:
            break
        level.remove(highest)
        level.extend(highest.children)
    return sorted(level, key=lambda node: (-node.share, node.label))


def levels(topics: int) -> list[int]:
    """Numbers of groups worth a look, ascending, the topics themselves last."""
    return [*(level for level in _LEVELS if level < topics), topics]


def features(centres: Matrix, weights: Reals) -> Reals:
    """(K, E + W): where topics lie, by meaning and by words."""
    wide = centres.astype(np.float64)
    return np.hstack([_unit(wide - wide.mean(axis=0)), _unit(weights)])


def centres(theta: csr_matrix, vectors: Matrix) -> Matrix:
    """(K, E) unit mean vectors of topics from passages' mixtures (N, K) and vectors (N, E)."""
    sums = np.asarray(theta.T @ vectors, dtype=np.float64)
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _linkage(places: Reals) -> Reals:
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(places, method="ward"))


def _unit(rows: Reals) -> Reals:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _word_weights(topics: Sequence[Topic]) -> tuple[list[str], Reals]:
    """The words listed by any topic, and their c-TF-IDF in each (K, W)."""
    words = sorted({term.term for topic in topics for term in topic.terms})
    place = {word: number for number, word in enumerate(words)}
    counts = np.zeros((len(topics), max(len(words), 1)), np.float32)
    for row, topic in enumerate(topics):
        for term in topic.terms:
            counts[row, place[term.term]] = term.weight
    return words, class_tf_idf(counts, 0.7).astype(np.float64)


def _marking(words: Sequence[str], weights: Reals, shares: Reals, below: Sequence[int]) -> tuple[str, ...]:
    """Words that the topics below hold more of than the others; those that several of them hold count more."""
    own = shares[below] @ weights[below] / max(float(shares[below].sum()), 1e-12)
    outside = np.setdiff1d(np.arange(len(weights)), below)
    rest = shares[outside] @ weights[outside] / max(float(shares[outside].sum()), 1e-12) if len(outside) else 0 * own
    held = (weights[below] > 0).sum(axis=0)
    score = own * np.log((own + 1e-12) / (rest + own.mean() + 1e-12)) * np.sqrt(held)
    order = np.argsort(-score, kind="stable")[: 2 * _WORDS]
    return tuple(words[word] for word in order if word < len(words) and own[word] > 0)


def _leaf(topic: Topic) -> Node:
    words = tuple(term.term for term in topic.terms[: 2 * _WORDS])
    return Node(topic.label, words, topic.share, topic.passages, 0.0, topic)


def _joined(children: Sequence[Node], words: tuple[str, ...], height: float) -> Node:
    return Node(
        label=" · ".join(words[:_WORDS]) or children[0].label,
        words=words,
        share=math.fsum(child.share for child in children),
        passages=sum(child.passages for child in children),
        height=height,
        children=tuple(children),
    )
