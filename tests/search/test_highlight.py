"""The sentence that answers and the place it lies at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riparian.encoders.base import Progress
from riparian.encoders.hashing import HashingEncoder
from riparian.types import Anchor, DocumentId, Matrix, Passage, PassageId, Role, Span
from search.highlight import ClosestSentences, cut, fullest_sentence, place

TEXT = "The river rose. Bread was baked at noon! Who paid the invoice?"
PASSAGE = Passage(PassageId(1), DocumentId(1), 0, 100, 100 + len(TEXT), TEXT)


class Counting(HashingEncoder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        self.asked += texts
        return super().encode_passages(texts, role, progress)


def query(encoder: HashingEncoder, *texts: str) -> Matrix:
    return HashingEncoder.encode_passages(encoder, texts, "query")


def test_sentences_are_cut_in_code_points_of_the_document():
    sentences = cut(PASSAGE, "en").sentences
    assert sentences == (Span(100, 115), Span(116, 140), Span(141, 162))
    assert cut(PASSAGE, "en").text_of(sentences[1]) == "Bread was baked at noon!"


def test_the_closest_sentence_is_found():
    encoder, closest = Counting(), ClosestSentences()
    assert closest.of([cut(PASSAGE, "en")], encoder, query(encoder, "baking bread")) == [Span(116, 140)]
    assert closest.of([cut(PASSAGE, "en")], encoder, query(encoder, "an invoice")) == [Span(141, 162)]


def test_of_several_queries_the_nearest_decides():
    encoder = Counting()
    queries = query(encoder, "zzz", "who paid the invoice")
    assert ClosestSentences().of([cut(PASSAGE, "en")], encoder, queries) == [Span(141, 162)]


def test_a_passage_is_encoded_once():
    encoder, closest = Counting(), ClosestSentences()
    for text in ("river", "bread", "invoice"):
        closest.of([cut(PASSAGE, "en")], encoder, query(encoder, text))
    assert encoder.asked == ["The river rose.", "Bread was baked at noon!", "Who paid the invoice?"]


def test_a_lone_sentence_needs_no_encoder():
    encoder = Counting()
    lone = Passage(PassageId(2), DocumentId(1), 0, 0, 15, "The river rose.")
    assert ClosestSentences().of([cut(lone, "en")], encoder, query(encoder, "bread")) == [Span(0, 15)]
    assert encoder.asked == []


def test_what_the_encoder_does_not_know_has_no_closest_sentence():
    class Blank(Counting):
        def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
            return np.zeros((len(texts), 256), dtype=np.float32)

    assert ClosestSentences().of([cut(PASSAGE, "en")], Blank(), query(Counting(), "bread")) == [None]


def test_a_full_cache_forgets_the_oldest_and_answers_the_same():
    encoder, closest = Counting(), ClosestSentences(kept=1)
    passages = [Passage(PassageId(i), DocumentId(1), 0, 0, len(TEXT), TEXT) for i in (1, 2, 3)]
    found = closest.of([cut(one, "en") for one in passages], encoder, query(encoder, "bread"))
    assert found == [Span(16, 40)] * 3


def test_by_marks_the_sentence_with_most_different_words_wins():
    passage = Passage(PassageId(1), DocumentId(1), 0, 10, 60, "River river river. The river has a bank. A bank pays.")
    marks = [Span(10, 15), Span(16, 21), Span(22, 27), Span(33, 38), Span(45, 49), Span(53, 57)]
    found = fullest_sentence(cut(passage, "en"), marks)
    assert found == Span(29, 50)
    assert fullest_sentence(cut(passage, "en"), []) is None


@given(starts=st.lists(st.integers(0, 200), max_size=20), position=st.integers(0, 220))
def test_the_place_is_the_last_anchor_before_the_position(starts, position):
    anchors = [Anchor(start, "page", number) for number, start in enumerate(sorted(set(starts)), start=1)]
    found = place(anchors, position)
    before = [anchor for anchor in anchors if anchor.start <= position]
    assert found == (before[-1] if before else None)
