"""The retrieval benchmark on a tiny collection whose figures are known, and on published ones."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judged import Failed
from benchmarks.retrieval import DRAWS, interval, main, read_folder
from tests import evaldata

CORPUS = [
    {"_id": "d1", "title": "Rivers", "text": "A river carries sand to the sea."},
    {"_id": "d2", "title": "Bread", "text": "Knead the dough and bake it in the oven."},
    {"_id": "d3", "title": "", "text": "Banks raised their interest rates."},
]
QUERIES = [
    {"_id": "q1", "text": "river sand"},
    {"_id": "q2", "text": "baking dough"},
    {"_id": "q3", "text": "unjudged"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t2\nq2\td3\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "tiny"
    (found / "qrels").mkdir(parents=True)
    with gzip.open(found / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in CORPUS)
    (found / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUERIES), encoding="utf-8")
    (found / "qrels" / "test.tsv").write_text(QRELS, encoding="utf-8")
    return found


def report_of(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    assert main([str(folder), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_only_judged_queries_are_asked(folder):
    judged = read_folder(folder)
    assert judged.queries == {"q1": "river sand", "q2": "baking dough"}
    assert judged.qrels["q2"] == {"d2": 2, "d3": 0}
    assert list(read_folder(folder, limit=1).queries) == ["q1"]


def test_a_collection_that_is_found_perfectly_scores_one(folder, capsys, tmp_path):
    report = report_of(folder, capsys, "--encoder", "hashing", "--data-dir", str(tmp_path / "kept"))
    assert (report["documents"], report["passages"], report["failures"], report["queries"]) == (3, 3, 0, 2)
    for mode in ("lexical", "semantic", "hybrid"):
        assert {name: found["mean"] for name, found in report["measures"][mode].items()} == {
            "nDCG@10": 1.0, "MRR@10": 1.0, "recall@100": 1.0,
        }  # fmt: skip
    assert report["differences"]["hybrid - lexical"]["nDCG@10"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    again = report_of(folder, capsys, "--encoder", "hashing", "--data-dir", str(tmp_path / "kept"))
    assert again["measures"] == report["measures"]


def test_of_several_collections_the_union_of_their_queries_is_compared_too(folder, capsys, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq3\td2\t1\n", encoding="utf-8")
    place = ("--data-dir", str(tmp_path / "kept"))
    assert main([str(folder), str(other), "--json", "--encoder", "hashing", *place]) == 0
    report = json.loads(capsys.readouterr().out)
    first, second = report["collections"]
    assert (first["queries"], second["queries"], report["union"]["queries"]) == (2, 1, 3)
    for pair, found in report["union"]["differences"].items():
        of_both = [one["differences"][pair]["nDCG@10"]["mean"] for one in (first, second)]
        assert found["nDCG@10"]["mean"] == pytest.approx((2 * of_both[0] + of_both[1]) / 3)
    assert first["rerank_milliseconds"] == {"median": 0.0, "p95": 0.0}  # a static encoder keeps no token states
    with pytest.raises(Failed, match="one for each of the 1 folders"):
        main([str(folder), *place, *place])


def test_the_weight_is_chosen_where_there_are_enough_queries(folder, capsys, tmp_path):
    place = ("--encoder", "hashing", "--data-dir", str(tmp_path / "kept"), "--weights")
    with pytest.raises(Failed, match="at least 20 judged queries, and tiny has 2"):
        main([str(folder), *place])
    rows = [f'{{"_id": "{number}", "text": "river sand {number}"}}\n' for number in range(20)]
    (folder / "queries.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("q\td\tr\n" + "".join(f"{n}\td1\t1\n" for n in range(20)))
    weight = report_of(folder, capsys, *place)["weight"]
    assert (weight["way"], weight["questions"], weight["usual"]) == ("reranked", 20, 0.5)
    assert weight["fold_weights"] == [0.5] * 5  # words alone find it as well: no reason to leave the usual one
    assert (weight["reached"]["mean"], weight["gain"]["mean"]) == (1.0, 0.0)


def test_an_interval_is_that_of_the_mean():
    values = np.random.default_rng(3).normal(0.5, 0.2, size=400)
    found = interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.003)
    assert DRAWS == 5000


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("retrieval-scifact", {"lexical": 0.671, "semantic": 0.640, "hybrid": 0.727}),
        ("retrieval-cranfield", {"lexical": 0.503, "semantic": 0.504, "hybrid": 0.566}),
    ],
)
def test_judged_collections_are_searched_as_well_as_by_the_best_peer(name, least, capsys, tmp_path):
    report = report_of(evaldata.folder(name), capsys, "--data-dir", str(tmp_path))
    found = {mode: measures["nDCG@10"]["mean"] for mode, measures in report["measures"].items()}
    assert all(found[mode] >= bar for mode, bar in least.items()), found
