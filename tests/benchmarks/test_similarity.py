"""The benchmark of sentence likeness on pairs whose figures are known, and on the published ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.judged import Failed
from benchmarks.similarity import main, pearson, read_pairs, spearman
from tests import evaldata

ROWS = [
    {"sentence1": "a river carries sand", "sentence2": "a river carries sand", "score": 5},
    {"sentence1": "a river carries sand", "sentence2": "a river carries much sand", "score": 4},
    {"sentence1": "a river carries sand", "sentence2": "a river is long", "score": 2.5},
    {"sentence1": "a river carries sand", "sentence2": "banks lend money", "score": 0},
]


def put(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def report_of(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main([str(path), "--json", *options]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_pairs_in_the_order_people_gave_correlate_fully(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, ROWS)
    with gzip.open(tmp_path / "pairs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(path.read_text(encoding="utf-8"))

    report = report_of(path, capsys, "--encoder", "hashing", "--data-dir", str(tmp_path))
    zipped = report_of(tmp_path / "pairs.jsonl.gz", capsys, "--encoder", "hashing", "--data-dir", str(tmp_path))

    assert (report["count"], report["kind"], report["unknown"]) == (4, "hashing", 0)
    assert report["spearman"]["mean"] == 100
    assert 80 < report["pearson"]["mean"] < 100
    assert zipped["pearson"] == report["pearson"]


@given(
    st.lists(
        st.tuples(st.integers(-50, 50).map(lambda number: number / 50), st.integers(0, 5).map(float)),
        min_size=3,
        max_size=40,
    )
)
@example(values=[(0.1, 0.0), (0.1, 0.0), (0.1, 1.0)])
@settings(deadline=None)
def test_the_correlations_are_those_of_scipy(values: list[tuple[float, float]]) -> None:
    one, other = (np.array(side) for side in zip(*values, strict=True))
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert pearson(one, other) == spearman(one, other) == 0
        return

    assert pearson(one, other) == pytest.approx(stats.pearsonr(one, other).statistic, abs=1e-9)
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"sentence1": "a", "sentence2": "b"}\n', "row 1: sentence1, sentence2 and score are needed"),
        ('{"sentence1": "a", "sentence2": "b", "score": "much"}\n', "row 1: sentence1, sentence2 and score are needed"),
        ('{"sentence1": "a", "sentence2": "b", "score": 1}\n[]\n', "line 2: a JSON object is needed, not list"),
        ("no JSON\n", "line 1: not JSON"),
        ('{"sentence1": "a", "sentence2": "b", "score": 1}\n' * 4, "4 pairs with 1 different scores"),
        ("", "0 pairs"),
    ],
)
def test_a_file_that_says_nothing_is_refused_naming_the_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(Failed, match=message):
        read_pairs(path)
    with pytest.raises(Failed, match="no such file"):
        read_pairs(tmp_path / "nowhere.jsonl")


@pytest.mark.slow
def test_the_default_encoder_agrees_with_people_as_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = evaldata.folder("sts-benchmark") / "en-test.jsonl.gz"

    report = report_of(path, capsys, "--data-dir", str(tmp_path))

    assert report["spearman"]["mean"] == pytest.approx(82.0, abs=0.5)  # its authors' figure
