"""Encoders side by side: the same questions, what each costs, what each finds first."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial

import pytest

from riparian.encoders.hashing import HashingEncoder
from riparian.errors import Invalid
from tests.training.evaluation_documents import news
from training.compare import WORDS, Comparison, compare, saved_bytes
from training.evaluation.rankers import Dense
from training.evaluation.scores import answer
from training.evaluation.trial import Bounds, draw

FEW = Bounds(queries=40, documents=50)
ENCODERS = {str(size): partial(HashingEncoder, size) for size in (16, 64, 256)}


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(ENCODERS, news(), 1, queries=["a fire near the city", "cricket"], bounds=FEW)


def test_every_encoder_has_the_scores_that_it_has_alone(found: Comparison) -> None:
    trial = draw(news(), 1, FEW)
    for row in found.rows[:-1]:
        alone = answer(Dense(HashingEncoder(int(row.name))), trial)
        assert row.scores == alone.scores(1)
    assert [row.name for row in found.rows] == ["16", "64", "256", WORDS]
    means = [row.scores.main.mean for row in found.rows]
    assert means == sorted(means)
    assert (found.given, found.documents, found.queries["half"]) == (60, 50, 40)


def test_differences_are_of_each_two_over_the_same_questions(found: Comparison) -> None:
    means = {row.name: row.scores.main.mean for row in found.rows}
    assert list(found.differences) == ["16 - 64", "16 - 256", "16 - words", "64 - 256", "64 - words", "256 - words"]
    for names, difference in found.differences.items():
        first, second = names.split(" - ")
        assert difference.main.mean == pytest.approx(means[first] - means[second])
    assert found.differences["16 - 256"].main.is_below_zero


def test_cost_is_told_of_encoders_and_words_have_none(found: Comparison) -> None:
    *rows, words = found.rows
    assert words.cost is None and words.encoder == "BM25"
    for row in rows:
        assert row.cost is not None and row.cost.bytes_per_vector == 4 * int(row.name)
        assert row.cost.passages_per_second > 0 and row.cost.passages_per_cpu_second > 0 and row.cost.load_seconds >= 0
        assert row.cost.model_mb * 1e6 == saved_bytes(HashingEncoder(int(row.name)))
        assert row.fingerprint == HashingEncoder(int(row.name)).fingerprint()


def test_queries_are_looked_at_under_every_encoder(found: Comparison) -> None:
    assert [shifts.query for shifts in found.shifts] == ["a fire near the city", "cricket"]
    for shifts in found.shifts:
        assert shifts.encoders == ("16", "64", "256")
        for name in shifts.encoders:
            ranks = [row.ranks[name] for row in shifts.documents if row.ranks[name] is not None]
            assert sorted(ranks) == list(range(1, 11))
        assert set(shifts.overlap) == {"16 | 64", "16 | 256", "64 | 256"}


def test_a_comparison_is_json(found: Comparison) -> None:
    told = json.loads(json.dumps(asdict(found)))
    assert told["rows"][0]["cost"]["bytes_per_vector"] == 64
    assert told["shifts"][0]["documents"][0]["beginning"]


def test_progress_runs_once_over_all() -> None:
    seen: list[tuple[int, int]] = []
    two = {name: ENCODERS[name] for name in ("16", "64")}
    compare(two, news(30), 1, queries=["fire"], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (3000, 3000)


@pytest.mark.parametrize("names", [(), ("16",), ("16", "64", "256", "a", "b"), ("16", WORDS)])
def test_another_number_of_encoders_is_refused_before_any_is_loaded(names: tuple[str, ...]) -> None:
    def never() -> HashingEncoder:
        raise AssertionError("loaded")

    with pytest.raises(Invalid):
        compare(dict.fromkeys(names, never), news(30), 1)
