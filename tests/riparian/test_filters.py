from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.catalog.documents import NewPassage
from riparian.catalog.engine import Database
from riparian.catalog.filters import parse, quoted
from riparian.errors import BadFilter
from riparian.types import Extracted

DOCUMENTS = {
    "/a/one.pdf": Extracted("", "x", "Flood report", date(2001, 5, 1), "Ada", "en", "pdf", metadata={"tag": "wet"}),
    "/a/two.txt": Extracted("", "x", "100% dry", date(2001, 6, 30), "Bo", "de", "txt", metadata={"tag": ["wet", "x"]}),
    "/b/three_a.txt": Extracted("", "x", "", None, "", "", "txt", metadata={"n": "7"}),
    "/b/threeXa.txt": Extracted("", "x", "Later", date(2002, 1, 1), "O'Hara; DROP", "en", "txt"),
}

CASES = [
    (["author:Ada"], "one.pdf"),
    (["author:O'Hara; DROP"], "threeXa.txt"),
    (["author:"], "three_a.txt"),
    (["language:en,de"], "one.pdf two.txt threeXa.txt"),
    (["type:txt", "language:en"], "threeXa.txt"),
    (["date:2001"], "one.pdf two.txt"),
    (["date:2001-06"], "two.txt"),
    (["date>=2001-06"], "two.txt threeXa.txt"),
    (["date<=2001-05"], "one.pdf"),
    (["date<=2001-06"], "one.pdf two.txt"),
    (["date:"], "three_a.txt"),
    (["path:/a/"], "one.pdf two.txt"),
    (["path:/b/three_"], "three_a.txt"),
    (["title:flood"], "one.pdf"),
    (["title:100%"], "two.txt"),
    (["title:"], "three_a.txt"),
    (["meta.tag:wet"], "one.pdf two.txt"),
    (["meta.tag:we"], ""),
    (["meta.n:7"], "three_a.txt"),
    (["topic:1"], ""),
    ([], "one.pdf two.txt three_a.txt threeXa.txt"),
]


def test_each_filter_finds_exactly_the_documents_it_names(database: Database) -> None:
    with database.write() as catalog:
        owner = catalog.collections.create("c", None, {}).id
        for source, extracted in DOCUMENTS.items():
            passages = [NewPassage(0, 1, "k")]
            catalog.documents.put(owner, None, source, extracted, digest="d", passages=passages)
    with database.read() as catalog:
        for expressions, expected in CASES:
            filters = parse(expressions)
            found = catalog.documents.page(owner, filters)
            assert {d.source.rsplit("/", 1)[-1] for d in found} == set(expected.split()), expressions
            assert catalog.documents.count(owner, filters) == len(found)
            assert catalog.passages.ids(owner, filters).size == len(found)


@pytest.mark.parametrize(
    "expression",
    ["nonsense", "colour:red", "date:soon", "date>=2001-13", "author>=A", "topic:x", "id:1.5", "date:0000"],
)
def test_a_filter_that_means_nothing_is_refused_and_quoted(expression: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse([expression])
    assert repr(expression) in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_is_refused(expression: str) -> None:
    with contextlib.suppress(BadFilter):
        parse([expression])


def test_a_value_with_a_comma_stands_in_quotes() -> None:
    [condition] = parse(['meta.tags:"food, drink", travel']).conditions
    assert condition.values == ("food, drink", "travel")


@given(st.text(min_size=1).map(str.strip).filter(lambda text: text and "\0" not in text and text.isprintable()))
def test_any_value_is_read_back_as_it_was_quoted(value: str) -> None:
    [condition] = parse([f"meta.tags:{quoted(value)}"]).conditions
    assert condition.values == (value,)
