"""The benchmarks of relevance and of misread words, on a small collection."""

from __future__ import annotations

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import fuzzy, relevance
from benchmarks.reliability import Line, Panel, svg

KINDS = ("estuary", "aquifer", "reservoir", "glacier", "lagoon", "marsh")
THINGS = ("gravel", "phosphate", "chalk", "peat", "basalt", "nitrate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 documents; two words ask for each, and only every other one is judged relevant."""
    found = tmp_path_factory.mktemp("beir") / "waters"
    (found / "qrels").mkdir(parents=True)
    names = [(kind, thing) for kind in KINDS for thing in THINGS]
    corpus = [
        {"_id": f"d{n}", "title": "", "text": f"The {kind} deposits {thing} near station {n}. Engineers measured it."}
        for n, (kind, thing) in enumerate(names)
    ]
    queries = [{"_id": f"q{n}", "text": f"{kind} {thing}"} for n, (kind, thing) in enumerate(names)]
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(len(names)))
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (found / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    (found / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    return found


@pytest.mark.slow
def test_the_report_tells_the_error_of_relevance_on_the_other_half_and_who_is_told_that_nothing_is_close(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "reliability.svg"
    arguments = [str(folder), "--encoder", "hashing", "--json", "--picture", str(picture)]
    assert relevance.main(arguments) == 0
    [found] = json.loads(capsys.readouterr().out)["sets"]
    assert (found["queries"], found["accepted"]) == (36, 0.1)  # one of the first ten hits
    assert found["fitted"]["error"]["mean"] < 0.05 < found["label_free"]["error"]["mean"]
    assert len(found["fitted_by_half"]) == 2
    assert sum(row["hits"] for row in found["fitted"]["bins"]) == 360
    assert found["nothing_close"]["judged"] == {"queries": 36, "share": 0.0}
    assert found["nothing_close"]["noise"]["share"] >= 0.9
    assert len(ElementTree.parse(picture).getroot().findall(".//{*}polyline")) == 2


@pytest.mark.slow
def test_what_misread_words_cost_is_brought_back_by_their_look_alikes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder), "--encoder", "hashing", "--json", "--words", "4", "--documents", "30"]
    assert fuzzy.main(arguments) == 0
    [found] = json.loads(capsys.readouterr().out)["sets"]
    recall = {name: one["recall@10"]["mean"] for name, one in found["recall"].items()}
    assert recall["lexical, misread, auto"] >= recall["lexical, misread, off"]
    assert found["own"] == {"queries": 0, "of": 36}


def test_a_misread_word_differs_and_is_the_same_for_the_same_chance() -> None:
    words = ["modern", "candidate", "hospital", "sss", "xyz"]
    once, again = ([fuzzy.misread(word, random.Random(n)) for n, word in enumerate(words)] for _ in range(2))
    assert once == again
    assert all(one != word for one, word in zip(once, words, strict=True))


def test_points_lie_where_they_were_told_and_came_true() -> None:
    drawn = ElementTree.fromstring(svg([Panel("a & b", [Line("one", [(0.0, 0.0, 1), (1.0, 0.5, 4)])])]))
    [line] = drawn.findall(".//{*}polyline")
    assert line.attrib["points"] == "48.0,276.0 288.0,156.0"
    assert "a & b" in "".join(drawn.itertext())
