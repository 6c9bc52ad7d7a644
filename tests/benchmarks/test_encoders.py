"""The table of encoders on a tiny judged collection: figures that are known, and rows that could not be measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.encoders import KINDS, Candidate, as_text, candidates, main
from benchmarks.judged import Failed
from riparian.encoders import registry
from riparian.encoders.static_training.settings import Word2vecSettings
from riparian.encoders.static_training.word2vec import train

WORDS = {"river": "sand water duck", "bread": "dough oven flour", "bank": "money rate loan"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve documents of three subjects, and a question about each that only their words answer."""
    found = tmp_path / "tiny"
    (found / "qrels").mkdir(parents=True)
    subjects = [(subject, number) for subject in WORDS for number in range(4)]
    corpus = [
        {
            "_id": f"{subject}{number}",
            "title": subject,
            "text": f"The {subject} has {WORDS[subject]} and is no {number}.",
        }
        for subject, number in subjects
    ]
    queries = [{"_id": subject, "text": WORDS[subject]} for subject in WORDS]
    (found / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus), encoding="utf-8")
    (found / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    judged = "".join(f"{subject}\t{subject}{number}\t1\n" for subject, number in subjects)
    (found / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")
    return found


def test_each_encoder_is_a_row_and_one_that_is_not_there_does_not_stop_the_others(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [json.loads(line)["text"] for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    train(texts, Word2vecSettings(dimension=8, epochs=5), 1).save(tmp_path / "vectors")
    kept = ["--models", str(tmp_path / "kept"), "--kinds", ""]
    also = [
        "--also",
        "spelling=hashing:64",
        "--also",
        f"mine={tmp_path / 'vectors'}",
        "--also",
        f"none={tmp_path / 'nothing'}",
    ]

    assert main([str(folder), "--json", *kept, *also]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    (collection,) = report["collections"]
    spelling, mine, none = collection["rows"]

    assert (collection["documents"], collection["queries"], collection["lexical"]["mean"]) == (12, 3, 1.0)
    assert [row["label"] for row in collection["rows"]] == ["spelling", "mine", "none"]
    assert (spelling["origin"], spelling["dimension"], spelling["context"]) == ("published", 64, "none")
    assert (mine["origin"], mine["dimension"], mine["passages"]) == ("trained-here", 8, 12)
    assert spelling["hybrid"]["mean"] == 1.0
    assert spelling["semantic"]["low"] <= spelling["semantic"]["mean"] <= spelling["semantic"]["high"]
    assert spelling["passages_per_cpu_second"] > 0
    assert "no such file or folder" in none["problem"]
    table = as_text(report)
    assert "| mine | trained-here | 8 |" in table
    assert "| none | not measured: " in table


def test_the_table_holds_thirteen_kinds_and_any_spec_beside_them() -> None:
    found = candidates(list(KINDS), ["small=hashing:64"])

    assert len(KINDS) == 13
    assert set(KINDS) - {"view-match"} <= set(registry.available())
    assert [one.label for one in found] == [*KINDS, "small"]
    assert found[0] == Candidate("word2vec", kind="word2vec")
    assert found[-1] == Candidate("small", spec="hashing:64")


def test_a_kind_or_a_spec_that_cannot_be_is_refused() -> None:
    with pytest.raises(Failed, match="no kind 'hashing' in the table"):
        candidates(["hashing"], [])
    with pytest.raises(Failed, match="give LABEL=SPEC"):
        candidates([], ["hashing:64"])
