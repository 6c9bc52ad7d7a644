"""Learning from free text when two groups of occurrences are one sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import senses_pairs
from benchmarks.judged import Failed


def test_the_regression_finds_the_log_odds_that_the_answers_were_drawn_from() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(20_000, 3))
    same = draw.random(20_000) < 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1])))
    weights, intercept = senses_pairs.regression(x, same, np.ones(len(x)))
    assert weights == pytest.approx([2, -1, 0], abs=0.2)
    assert weights[0] / weights[1] == pytest.approx(-2, abs=0.15)
    assert intercept == pytest.approx(0, abs=0.1)


def test_pairs_lie_within_a_text_and_across_two_and_come_out_the_same(tmp_path: Path) -> None:
    words = ("river", "storm", "bread", "oven", "boat", "gravel", "window", "garden")
    for name in ("one.txt", "two.txt"):
        said = (
            f"We saw the {word} of {name[:3]} with {number} others today." for number in range(120) for word in words
        )
        (tmp_path / name).write_text("\n\n".join(said))
    texts = [senses_pairs.read_text(tmp_path / name) for name in ("one.txt", "two.txt")]
    assert set(texts[0].places) == set(words)
    pairs = senses_pairs.pairs_of(texts, 2)
    found = [(one.first_text.name[-7:], one.second_text.name[-7:]) for one in pairs]
    assert found[:4] == [("one.txt", "one.txt")] * 2 + [("two.txt", "two.txt")] * 2
    assert found[4:] and set(found[4:]) <= {("one.txt", "two.txt"), ("two.txt", "one.txt")}
    assert all(one.first != one.second for one in pairs)
    assert [(p.first, p.second) for p in pairs] == [(p.first, p.second) for p in senses_pairs.pairs_of(texts, 2)]


def test_a_text_with_too_few_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("The river was high that year.")
    with pytest.raises(Failed, match="0 words"):
        senses_pairs.read_text(tmp_path / "short.txt")
