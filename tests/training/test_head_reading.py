"""Files of labelled examples: what is read, and that every error names its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.errors import Invalid, MissingPath, UnreadableFile
from training.heads.reading import read_answered, read_labelled, read_tagged
from training.heads.tables import rows
from training.material import Answered, Labelled, Tagged


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_reads_named_columns_of_each_kind_of_file(tmp_path: Path) -> None:
    table = 'id,body,stars\r\n1,"Good, and\nlong",5\r\n2,Bad,1\r\n'
    lines = '{"body": "Good, and\\nlong", "stars": 5}\n\n{"body": "Bad", "stars": 1, "more": [1]}\n'
    paths = [
        written(tmp_path, "a.csv", "\ufeff" + table),
        written(
            tmp_path, "a.tsv", table.replace('"Good, and\nlong"', "Good; and long").replace(",", "\t").replace(";", ",")
        ),
        written(tmp_path, "a.jsonl", lines),
    ]
    found = [read_labelled(path, "body", "stars").material.labelled for path in paths]
    assert found[0] == found[2] == [Labelled("Good, and\nlong", "5"), Labelled("Bad", "1")]
    assert found[1] == [Labelled("Good, and long", "5"), Labelled("Bad", "1")]


def test_reads_compressed_files_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "x", "label": "y", "doc": 7}\n'))
    found = read_labelled(path, group="doc")
    assert found.material.labelled == [Labelled("x", "y")]
    assert found.groups == ("7",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "text,kind\nx,y\n", "line 1: no column 'label'; there is text, kind"),
        ("a.csv", "", "line 1: no column 'text'; there is none"),
        ("a.csv", 'text,label\n"a\nb",y\nx\n', "line 4: 1 cells under 2 columns"),
        ("a.csv", "text,label\nx,y\n , y\n", "line 3: nothing in column 'text'"),
        ("a.csv", 'text,label\n"x"z,y\n', "line 2: "),
        ("a.csv", "text,label\n", "holds no example"),
        ("a.jsonl", '{"text": "x", "label": "y"}\n{"text": \n', "line 2: no JSON"),
        ("a.jsonl", "[1]\n", "line 1: expected an object, found list"),
        ("a.jsonl", '{"text": "x", "label": ["y"]}\n', "line 1: 'label' must be a text or a number, not list"),
        ("a.jsonl", '{"text": "x"}\n', "line 1: no column 'label'"),
    ],
)  # fmt: skip
def test_an_error_names_the_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_labelled(written(tmp_path, name, text))


def test_other_files_missing_ones_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"not from '.xlsx' files"):
        read_labelled(written(tmp_path, "a.xlsx", ""))
    with pytest.raises(MissingPath):
        read_labelled(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(b"text,label\n\xff,y\n")
    with pytest.raises(UnreadableFile, match="is not UTF-8"):
        read_labelled(tmp_path / "a.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,label\nx,y\n")[:-9])
    with pytest.raises(UnreadableFile, match="no whole gzip file"):
        read_labelled(tmp_path / "a.csv.gz")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_every_text_of_a_json_line_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    path.write_text("".join(json.dumps({"t": text}) + "\n" for text in texts), encoding="utf-8")
    assert [row.cells["t"] for row in rows(path, ["t"])] == texts


def test_an_answer_is_found_where_it_says_or_where_it_stands_alone(tmp_path: Path) -> None:
    lines = [
        {"question": "Who?", "passage": "Ann met Bo and Ann.", "answer": "Ann", "start": 15},
        {"question": "Whom?", "passage": "Ann met Bo and Ann.", "answer": "Bo"},
        {"question": "Why?", "passage": "Ann met Bo and Ann.", "answer": ""},
    ]
    path = written(tmp_path, "a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    passage = "Ann met Bo and Ann."
    assert read_answered(path).material.answered == [
        Answered("Who?", passage, 15, 18),
        Answered("Whom?", passage, 8, 10),
        Answered("Why?", passage, None, None),
    ]


@pytest.mark.parametrize(
    ("answer", "start", "message"),
    [
        ("Ann", "", "line 2: the answer 'Ann' stands 2 times"),
        ("Cy", "", "line 2: the answer 'Cy' stands 0 times"),
        ("Bo", "7", "line 2: at 7 the passage says ' B', not 'Bo'"),
        ("Bo", "x", "line 2: the start must be a number"),
    ],
)
def test_an_answer_that_does_not_stand_there_is_refused(tmp_path: Path, answer: str, start: str, message: str) -> None:
    path = written(tmp_path, "a.csv", f"question,passage,answer,start\nWho?,Ann met Bo and Ann.,{answer},{start}\n")
    with pytest.raises(UnreadableFile, match=message):
        read_answered(path)


def test_reads_a_word_and_its_tag_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", "Ann B-PER\nsleeps O\n\nBo B-PER\n")
    assert read_tagged(path).material.tagged == [Tagged(("Ann", "sleeps"), ("B-PER", "O")), Tagged(("Bo",), ("B-PER",))]
    with pytest.raises(UnreadableFile, match="line 1: expected a word and its tag"):
        read_tagged(written(tmp_path, "b.txt", "Ann is B-PER\n"))
