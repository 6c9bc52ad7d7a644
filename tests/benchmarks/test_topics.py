"""The table of topic models on a tiny corpus of known themes: our kinds alone, each in a process of its own."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from benchmarks.judged import Failed
from benchmarks.topic_fits import Answer, Cost, measured, read_answer, write_answer
from benchmarks.topic_table import Row, agreement, coherent_first, held, markdown, mixtures
from benchmarks.topics import main
from tests.topics.themes import themed

LABELS = ("water", "bread", "music", "sky")


def put(path: Path, count: int, seed: int) -> Path:
    world = themed(count, seed)
    rows = [
        {"text": text, "label": [LABELS[label]], "split": "train" if number % 5 else "test"}
        for number, (text, label) in enumerate(zip(world.texts, world.labels, strict=True))
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    return path


def report_of(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main([str(path), "--json", "--encoder", "hashing", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_our_kinds_find_the_themes_and_a_second_run_takes_what_was_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs, unseen = put(tmp_path / "docs.jsonl.gz", 60, 0), put(tmp_path / "unseen.jsonl.gz", 20, 1)
    options = ["--topics", "4", "--models", "kmeans,nmf", "--seeds", "1", "--heldout", str(unseen)]
    options += ["--cache", str(tmp_path / "cache")]

    report = report_of(docs, capsys, *options)

    assert (report["texts"], report["unseen"], report["topics"], report["peers"]) == (60, 20, 4, {})
    assert [row["model"] for row in report["rows"]] == ["kmeans", "nmf"]
    for row in report["rows"]:
        (one,) = row["fits"]
        assert one["groups"]["purity"] >= 0.9
        assert set(one["words"]) == {"own", "re-ranked", "named"}
        assert -1 <= one["words"]["named"]["held_npmi"] <= 1
        assert one["cost"]["cpu"] > 0
        assert one["cost"]["peak"] >= one["cost"]["before"] > 10

    monkeypatch.setattr(sys, "executable", "/nowhere/python")  # nothing is left to run
    assert report_of(docs, capsys, *options)["rows"] == report["rows"]


def test_a_model_that_cannot_be_fitted_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = put(tmp_path / "docs.jsonl.gz", 30, 0)
    options = ["--topics", "auto", "--models", "kmeans", "--seeds", "1", "--limit", "0", "--cache", str(tmp_path)]

    assert main([str(docs), "--encoder", "hashing", "--split", "train", *options]) == 0

    shown = capsys.readouterr().out
    assert "24 texts" in shown
    assert "(asked: auto)" in shown
    assert "| kmeans | not fitted: took longer than 0 s |" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--topics", "4", "--models", "best"], "no model best; there is: joint, combined"),
        (["--topics", "many", "--models", "kmeans"], "--topics is a number or auto, not 'many'"),
        (["--topics", "4", "--models", "kmeans", "--split", "no"], "no text of 5 words"),
    ],
)
def test_what_cannot_work_is_refused(options: list[str], message: str, tmp_path: Path) -> None:
    docs = put(tmp_path / "docs.jsonl.gz", 20, 0)
    with pytest.raises(Failed, match=message):
        main([str(docs), "--encoder", "hashing", "--cache", str(tmp_path), *options])


def test_re_ranking_drops_the_words_that_never_meet_the_others() -> None:
    held = csc_matrix(np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], np.float32))
    assert coherent_first([3, 0, 1, 2], held, kept=2) == [0, 1, 3, 2]


def test_mixtures_of_hard_groups_leave_outliers_out() -> None:
    words = [["a"], ["b"]]
    hard = Answer(words, np.array([1, -1, 0]))
    np.testing.assert_array_equal(mixtures(hard), [[0, 1], [0, 0], [1, 0]])
    soft = Answer(words, np.array([0]), np.array([[3.0, 1.0]]))
    np.testing.assert_allclose(mixtures(soft), [[0.75, 0.25]])


def test_words_of_the_same_topics_in_another_order_agree_fully() -> None:
    assert agreement([[["a", "b"], ["c", "d"]], [["d", "c"], ["a", "b"]]]) == 1
    assert agreement([[["a", "b"]], [["b", "c"]]]) == pytest.approx(1 / 3)
    assert np.isnan(agreement([[["a"]]]))


def test_topics_of_all_texts_are_looked_for_in_each_part_and_one_may_be_met_twice() -> None:
    assert held([["a", "b"], ["a", "c"]], [[["a", "b"], ["x", "y"]]]) == pytest.approx((1 + 1 / 3) / 2)
    assert np.isnan(held([["a"]], []))


def test_an_answer_is_read_as_it_was_written_and_its_cost_is_of_the_fit_alone(tmp_path: Path) -> None:
    answer, cost = measured(lambda: Answer([["a", "b"]], np.array([0, -1]), np.array([[1.0], [1.0]])))
    write_answer(tmp_path / "a.json", answer, cost)
    back, again = read_answer(tmp_path / "a.json")
    assert back.words == answer.words
    assert back.groups.tolist() == [0, -1]
    assert back.theta is not None
    assert back.theta.tolist() == [[1], [1]]
    assert again == cost
    assert 0 <= cost.cpu < 5
    write_answer(tmp_path / "b.json", Answer([["a"]], np.array([0])), Cost(1, 2, 3, 4))
    assert read_answer(tmp_path / "b.json")[0].theta is None


def test_the_table_has_a_line_for_every_model_and_the_same_columns() -> None:
    lines = markdown([Row("one", failed="no such package")]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| one | not fitted: no such package |")
