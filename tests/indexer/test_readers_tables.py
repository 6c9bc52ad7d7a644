"""Rows of tables become documents, by the columns that are named or that look right."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from indexer.readers.base import ReadOptions
from riparian.types import Anchor, Extracted, ReadFailure
from tests.evaldata import folder
from tests.indexer.reading import failure_of, read_all, read_documents, read_one

ROWS = [
    {
        "id": "a1",
        "title": "Rivers",
        "text": "The river rose.",
        "date": "2020-01-02",
        "author": "Ann",
        "lang": "en",
        "n": 3,
    },
    {"id": "a2", "title": "Banks", "text": "The bank closed.", "date": "soon", "author": "", "lang": "", "n": None},
]


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def check(documents: list[Extracted]) -> None:
    """What each format makes of ROWS."""
    first, second = documents
    assert [document.member for document in documents] == ["a1", "a2"]
    assert (first.title, first.text, first.author, first.language) == ("Rivers", "The river rose.", "Ann", "en")
    assert (first.date, first.type, first.anchors) == (date(2020, 1, 2), "row", (Anchor(0, "row", 1),))
    assert first.metadata == {"id": "a1", "n": 3}
    assert (second.date, second.metadata) == (None, {"id": "a2", "date": "soon"})


def test_json_lines(tmp_path: Path) -> None:
    check(read_documents(lines(tmp_path / "a.jsonl", ROWS)))


def test_json_lines_compressed(tmp_path: Path) -> None:
    plain = lines(tmp_path / "a.jsonl", ROWS).read_bytes()
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(plain))
    check(read_documents(tmp_path / "b.jsonl.gz"))


def test_a_json_array_and_an_array_in_an_object(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    check(read_documents(tmp_path / "a.json"))
    (tmp_path / "b.json").write_text(json.dumps({"version": 2, "items": ROWS}))
    check(read_documents(tmp_path / "b.json"))


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    check(read_documents(tmp_path / "a.parquet"))


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")])
def test_delimited_tables(tmp_path: Path, name: str, delimiter: str) -> None:
    names = list(ROWS[0])
    rows = [names, *([("" if row[key] is None else str(row[key])) for key in names] for row in ROWS)]
    (tmp_path / name).write_text("\n".join(delimiter.join(row) for row in rows))
    documents = read_documents(tmp_path / name)
    assert documents[0].metadata == {"id": "a1", "n": "3"}
    check([documents[0].__class__(**_with_number(documents[0])), documents[1]])


def _with_number(document: Extracted) -> dict[str, Any]:
    """A delimited file holds text only; the rest must be equal."""
    values = {name: getattr(document, name) for name in Extracted.__dataclass_fields__}
    return values | {"metadata": {"id": "a1", "n": 3}}


def test_a_spreadsheet(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("Data")
        for at, row in enumerate([list(ROWS[0]), *(list(row.values()) for row in ROWS)]):
            sheet.write_row(at, 0, row)
    check(read_documents(tmp_path / "a.xlsx"))


def test_each_sheet_stands_under_its_name_and_one_of_numbers_is_one_document(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        notes, numbers, _ = (book.add_worksheet(name) for name in ("Notes", "Levels", "Empty"))
        for at, row in enumerate(
            [["when", "remark"], ["2020", "The water stood at the upper mark all through the night."]]
        ):
            notes.write_row(at, 0, row)
        for at, values in enumerate([["Day", "Level"], [1, 2.5], [2, 3]]):
            numbers.write_row(at, 0, values)
    remark, levels = read_documents(tmp_path / "a.xlsx")
    assert remark.member == "Notes/row 1"
    assert remark.text.startswith("The water stood")
    assert (levels.member, levels.text, levels.type) == ("Levels", "Day\tLevel\n1\t2.5\n2\t3", "sheet")


def test_a_table_without_text_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    document = read_one(tmp_path / "a.csv")
    assert (document.text, document.type) == ("x\ty\n1\t2\n3\t4", "csv")


def test_named_columns_win_over_guesses(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl", [{"text": "no", "claim": "Rivers rise.", "when": "2001-02-03", "who": ["A", "B"]}]
    )
    options = ReadOptions(text_column="claim", date_column="when", author_column="who")
    document = read_one(path, options)
    assert (document.text, document.date, document.author) == ("Rivers rise.", date(2001, 2, 3), "A, B")
    assert document.metadata == {"text": "no"}


def test_a_column_that_is_not_there_is_an_error_that_lists_those_that_are(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", ROWS)
    assert failure_of(path, ReadOptions(text_column="body")) == (
        "no column 'body'; there is: id, title, text, date, author, lang, n"
    )


def test_the_longest_column_is_the_text_where_no_name_tells(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", [{"code": "x y", "was_sagt": "Das Ufer des Flusses ist steil und hoch. " * 3}])
    assert read_one(path).text.startswith("Das Ufer")


def test_no_text_at_all_names_the_columns(tmp_path: Path) -> None:
    assert failure_of(lines(tmp_path / "a.jsonl", [{"x": 1, "y": "no"}])) == (
        "no column looks like text among: x, y; name one as the text column"
    )


def test_a_damaged_line_is_one_failure_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one river"}\n{"text": \n[1]\n\n{"text": "two banks"}\n{"text": ""}\n')
    one, broken, listed, two, empty = read_all(tmp_path / "a.jsonl")
    assert isinstance(one, Extracted)
    assert isinstance(two, Extracted)
    assert (one.member, two.member, two.text) == ("row 1", "row 5", "two banks")
    assert isinstance(broken, ReadFailure)
    assert broken.member == "row 2"
    assert broken.reason.startswith("not JSON")
    assert listed == ReadFailure("row 3", "not an object")
    assert empty == ReadFailure("row 6", "no text in it")


def test_ids_name_rows_only_while_they_are_new(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", [{"_id": key, "text": "a river"} for key in ("x", "x", "", "y", "row 2")])
    assert [document.member for document in read_documents(path)] == ["x", "row 2", "row 3", "y", "row 5"]


def test_an_object_is_one_document_of_its_strings(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"a": "one", "b": {"c": ["two", 3, {"d": "four"}]}}))
    assert read_one(tmp_path / "a.json").text == "a: one\nc: two\nd: four"


@pytest.mark.parametrize(
    ("name", "documents", "titled"),
    [
        ("topics-18f-blog", 509, True),
        ("topics-peps", 736, True),
        ("topics-state-of-the-union", 65, False),
        ("retrieval-scifact", 5183, True),
    ],
)
def test_published_collections_are_read_as_they_are(name: str, documents: int, titled: bool) -> None:
    [path] = [path for path in folder(name).glob("*.jsonl.gz") if path.name in {"docs.jsonl.gz", "corpus.jsonl.gz"}]
    found = read_documents(path, ReadOptions(detect_language=False))
    assert len(found) == documents
    assert len({document.member for document in found}) == documents
    assert all(bool(document.title) for document in found) == titled
