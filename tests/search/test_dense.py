"""Documents by their nearest passage, against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.types import Ids, Matrix
from riparian.vectors.flat import FlatIndex
from search.dense import Meaning, nearest_documents, spread
from search.layout import Layout

NONE = np.empty(0, dtype=np.int64)


def unit(seed: int, rows: int) -> Matrix:
    found = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def archive(seed: int, documents: int, most: int) -> tuple[FlatIndex, Layout]:
    """Documents 10, 20, … with 1 to `most` passages; passage ids are not in the order of the documents."""
    rng = np.random.default_rng(seed)
    owners = np.repeat(10 * np.arange(1, documents + 1), rng.integers(1, most + 1, documents))
    owners = rng.permutation(owners)
    passages = np.arange(5, 5 + 3 * len(owners), 3, dtype=np.int64)
    return FlatIndex(passages, unit(seed, len(owners))), Layout(passages, owners, NONE, NONE)


def naive(index: FlatIndex, layout: Layout, query: Matrix, allowed: Ids) -> list[int]:
    best: dict[int, float] = {}
    for passage, document, row in zip(layout.passages, layout.documents, index.matrix, strict=True):
        if passage in allowed:
            value = float(np.float32((row.astype(np.float64) * query.astype(np.float64)).sum()))
            best[int(document)] = max(value, best.get(int(document), -2.0))
    return sorted(best, key=lambda document: (-best[document], document))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1000), documents=st.integers(1, 40), most=st.integers(1, 12), depth=st.integers(1, 50),
    share=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
)  # fmt: skip
def test_the_nearest_documents_are_those_of_a_plain_loop(seed, documents, most, depth, share):
    index, layout = archive(seed, documents, most)
    query = unit(seed + 1, 1)[0]
    allowed = layout.passages[np.random.default_rng(seed).random(len(layout.passages)) < share]
    expected = naive(index, layout, query, allowed)[:depth]
    assert nearest_documents(index, layout, query, depth=depth, allowed=allowed).ids.tolist() == expected
    everything = nearest_documents(index, layout, query, depth=depth)
    assert everything.ids.tolist() == naive(index, layout, query, layout.passages)[:depth]


def test_a_removed_passage_brings_no_document():
    index, layout = archive(3, 4, 2)
    gone = Layout(layout.passages[1:], layout.documents[1:], NONE, NONE)
    found = nearest_documents(index, gone, index.matrix[0])
    assert -1 not in found.ids
    assert set(found.ids.tolist()) == set(gone.documents.tolist())


def test_several_vectors_share_the_score():
    index, layout = archive(5, 12, 4)
    queries = unit(6, 3)
    found = Meaning(index, layout, queries).nearest()
    for document, score in zip(found.ids, found.scores, strict=True):
        rows = index.matrix[layout.documents == document].astype(np.float64)
        assert abs(score - (rows @ queries.T.astype(np.float64)).max(axis=0).mean()) < 1e-9
    assert len(found) == 12


def test_a_meaning_of_nothing_finds_nothing():
    index, layout = archive(5, 3, 2)
    assert len(Meaning(index, layout, np.zeros((0, 8), dtype=np.float32)).nearest()) == 0


def test_nearness_is_the_largest_cosine_of_the_passages_that_have_a_vector():
    index, layout = archive(7, 3, 2)
    known = layout.passages[:2]
    found = Meaning(index, layout, index.matrix[:1]).nearness(np.append(known, 9999))
    assert set(found) == set(known.tolist())
    assert abs(found[int(known[0])] - 1) < 1e-6


@given(count=st.integers(0, 60), most=st.integers(2, 20))
def test_a_spread_keeps_the_ends(count, most):
    rows = list(range(count))
    found = spread(rows, most)
    assert found == sorted(set(found))
    assert len(found) == min(count, most)
    assert not rows or (found[0], found[-1]) == (0, count - 1)


@given(st.lists(st.integers(1, 6), max_size=30), st.lists(st.integers(0, 8), max_size=8, unique=True).map(sorted))
def test_passages_of_documents(owners, wanted):
    passages = np.arange(len(owners), dtype=np.int64)
    layout = Layout(passages, np.array(owners, dtype=np.int64), NONE, NONE)
    found = layout.passages_of(np.array(wanted, dtype=np.int64))
    assert found.tolist() == [p for p, owner in enumerate(owners) if owner in wanted]
