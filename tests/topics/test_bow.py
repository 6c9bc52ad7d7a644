from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.types import Ids, Matrix, TopicModelId
from topics import bow
from topics.bow import VocabularySettings, build, content_words, count
from topics.corpus import Corpus
from topics.curation.counted import Counted

EN = ("en",)
texts = st.lists(st.text(alphabet="abcde xyz'é水", max_size=30), max_size=12)


def test_stop_words_numbers_and_short_words_are_left_out() -> None:
    assert content_words("The 19th river rose by 3 m, and it didn't drown us.", EN) == ["river", "rose", "drown"]


def test_a_word_with_an_apostrophe_counts_as_its_main_part() -> None:
    assert content_words("America's rivers", EN) == ["america", "rivers"]
    assert content_words("l'eau profonde", ("fr",)) == ["eau", "profonde"]


def test_a_text_is_cleared_of_the_stop_words_of_all_its_languages() -> None:
    assert content_words("und the fluss", ("de", "en")) == ["fluss"]
    assert "the" in content_words("und the fluss", ("de",))


def test_words_that_carry_a_subject_are_not_stop_words() -> None:
    assert content_words("computer research world", EN) == ["computer", "research", "world"]


def test_the_bag_counts_words_and_keeps_their_order() -> None:
    bag = build([("river bridge river", EN), ("bridge boat", EN)])
    assert bag.vocabulary == ("boat", "bridge", "river")
    assert bag.counts.toarray().tolist() == [[0, 1, 2], [1, 1, 0]]
    assert bag.words() == [["river", "bridge", "river"], ["bridge", "boat"]]


def test_the_vocabulary_prefers_many_texts_then_the_alphabet_whatever_the_order_of_texts() -> None:
    texts = [("zebra", EN), ("common banana", EN), ("common", EN)]
    for order in (texts, texts[::-1]):
        assert build(order, VocabularySettings(size=2)).vocabulary == ("banana", "common")


def test_bounds_drop_rare_and_frequent_words() -> None:
    pairs = [("sea rare" if i == 0 else "sea island" if i < 3 else "sea", EN) for i in range(50)]
    assert build(pairs).vocabulary == ("island",)


def test_bounds_give_way_where_they_leave_nothing() -> None:
    assert build([("river", EN)] * 40).vocabulary == ("river",)


def test_no_content_word_gives_an_empty_vocabulary() -> None:
    bag = build([("the and of 12", EN)])
    assert (bag.vocabulary, bag.counts.shape, len(bag)) == ((), (1, 0), 1)


def test_words_are_remembered_as_they_are_written_most_often() -> None:
    bag = build([("Arafat met the PLO. Talks stalled", EN), ("arafat's talks", EN), ("Arafat, talks", EN)])
    assert dict(zip(bag.vocabulary, bag.written, strict=True)) == {
        "arafat": "Arafat",
        "met": "met",
        "plo": "PLO",
        "talks": "talks",
        "stalled": "stalled",
    }
    assert bag.rows(np.array([1])).written == bag.written


def test_a_word_that_is_only_met_as_a_part_is_written_folded() -> None:
    assert build([("America's", EN)]).written == ("america",)


def test_chosen_rows_keep_counts_and_tokens_together() -> None:
    bag = build([("river bridge", EN), ("boat", EN), ("bridge boat", EN)])
    some = bag.rows(np.array([2, 0]))
    assert some.words() == [["bridge", "boat"], ["river", "bridge"]]
    assert some.counts.toarray().tolist() == bag.counts.toarray()[[2, 0]].tolist()


@settings(max_examples=60, deadline=None)
@given(texts)
def test_counts_are_what_the_tokens_say(found: list[str]) -> None:
    bag = build((text, EN) for text in found)
    assert bag.counts.shape == (len(found), len(bag.vocabulary))
    for row, words in zip(bag.counts.toarray(), bag.words(), strict=True):
        assert row.tolist() == [words.count(word) for word in bag.vocabulary]


@settings(max_examples=40, deadline=None)
@given(texts)
def test_counting_over_the_same_vocabulary_gives_the_same_bag(found: list[str]) -> None:
    bag = build((text, EN) for text in found)
    again = count(((text, EN) for text in found), bag.vocabulary)
    assert (bag.counts != again.counts).nnz == 0
    assert bag.words() == again.words()


def test_bounds_grow_with_the_collection() -> None:
    assert [bow.VocabularySettings().bounds(n) for n in (10, 100, 1000)] == [(1, 10), (2, 50), (3, 500)]


def test_counted_passages_are_read_once_and_joined_as_if_all_were_read_together() -> None:
    passages = {7: "ships sail", 9: "sail the river river", 12: "nothing here", 15: "river ships"}
    vocabulary = ("river", "sail", "ships")
    asked: list[list[int]] = []

    def read(ids: Ids, vectors: Matrix) -> Corpus:
        asked.append(ids.tolist())
        there = np.array([i for i in ids.tolist() if i in passages], np.int64)
        bag = bow.count(((passages[i], ("en",)) for i in there.tolist()), vocabulary)
        return Corpus(there, vectors[np.isin(ids, there)], there * 2, there * 3, bag)

    counted = Counted()

    def of(*ids: int) -> Corpus:
        wanted = np.array(ids, np.int64)
        return counted.corpus(TopicModelId(1), vocabulary, wanted, np.eye(len(ids), dtype=np.float32), read)

    of(7, 9)
    found = of(7, 8, 12, 15)
    assert asked == [[7, 9], [8, 12, 15]]  # 8 is gone
    assert found.passages.tolist() == [7, 12, 15]
    assert found.vectors.argmax(axis=1).tolist() == [0, 2, 3]
    assert (found.documents.tolist(), found.lengths.tolist()) == ([14, 24, 30], [21, 36, 45])
    whole = bow.count(((passages[i], ("en",)) for i in (7, 12, 15)), vocabulary)
    assert found.bag.words() == whole.words()
    assert found.bag.counts.toarray().tolist() == whole.counts.toarray().tolist()
