"""Coherence and pair counts against the definitions, written out slowly."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from topics import bow, coherence, pairs

RNG = np.random.default_rng(5)
WORDS = "river flood bridge boat violin cello choir piano".split()
# no word twice in a text: for repeats gensim's sliding window differs from the definition
BAG = bow.count(((" ".join(RNG.permutation(WORDS)[: RNG.integers(2, 8)]), ("en",)) for _ in range(60)), sorted(WORDS))
LONG = bow.count(((" ".join(RNG.choice(WORDS, RNG.integers(1, 40))), ("en",)) for _ in range(30)), sorted(WORDS))


def windows(texts: list[list[str]], size: int) -> list[list[str]]:
    return [text[start : start + size] for text in texts for start in range(max(len(text) - size + 1, 1))]


def npmi(one: str, other: str, held: list[set[str]]) -> float:
    """log(p(a, b) / (p(a) p(b))) / -log p(a, b) over windows, 1e-12 added to p(a, b)."""

    def part(*words: str) -> float:
        return sum(set(words) <= window for window in held) / len(held)

    both = part(one, other) + 1e-12
    return float(np.log(both / (part(one) * part(other))) / -np.log(both))


TOPIC = ["river", "violin", "boat", "choir"]


def test_npmi_is_the_definition() -> None:
    held = [set(window) for window in windows(BAG.words(), 10)]
    values = [npmi(a, b, held) for a, b in combinations(TOPIC, 2)]
    np.testing.assert_allclose(coherence.score([TOPIC], BAG).npmi[0], np.mean(values), atol=1e-9)


def test_c_v_is_the_definition() -> None:
    """Röder et al. 2015: each word's vector of NPMI to all of the topic's words, itself included, against their sum;
    the mean cosine."""
    held = [set(window) for window in windows(BAG.words(), 110)]
    vectors = np.array([[npmi(a, b, held) for b in TOPIC] for a in TOPIC])
    total = vectors.sum(axis=0)
    cosines = vectors @ total / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(total))
    np.testing.assert_allclose(coherence.score([TOPIC], BAG).c_v[0], cosines.mean(), atol=1e-6)


def test_scores_are_those_of_gensim_used_directly() -> None:
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    texts, topics = LONG.words(), [TOPIC, ["flood", "cello", "piano"]]
    found = coherence.score(topics, LONG)
    for measure, mine in (("c_npmi", found.npmi), ("c_v", found.c_v)):
        model = CoherenceModel(topics=topics, texts=texts, dictionary=Dictionary(texts), coherence=measure, processes=1)
        assert list(mine) == model.get_coherence_per_topic()


def test_pair_counts_are_the_windows_counted_one_by_one() -> None:
    union = np.arange(len(LONG.vocabulary))
    counts = pairs.pair_counts(LONG, union)
    expected = np.zeros((len(union), len(union)))
    for window in windows(LONG.words(), pairs.WINDOW):
        numbers = [LONG.vocabulary.index(word) for word in window]
        for i, j in combinations(numbers, 2):
            if i != j:
                expected[i, j] += 1
                expected[j, i] += 1
        for i in numbers:
            expected[i, i] += 1
    np.testing.assert_array_equal(counts.together, expected)
    assert counts.windows == len(windows(LONG.words(), pairs.WINDOW))


def test_a_topic_of_one_word_has_no_coherence() -> None:
    found = coherence.score([["river"], ["violin", "cello"]], BAG)
    assert np.isnan(found.npmi[0])
    assert found.means()["npmi"] == found.npmi[1]


def test_counts_of_chosen_pairs_are_those_of_all_pairs() -> None:
    union = np.array([0, 2, 3, 5, 7])
    rows, columns = np.array([0, 0, 1, 2]), np.array([1, 4, 3, 4])
    chosen, every = pairs.meetings(LONG, union, rows, columns), pairs.pair_counts(LONG, union)
    np.testing.assert_array_equal(chosen.together, every.together[rows, columns])
    np.testing.assert_array_equal(chosen.both, every.texts[rows, columns])
    np.testing.assert_array_equal(chosen.alone, np.diag(every.together))
    np.testing.assert_array_equal(chosen.texts, np.diag(every.texts))
    assert (chosen.windows, chosen.number) == (every.windows, every.number)


def test_many_words_are_counted_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    union, rows, columns = np.arange(8), np.array([0, 1, 2, 2, 6]), np.array([3, 7, 4, 5, 7])
    few = pairs.meetings(LONG, union, rows, columns)
    monkeypatch.setattr(pairs, "_DENSE", 2)
    monkeypatch.setattr(pairs, "_WORDS_AT_ONCE", 3)
    many = pairs.meetings(LONG, union, rows, columns)
    np.testing.assert_array_equal(many.together, few.together)
    np.testing.assert_array_equal(many.both, few.both)
