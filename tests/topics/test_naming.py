"""The words that name topics: those of the subject, kept from fit to fit, without regard to the order of texts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.topics.themes import THEMES, Themed, themed
from topics import bow, describe, naming
from topics.base import Guidance
from topics.cohering import word_meanings
from topics.discover import Discovery, discover


@pytest.fixture(scope="module")
def data() -> Themed:
    return themed(200)


def expected(data: Themed) -> np.ndarray:
    theta = np.eye(4, dtype=np.float32)[data.labels]
    return describe.expected_counts(theta, data.bag.counts)


def words(data: Themed, numbers: list[list[int]]) -> list[list[str]]:
    return [[data.bag.vocabulary[number] for number in topic] for topic in numbers]


def test_words_are_those_of_the_themes_with_vectors_and_without(data: Themed) -> None:
    for vectors in (None, data.vectors):
        found = words(data, naming.choose(data.bag, expected(data), vectors=vectors))
        assert [set(topic[:10]) for topic in found] == [set(theme) for theme in THEMES]


def test_words_that_named_a_topic_before_stay_where_others_are_hardly_better(data: Themed) -> None:
    settings = naming.NamingSettings(words=5)
    free = words(data, naming.choose(data.bag, expected(data), settings))
    spare = [[word for word in theme if word not in topic[:5]][:5] for theme, topic in zip(THEMES, free, strict=True)]
    kept = words(data, naming.choose(data.bag, expected(data), settings, known=dict(enumerate(spare))))
    assert sum(len(set(topic[:5]) & set(before)) for topic, before in zip(kept, spare, strict=True)) > 0
    dear = naming.NamingSettings(words=5, keep=10)
    kept = words(data, naming.choose(data.bag, expected(data), dear, known=dict(enumerate(spare))))
    assert [set(topic[:5]) for topic in kept] == [set(topic) for topic in spare]


def test_words_that_no_longer_fit_are_not_kept(data: Themed) -> None:
    strange = {0: ["violin", "orchestra", "unheard"]}
    found = words(data, naming.choose(data.bag, expected(data), known=strange))
    assert set(found[0][:10]) == set(THEMES[0])


def test_a_word_is_where_its_texts_are() -> None:
    data = themed(80)
    place = {word: number for number, word in enumerate(data.bag.vocabulary)}
    found = word_meanings(data.bag.counts, data.vectors)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    alike = found[place["river"]] @ found[place["flood"]]
    unlike = found[place["river"]] @ found[place["violin"]]
    assert alike > unlike + 0.5


def discovered(data: Themed, order: np.ndarray, guidance: Guidance | None = None) -> Discovery:
    return discover(
        "joint", data.vectors[order], data.bag.rows(order), order + 1000, encoder="fp", topics=4,
        guidance=guidance or Guidance(),
    )  # fmt: skip


def test_what_is_discovered_does_not_depend_on_the_order_of_passages(data: Themed) -> None:
    order = np.random.default_rng(4).permutation(200)
    one, other = discovered(data, np.arange(200)), discovered(data, order)
    assert other.fit.theta.tobytes() == one.fit.theta[order].tobytes()
    assert [t.terms for t in other.topics] == [t.terms for t in one.topics]
    assert [t.label for t in other.topics] == [t.label for t in one.topics]
    assert [[int(order[r]) for r in t.representatives] for t in other.topics] == [
        list(t.representatives) for t in one.topics
    ]


def test_the_proposed_number_does_not_depend_on_the_order_of_passages() -> None:
    data, order = themed(160), np.random.default_rng(5).permutation(160)
    plain = discover("joint", data.vectors, data.bag, np.arange(160), encoder="fp")
    mixed = discover("joint", data.vectors[order], data.bag.rows(order), order, encoder="fp")
    assert plain.choice == mixed.choice
    assert len(plain.choice.curve) > 3


def test_guidance_follows_its_rows(data: Themed) -> None:
    fixed = {0: 3, 1: 3, 2: 3}
    found = discovered(data, np.arange(200), guidance=Guidance(fixed=fixed))
    assert {row: int(found.fit.theta[row].argmax()) for row in fixed} == fixed


def test_in_short_texts_rarer_words_are_not_favoured() -> None:
    groups = np.repeat(np.arange(2), 60)
    rare = np.arange(120) % 6 == 0
    texts = [[f"often{g}", f"rare{g}" if is_rare else f"some{g}"] for g, is_rare in zip(groups, rare, strict=True)]
    settings = naming.NamingSettings(words=1, relevance=10)
    for length, exponent in ((2, 1.0), (20, 0.0)):
        bag = bow.build((" ".join(text * (length // 2)), ("en",)) for text in texts)
        found = describe.expected_counts(np.eye(2, dtype=np.float32)[groups], bag.counts)
        asked = dataclasses.replace(settings, exponent=0.0, short_exponent=exponent)
        named = words(Themed([], groups, np.zeros((120, 2), np.float32), bag), naming.choose(bag, found, asked))
        best = "often" if length == 2 else "rare"
        assert [topic[0] for topic in named] == [f"{best}0", f"{best}1"]
