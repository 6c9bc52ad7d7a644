"""A new fit meets the topics of before: whatever it found, what people settled stays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from riparian.catalog.curation import StoredTopic
from riparian.types import Matrix, PassageId, TopicId, TopicTerm
from topics import mixtures
from topics.base import BagOfWords, Fit
from topics.choose import Choice
from topics.corpus import Corpus
from topics.curation import edits
from topics.curation.edits import Curated, TopicState
from topics.curation.mixtures import Mixtures, base, derive
from topics.discover import Described, Discovery
from topics.memberships import picked
from topics.refit import guiding, matching
from topics.refit.matching import Side
from topics.refit.recognising import Refitted, recognise

PASSAGES = np.arange(1, 41)
WORDS = [f"w{i}" for i in range(30)]


def corpus() -> Corpus:
    rows = np.random.default_rng(0).standard_normal((len(PASSAGES), 5)).astype(np.float32)
    bag = BagOfWords((), csr_matrix((len(PASSAGES), 0)), np.zeros(0, np.int32), np.zeros(len(PASSAGES) + 1, np.int64))
    return Corpus(PASSAGES, rows, PASSAGES, PASSAGES, bag)


def curated(rng: np.random.Generator, topics: int) -> tuple[Curated, Mixtures]:
    """Topics with arbitrary pins, moved passages, locks and names, and what pages show of them."""
    theta = rng.dirichlet(np.full(topics, 0.3), len(PASSAGES)).astype(np.float32)
    owner = rng.integers(0, 3 * topics, len(PASSAGES))  # most passages are settled nowhere
    states = {
        TopicId(k + 1): TopicState(
            StoredTopic(
                TopicId(k + 1), k, f"label {k}", tuple(TopicTerm(str(w), 0.1) for w in rng.choice(WORDS, 10)),
                {"npmi": 0.1}, (PassageId(1),), named=bool(rng.integers(2)), pinned=bool(rng.integers(2)),
            ),
            pins=frozenset(PASSAGES[owner == k].tolist()),
            moved=frozenset(PASSAGES[owner == topics + k].tolist()),
        )
        for k in range(topics)
    }  # fmt: skip
    began = edits.begin({key: edits.start_data(state) for key, state in states.items()}, topics)
    mixed = base(PASSAGES, mixtures.kept(theta), {k: TopicId(k + 1) for k in range(topics)})
    return began, derive(mixed, began.steps, picked(PASSAGES, corpus().vectors))


def fitted(rng: np.random.Generator, topics: int) -> Discovery:
    """What a fit that knows nothing of before might find."""
    theta = rng.dirichlet(np.full(topics, 0.3), len(PASSAGES)).astype(np.float32)
    found = tuple(
        Described(k, f"found {k}", tuple(TopicTerm(str(w), 0.1) for w in rng.choice(WORDS, 10)), {"npmi": 0.2}, (0, 1))
        for k in range(topics)
    )
    return Discovery(Fit(Made(topics), theta, 1), Choice(topics), found, {"npmi": 0.2})


class Made:
    """A model of which only the number of topics counts here."""

    kind, encoder, vocabulary = "made-up", "f", ()

    def __init__(self, topics: int) -> None:
        self.topics = topics

    def beta(self) -> Matrix:
        return np.ones((self.topics, 1), np.float32)

    def infer(self, vectors: Matrix, counts: csr_matrix, *, encoder: str) -> Matrix:
        raise NotImplementedError

    def save(self, folder: object) -> None:
        raise NotImplementedError


def met(seed: int, before: int, after: int) -> tuple[Curated, Mapping[TopicId, frozenset[int]], Refitted]:
    rng = np.random.default_rng(seed)
    state, shown = curated(rng, before)
    guided = guiding.guided(state, shown, corpus())
    settled = dict(zip(guided.topics, guiding.settled(state, guided.topics, shown), strict=True))
    return state, settled, recognise(state, guided, shown, fitted(rng, after), corpus())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), before=st.integers(1, 6), after=st.integers(1, 8))
def test_settled_passages_keep_topic_and_label_whatever_the_fit_found(seed: int, before: int, after: int) -> None:
    state, settled, refitted = met(seed, before, after)
    carried = refitted.carried
    began = edits.begin({key: edits.start_data(value) for key, value in carried.topics.items()})
    mixed = base(PASSAGES, mixtures.kept(refitted.discovery.fit.theta), carried.parts)
    passages, main = derive(mixed, began.steps, picked(PASSAGES, corpus().vectors)).main()
    now = dict(zip(passages.tolist(), main.tolist(), strict=True))
    pinned = [(key, passage) for key, value in state.topics.items() for passage in value.pins]
    assert all(now[passage] == key for key, found in settled.items() for passage in found)
    assert all(key in carried.topics for key, _ in pinned)
    assert refitted.report.settled_kept == 1.0
    named = {key for key, value in state.topics.items() if (value.topic.named or value.pins) and key in carried.topics}
    assert all(carried.topics[key].topic.label == state.topics[key].topic.label for key in named)
    assert {key: carried.topics[key].pins for key in carried.topics if key > 0} == {
        key: state.topics[key].pins for key in carried.topics if key > 0
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), before=st.integers(1, 6), after=st.integers(1, 8))
def test_every_base_topic_belongs_to_one_topic_and_numbers_and_labels_are_the_topics_own(
    seed: int, before: int, after: int
) -> None:
    state, _, refitted = met(seed, before, after)
    carried, report = refitted.carried, refitted.report
    assert sorted(carried.parts) == list(range(after))
    assert set(carried.parts.values()) <= set(carried.topics)
    numbers = [value.topic.number for value in carried.topics.values()]
    assert len(set(numbers)) == len(numbers)
    assert set(state.active()) == {key for key in carried.topics if key > 0} | set(carried.vanished)
    assert len(report.kept) + len(report.new) == len(carried.topics)
    assert len(report.vanished) == len(carried.vanished)
    assert 0 <= report.moved <= 1


def test_the_same_topics_in_another_order_are_known_again() -> None:
    main = np.repeat([0, 1, 2, 3], 10)
    words = {k: WORDS[5 * k : 5 * k + 5] for k in range(4)}
    new_number = {0: 2, 1: 3, 2: 1, 3: 0}
    new = Side(
        PASSAGES,
        np.array([new_number[int(k)] for k in main]),
        {new_number[k]: found for k, found in words.items()},
    )
    old = Side(PASSAGES, main + 1, {k + 1: found for k, found in words.items()})
    found = matching.match(new, old, settled={}, merged=())
    assert found.parts == {2: 1, 3: 2, 1: 3, 0: 4}
    assert set(found.words.values()) == set(found.passages.values()) == {1.0}


def test_both_halves_of_a_merged_topic_belong_to_it_and_of_another_only_the_greater() -> None:
    old = Side(PASSAGES, np.where(PASSAGES <= 20, 1, 2), {1: WORDS[:10], 2: WORDS[10:20]})
    new_main = np.select([PASSAGES <= 12, PASSAGES <= 20, PASSAGES <= 33], [0, 1, 2], 3)
    new = Side(PASSAGES, new_main, {0: WORDS[:10], 1: WORDS[20:], 2: WORDS[10:20], 3: WORDS[20:]})
    found = matching.match(new, old, settled={}, merged=[TopicId(1)])
    assert found.parts == {0: 1, 1: 1, 2: 2}
    assert found.best == {1: 0, 2: 2}
    assert found.within == {3: 2}


def test_unlike_topics_are_not_taken_for_one_another() -> None:
    old = Side(PASSAGES[:20], np.ones(20, np.int64), {1: WORDS[:10]})
    new = Side(PASSAGES[20:], np.zeros(20, np.int64), {0: WORDS[10:20]})
    assert matching.match(new, old, settled={}, merged=()).parts == {}
    drawn = matching.match(new, old, settled={TopicId(1): [21, 22]}, merged=())
    assert drawn.parts == {0: 1}
    assert drawn.passages == {0: pytest.approx(0.0)}
