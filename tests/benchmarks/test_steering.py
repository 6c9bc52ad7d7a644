"""The benchmark of ticks and crosses, on a tiny judged folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.steering import main
from tests.conftest import ENCODER

THEMES = ("harbour", "orchard", "quarry")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty documents on three themes; the ten of a theme are relevant to its query."""
    rows, judged = [], ["query-id\tcorpus-id\tscore"]
    for number in range(30):
        theme = THEMES[number % 3]
        text = (
            f"The {theme} of parish {number} was mended by its keeper in year {number}. Nobody saw the {theme} again."
        )
        rows.append({"_id": f"d{number}", "title": "", "text": text})
        judged.append(f"{theme}\td{number}\t1")
    queries = [{"_id": theme, "text": f"the keeper of the {theme}"} for theme in THEMES]
    for name, found in (("corpus", rows), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(judged) + "\n", encoding="utf-8")
    return tmp_path


def test_it_judges_the_first_hits_and_measures_on_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--encoder", ENCODER, "--seen", "4", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["queries"] == 3 and report["ticks"] + report["crosses"] == 12
    assert 0.5 < report["before"]["mean"] <= report["after"]["mean"] <= 1
    assert report["difference"]["mean"] == pytest.approx(report["after"]["mean"] - report["before"]["mean"])
    assert main([str(folder), "--encoder", ENCODER, "--half", "second"]) == 0
    assert "second queries: 1 with something relevant left" in capsys.readouterr().out
