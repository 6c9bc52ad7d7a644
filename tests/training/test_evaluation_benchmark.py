"""The benchmark of scores without labels, on a tiny collection: both orders, and how far they agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from benchmarks.label_free import MAIN, Ranked, agreement, correlation, main
from tests.training.evaluation_documents import news


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Stories that are asked for by some of their own words."""
    folder = tmp_path / "stories"
    (folder / "qrels").mkdir(parents=True)
    stories = news(30)
    corpus = [{"_id": f"d{one.id}", "title": f"Story {one.id}", "text": one.text} for one in stories]
    queries = [{"_id": f"q{one.id}", "text": " ".join(one.text.split()[20:40])} for one in stories[:12]]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    lines = ["query\tdocument\trelevance", *(f"q{one.id}\td{one.id}\t1" for one in stories[:12])]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_both_scores_of_every_encoder_and_their_correlation_are_told(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoders = ["hashing:512", "hashing:32", "hashing:8"]
    assert main([str(judged), "--documents", "25", "--encoders", *encoders, "--cuts", "100", "--json"]) == 0
    [report] = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["judged_queries"]) == (25, 12)
    assert list(report["rankers"]) == ["BM25", "hashing:512", "hashing:512, 100 numbers", *encoders[1:]]
    means = [report["rankers"][name]["judged"]["mean"] for name in ("BM25", *encoders)]
    assert means == sorted(means, reverse=True) and means[0] > 0.95
    assert 0 < report["correlation"][MAIN]["spearman"]["mean"] <= 1
    assert report["agreement"][MAIN]["pairs"] == 6


def test_correlations_are_those_of_scipy_also_with_ties() -> None:
    numbers = np.random.default_rng(4)
    found = {
        name: Ranked(numbers.integers(0, 3, size=2) * 1.0, {MAIN: numbers.integers(0, 3, size=2) * 1.0})
        for name in "abcdef"
    }
    true, free = zip(*[(one.true.mean(), one.free[MAIN].mean()) for one in found.values()], strict=True)
    told = correlation(found, MAIN)
    assert told["spearman"]["mean"] == pytest.approx(spearmanr(true, free).statistic)
    assert told["kendall"]["mean"] == pytest.approx(kendalltau(true, free).statistic)


def ranked(true: float, free: float) -> Ranked:
    values = np.linspace(-0.05, 0.05, 40)
    return Ranked(true + values, {MAIN: free + values})


def test_equal_orders_correlate_wholly_and_opposite_ones_inversely() -> None:
    same = {"a": ranked(0.1, 0.3), "b": ranked(0.5, 0.4), "c": ranked(0.9, 0.5)}
    assert correlation(same, MAIN)["spearman"]["mean"] == correlation(same, MAIN)["kendall"]["mean"] == 1.0
    opposite = {"a": ranked(0.9, 0.3), "b": ranked(0.5, 0.4), "c": ranked(0.1, 0.5)}
    assert correlation(opposite, MAIN)["spearman"]["mean"] == correlation(opposite, MAIN)["kendall"]["mean"] == -1.0


def test_pairs_that_differ_are_counted_by_how_the_judgments_put_them() -> None:
    found = {"a": ranked(0.1, 0.3), "b": ranked(0.5, 0.3), "c": ranked(0.05, 0.9)}
    assert agreement(found, MAIN) == {
        "pairs": 3,
        "apart": 2,
        "same": 0,
        "same_beyond_chance": 0,
        "opposite_beyond_chance": 2,
    }
