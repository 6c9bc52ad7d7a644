from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.topics.themes import THEMES, themed
from topics import bow, choose, coherence, describe, discover, mixtures, naming, phrases

WEIGHTS = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(2**-10, 1, width=32)
)


@settings(max_examples=60, deadline=None)
@given(WEIGHTS)
def test_kept_mixtures_sum_to_one_and_hold_the_largest_weight(theta: np.ndarray) -> None:
    theta = theta / theta.sum(axis=1, keepdims=True)
    kept = mixtures.kept(theta)
    np.testing.assert_allclose(np.asarray(kept.sum(axis=1)).ravel(), 1, atol=1e-12)
    assert np.diff(kept.indptr).max() <= mixtures.MOST
    assert np.array_equal(kept.toarray().argmax(axis=1), theta.argmax(axis=1))


@settings(max_examples=60, deadline=None)
@given(WEIGHTS, st.integers(0, 99))
def test_a_document_is_the_mean_of_its_passages_by_length(theta: np.ndarray, seed: int) -> None:
    kept = mixtures.kept(theta / theta.sum(axis=1, keepdims=True))
    rng = np.random.default_rng(seed)
    documents, lengths = rng.integers(1, 4, len(theta)), rng.integers(0, 900, len(theta))
    ids, means = mixtures.of_documents(kept, documents, lengths)
    for document, mean in zip(ids, means.toarray(), strict=True):
        mine = documents == document
        expected = np.average(kept.toarray()[mine], axis=0, weights=np.maximum(lengths[mine], 1))
        np.testing.assert_allclose(mean, expected, atol=1e-12)


def test_labels_are_distinct_and_hold_no_two_forms_of_one_word() -> None:
    words = [["car", "cars", "engine", "road"], ["car", "engine", "road"], []]
    assert describe.labels(words, [0, 1, 2]) == ["car · engine · road", "topic 2", "topic 3"]
    more = [["car", "engine", "road"], ["car", "engine", "road", "wheel"]]
    assert describe.labels(more, [0, 1]) == ["car · engine · road", "wheel · car · engine"]


def test_labels_are_written_as_the_texts_write_them() -> None:
    bag = bow.build([("Arafat left.", ("en",)), ("PLO and Arafat: talks failed", ("en",))])
    assert describe.labels([["arafat", "plo", "talks"]], [0], lambda words: phrases.label(words, bag)) == [
        "Arafat · PLO · talks"
    ]


def test_labels_of_the_same_words_in_another_order_are_not_two_labels() -> None:
    assert describe.labels([["car", "road"], ["road", "car"], ["road", "car", "toll"]], [0, 1, 2]) == [
        *("car · road", "topic 2", "toll · road · car")
    ]


def test_words_that_follow_each_other_are_a_phrase() -> None:
    texts = ["Osama bin Laden fled Afghanistan", "Laden", "bin Laden near Afghanistan", "where bin Laden hid", "a bin"]
    bag = bow.build((text, ("en",)) for text in texts)
    assert phrases.label(["laden", "bin", "afghanistan"], bag) == "bin Laden · Afghanistan"
    assert phrases.label(["afghanistan", "laden", "bin"], bag) == "Afghanistan · bin Laden"
    assert phrases.label(["laden"], bag) == "Laden"


def test_three_words_may_be_one_phrase_and_texts_do_not_run_into_each_other() -> None:
    bag = bow.build((text, ("en",)) for text in ["red river valley"] * 3)
    assert phrases.label(["valley", "river", "red"], bag) == "red river valley"
    assert phrases.label(["red", "valley"], bag) == "red · valley"  # "valley | red" is an end and a beginning


def test_forms_of_a_word_share_a_stem() -> None:
    assert describe.same_stem("israel", "israeli")
    assert describe.same_stem("exist", "existence")
    assert not describe.same_stem("car", "care")
    assert not describe.same_stem("form", "formal")


def test_representatives_are_of_the_topic_and_not_copies_of_each_other() -> None:
    vectors = np.array([[1, 0], [1, 0], [0.8, 0.6], [0, 1]], np.float32)
    theta = np.array([[0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.1, 0.9]], np.float32)
    assert describe.representatives(theta, vectors, 0, count=2) == [0, 2]


def test_terms_carry_the_words_share_of_the_topic() -> None:
    found = describe.terms([1, 0], np.array([1, 3], np.float32), ["boat", "river"])
    assert [(term.term, term.weight) for term in found] == [("river", 0.75), ("boat", 0.25)]


def test_the_words_of_a_theme_name_it_and_filler_does_not() -> None:
    world = themed(200)
    theta = np.eye(4, dtype=np.float32)[world.labels]
    chosen = naming.choose(world.bag, describe.expected_counts(theta, world.bag.counts))
    for theme, words in zip(THEMES, chosen, strict=True):
        assert {world.bag.vocabulary[word] for word in words[:10]} == set(theme)


def test_the_order_of_texts_does_not_change_the_words() -> None:
    world = themed(200)
    order = np.random.default_rng(1).permutation(200)
    theta = np.eye(4, dtype=np.float32)[world.labels]
    counts = world.bag.counts
    assert naming.choose(world.bag, describe.expected_counts(theta, counts)) == naming.choose(
        world.bag.rows(order), describe.expected_counts(theta[order], counts[order])
    )


def test_diversity_counts_distinct_words() -> None:
    assert coherence.diversity([["a", "b"], ["b", "c"]]) == 0.75
    assert coherence.diversity([]) == 1.0


def test_the_number_of_topics_is_bounded_by_the_passages() -> None:
    assert choose.candidates(1, 1) == [1]
    assert choose.candidates(20, 20) == [4]
    assert choose.candidates(200, 3) == [3]
    assert (choose.candidates(100_000, 60)[0], choose.candidates(100_000, 60)[-1]) == (8, 60)


def test_the_choice_is_the_same_each_time() -> None:
    world = themed(160)
    documents = np.arange(160)
    one = choose.choose(world.vectors, world.bag, documents)
    assert one == choose.choose(world.vectors, world.bag, documents)
    assert 8 <= one.topics <= 20


def test_a_discovery_is_the_same_each_time_and_coheres() -> None:
    world = themed(80)
    one, other = (
        discover.discover("combined", world.vectors, world.bag, np.arange(80), encoder="fp", topics=4) for _ in range(2)
    )
    assert one.topics == other.topics
    assert one.scores["npmi"] > 0
    assert one.scores["diversity"] > 0.8
