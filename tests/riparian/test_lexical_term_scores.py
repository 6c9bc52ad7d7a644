"""The parts of a BM25 score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.lexical.index import LexicalIndex
from tests.riparian.test_lexical_index import DOCUMENTS, fill

WORDS = [
    "bank", "banks", "river", "flood*", "storm~1", '"bank of the river"', "-money", "+bank", "title:Money",
    "CVE-2021-44228", "the", "question", "(bank AND river)", "OR", "AND", "bank^2", "2021", "C++",
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return fill(LexicalIndex.open(tmp_path_factory.mktemp("lexical") / "1"))


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_the_parts_sum_to_the_score_that_a_document_is_ranked_by(index: LexicalIndex, words: list[str]) -> None:
    query = " ".join([*words, "bank"])
    ranked = index.search_documents(query, len(DOCUMENTS))
    parts = index.term_scores(query, ranked.ids)
    sums = [sum(part.scores.get(document, 0.0) for part in parts) for document in ranked.ids.tolist()]
    np.testing.assert_allclose(sums, ranked.scores, rtol=1e-5)


def test_what_is_only_not_excluded_scores_alike(index: LexicalIndex) -> None:
    ranked = index.search_documents("-money", 3)
    [part] = index.term_scores("-money", ranked.ids)
    assert [part.scores[document] for document in ranked.ids.tolist()] == ranked.scores.tolist() == [1.0, 1.0, 1.0]


def test_each_part_names_the_words_it_comes_from(index: LexicalIndex) -> None:
    found = index.term_scores("the floods of a bank", np.array([1, 2]))
    assert [(part.term, part.words) for part in found if part.scores] == [("flood", ("floods",)), ("bank", ("bank",))]
    assert set(found[-1].scores) == {1, 2}


def test_stop_words_alone_are_a_part_of_their_own(index: LexicalIndex) -> None:
    [part] = index.term_scores("to be or not to be", np.array([6]))
    assert part.scores[6] == pytest.approx(float(index.search_documents("to be or not to be", 1).scores[0]))


def test_a_document_outside_of_those_asked_for_gets_nothing(index: LexicalIndex, tmp_path: Path) -> None:
    [part] = index.term_scores("bank", np.array([2], dtype=np.int64))
    assert list(part.scores) == [2]
