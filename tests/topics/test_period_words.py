"""Words of topics in periods, and the counts that they are worked out from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from riparian.types import Ids
from tests.topics.conftest import World
from topics import bow, stored_counts
from topics.analysis.period_words import FEWEST, PRIOR, words_of_periods
from topics.base import BagOfWords

EN = ("en",)


def test_a_period_shows_the_words_that_it_has_more_of_drawn_towards_the_topics_own() -> None:
    early, late = "river flood river flood bank", "river drought river drought bank"
    other = "money rates money lender bank"
    texts = [early] * 40 + [late] * 40 + [other] * 40 + ["river flood"]
    bag = bow.build(((text, EN) for text in texts), bow.VocabularySettings(max_share=1.0))
    theta = csr_matrix(np.array([[1.0, 0.0]] * 80 + [[0.0, 1.0]] * 40 + [[1.0, 0.0]]))
    periods = np.array([0] * 40 + [1] * 40 + [0] * 20 + [1] * 20 + [2])
    water, money = words_of_periods(theta, bag, periods, 3)
    first, second, third = ([one.word for one in words] for words in water)
    assert first.index("flood") < first.index("river") < first.index("bank")
    assert "drought" not in first
    assert second[0] == "drought"
    assert "flood" not in second
    assert third == []  # two words are fewer than what tells anything
    assert FEWEST > 2
    [flood] = [one for one in water[0] if one.word == "flood"]
    usual = 81 / (5 * 80 + 2)
    assert flood.share == pytest.approx((80 + PRIOR * usual) / (200 + PRIOR))
    assert flood.times == pytest.approx(flood.share / usual)
    assert [one.word for one in money[0]] == [one.word for one in money[1]]
    assert all(one.times == pytest.approx(1) for one in money[0])


def test_a_word_that_is_at_home_everywhere_marks_no_period() -> None:
    texts = ["common ship"] * 30 + ["common tax"] * 30
    bag = bow.build(((text, EN) for text in texts), bow.VocabularySettings(max_share=1.0))
    theta = csr_matrix(np.repeat(np.eye(2), 30, axis=0))
    ships, taxes = words_of_periods(theta, bag, np.zeros(60, np.int64), 1)
    assert [one.word for one in ships[0]] == ["ship", "common"]
    assert [one.word for one in taxes[0]] == ["tax", "common"]


def test_counts_are_kept_beside_the_model_and_only_what_is_new_is_counted(tmp_path: Path) -> None:
    texts = {3: "ships sail", 5: "the river", 8: "river ships sail"}
    vocabulary = ["river", "sail", "ships"]
    (tmp_path / "model.json").write_text(json.dumps({"vocabulary": vocabulary}), encoding="utf-8")
    asked: list[list[int]] = []

    def count(ids: Ids, words: Sequence[str]) -> tuple[Ids, BagOfWords]:
        asked.append(ids.tolist())
        there = [i for i in ids.tolist() if i in texts]
        return np.array(there, np.int64), bow.count(((texts[i], EN) for i in there), words)

    def of(*ids: int) -> list[list[str]]:
        return stored_counts.bag_of(tmp_path, np.array(ids, np.int64), count).words()

    assert of(3, 8) == [["ships", "sail"], ["river", "ships", "sail"]]
    assert of(3, 4, 5, 8) == [["ships", "sail"], [], ["river"], ["river", "ships", "sail"]]
    assert of(5) == [["river"]]
    assert asked == [[3, 8], [4, 5]]
    (tmp_path / stored_counts.FILE).write_bytes(b"short")
    assert of(8) == [["river", "ships", "sail"]]
    assert asked[2:] == [[8]]


def test_a_fit_leaves_the_counts_that_it_read(seen: World) -> None:
    with seen.database.read() as catalog:
        ids = catalog.passages.ids(seen.id)

    def count(ids: Ids, words: Sequence[str]) -> tuple[Ids, BagOfWords]:
        raise AssertionError(f"{len(ids)} passages were not kept")

    bag = stored_counts.bag_of(seen.active_folder(), ids, count)
    assert bag.counts.sum() > 1000
    assert seen.archive.service.check() == []
