"""A book of thousands of pages is read in parts that a browser can take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from riparian.catalog.documents import NewPassage
from riparian.config import Settings
from riparian.encoders.pool import register
from riparian.types import Anchor, DocumentId, Extracted
from tests.conftest import ENCODER
from tests.web.html import said, see, texts
from web.app import create_app
from web.pages.window import PART
from web.wiring import Services, build

PAGES = 872
PAGE = "".join(f"Sentence {n} of this page says <something> & then some more. " for n in range(40))
BOOK = "".join(f"Page {n} begins. {PAGE}\n\n" for n in range(1, PAGES + 1))
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    found = build(Settings(data_dir=tmp_path_factory.mktemp("long"), encoder=ENCODER, log_level="ERROR"))
    yield found
    found.database.engine.dispose()


@pytest.fixture(scope="module")
def book(services: Services) -> DocumentId:
    anchors = tuple(Anchor(BOOK.index(f"Page {n} begins"), "page", n) for n in range(1, PAGES + 1))
    spans = [(start, min(start + 1100, len(BOOK))) for start in range(0, len(BOOK), 1000)]
    with services.database.write() as catalog:
        stored = register(catalog, services.encoders.load(ENCODER))
        collection = catalog.collections.create("library", stored.id, {}).id
        return catalog.documents.put(
            collection, None, "book.pdf", Extracted("", BOOK, title="The Book", anchors=anchors, type="pdf"),
            digest="", passages=[NewPassage(a, b, str(a)) for a, b in spans],
        )  # fmt: skip


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


def test_every_part_is_below_a_megabyte_and_together_they_are_the_book(client: FlaskClient, book: DocumentId) -> None:
    number, pages = 1, set()
    while True:
        answer = client.get(f"/d/{book}?part={number}")
        assert len(answer.data) < MEGABYTE
        shown = see(client, f"/d/{book}?part={number}")
        pages |= set(texts(shown, ".text .anchor"))
        if shown.css_first("a[rel=next]") is None:
            break
        number += 1
    assert number == pytest.approx(len(BOOK) / PART, abs=1)
    assert pages == {f"page {n}" for n in range(1, PAGES + 1)}


@pytest.mark.parametrize("page", [1, 436, 872])
def test_a_page_is_gone_to_by_its_number(client: FlaskClient, book: DocumentId, page: int) -> None:
    shown = see(client, f"/d/{book}?page={page}")
    anchor = shown.css_first(f"#page-{page}")
    assert said(anchor) == f"page {page}"
    assert f"Page {page} begins." in said(shown.css_first(".text"))


def test_a_passage_in_the_middle_of_the_book_is_opened_whole(
    client: FlaskClient, services: Services, book: DocumentId
) -> None:
    with services.database.read() as catalog:
        places = catalog.passages.places(book)
    for passage, span in list(places.items())[500:520]:
        shown = see(client, f"/d/{book}?passage={passage}")
        marked = "".join(node.text() for node in shown.css("mark.passage"))
        assert "".join(marked.split()) == "".join(BOOK[span.start : span.end].split())
