"""What the catalog keeps of people's work: judgments, saved searches, the reading list. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from riparian.catalog.catalog import Catalog
from riparian.catalog.documents import NewPassage
from riparian.catalog.engine import Database
from riparian.catalog.judgments import NewJudgment, query_key
from riparian.errors import (
    AlreadyExists,
    Invalid,
    UnknownDocument,
    UnknownPassage,
    UnknownReadingItem,
    UnknownSavedSearch,
)
from riparian.types import CollectionId, DocumentId, Extracted, PassageId


def put(catalog: Catalog, collection: CollectionId, source: str, text: str = "Some text.") -> DocumentId:
    return catalog.documents.put(
        collection, None, source, Extracted("", text, title=source.upper()), digest=text,
        passages=[NewPassage(0, len(text), text)],
    )  # fmt: skip


@pytest.fixture
def papers(database: Database) -> CollectionId:
    """Three documents a, b, c with a passage each."""
    with database.write() as catalog:
        collection = catalog.collections.create("papers", None, {}).id
        for source in "abc":
            put(catalog, collection, source)
    return collection


def passage_of(catalog: Catalog, document: int) -> PassageId:
    return catalog.passages.of_document(DocumentId(document))[0].id


def test_a_later_judgment_of_the_same_query_and_document_replaces_the_author_s_own(
    database: Database, papers: CollectionId
) -> None:
    with database.write() as catalog:
        first = passage_of(catalog, 1)
        assert catalog.judgments.put(papers, [NewJudgment("a  Query", DocumentId(1), first, 1.0)]) == 1
        catalog.judgments.put(papers, [NewJudgment("A query", DocumentId(1), None, 0.0)])
        catalog.judgments.put(papers, [NewJudgment("a query", DocumentId(1), None, 2.0)], author="ada")
        assert [(one.grade, one.author) for one in catalog.judgments.all(papers)] == [(0.0, ""), (2.0, "ada")]
        [one] = catalog.judgments.of_query(papers, "A QUERY ")
        assert (one.grade, one.source, one.is_relevant) == (2.0, "a", True)
        assert catalog.judgments.of_query(papers, "another") == []


def test_of_two_judgments_given_at_once_the_later_counts_and_wrong_ones_write_nothing(
    database: Database, papers: CollectionId
) -> None:
    with database.write() as catalog:
        both = [NewJudgment("q", DocumentId(1), None, 1.0), NewJudgment("Q", DocumentId(1), None, 0.0)]
        assert catalog.judgments.put(papers, both) == 1
        with pytest.raises(UnknownDocument, match="9"):
            catalog.judgments.put(papers, [NewJudgment("q", DocumentId(2)), NewJudgment("q", DocumentId(9))])
        with pytest.raises(UnknownPassage):
            catalog.judgments.put(papers, [NewJudgment("q", DocumentId(2), passage_of(catalog, 3))])
        for query, grade in (("  ", 1.0), ("q", -1.0), ("q", float("nan")), ("q", 1001.0)):
            with pytest.raises(Invalid):
                catalog.judgments.put(papers, [NewJudgment(query, DocumentId(2), None, grade)])
        assert [one.grade for one in catalog.judgments.all(papers)] == [0.0]


def test_judgments_outlive_their_document_and_are_there_again_when_it_comes_back(
    database: Database, papers: CollectionId
) -> None:
    with database.write() as catalog:
        catalog.judgments.put(papers, [NewJudgment("q", DocumentId(2), passage_of(catalog, 2), 1.0)])
        catalog.documents.remove([DocumentId(2)])
    with database.write() as catalog:
        assert catalog.judgments.of_query(papers, "q") == []
        [kept] = catalog.judgments.all(papers)
        assert (kept.document_id, kept.passage_id, kept.source) == (None, None, "b")
        again = put(catalog, papers, "b")
        assert again != 2
        assert [one.document_id for one in catalog.judgments.of_query(papers, "q")] == [again]
        catalog.judgments.put(papers, [NewJudgment("q", again, None, 0.0)])
        assert [one.grade for one in catalog.judgments.all(papers)] == [0.0]


def test_judged_queries_are_counted_and_taken_back(database: Database, papers: CollectionId) -> None:
    with database.write() as catalog:
        given = [("old", 1, 1.0), ("new", 1, 1.0), ("new", 2, 3.0), ("new", 3, 0.0)]
        catalog.judgments.put(papers, [NewJudgment(q, DocumentId(d), None, g) for q, d, g in given])
        found = [(one.query, one.relevant, one.irrelevant) for one in catalog.judgments.queries(papers)]
        assert found == [("new", 2, 1), ("old", 1, 0)]
        assert catalog.judgments.remove(papers, "NEW", [2, 9]) == 1
        assert catalog.judgments.remove(papers, "new") == 2
        assert catalog.judgments.count(papers) == 1


def test_statements_do_not_grow_with_the_judgments(database: Database, papers: CollectionId) -> None:
    def counted(number: int) -> int:
        seen: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
        with database.write() as catalog:
            catalog.judgments.put(papers, [NewJudgment(f"q {n}", DocumentId(n % 3 + 1)) for n in range(number)])
            catalog.judgments.of_query(papers, "q 1")
            catalog.judgments.queries(papers)
        return len(seen)

    assert counted(300) <= counted(3) + 1


def test_keys_of_queries_differ_where_their_words_do() -> None:
    assert query_key("The  Bank ") == query_key("the bank") != query_key("the banks")


# ------------------------------------------------------------------------------------------------ saved searches


def test_what_is_there_counts_as_seen_when_a_search_is_saved_and_when_somebody_looks(
    database: Database, papers: CollectionId
) -> None:
    with database.write() as catalog:
        saved = catalog.saved.add(papers, " My  search ", "q", {"mode": "lexical"})
        assert (saved.name, saved.seen_passage) == ("My search", passage_of(catalog, 3))
        new = put(catalog, papers, "d")
        catalog.saved.look(saved.id)
        assert catalog.saved.get(saved.id).seen_passage == passage_of(catalog, new)
        with pytest.raises(AlreadyExists, match="My search"):
            catalog.saved.add(papers, "My search", "q", {})
        for name, query in (("", "q"), ("x" * 201, "q"), ("x", " ")):
            with pytest.raises(Invalid):
                catalog.saved.add(papers, name, query, {})


def test_a_check_that_somebody_overtook_by_looking_tells_nothing(database: Database, papers: CollectionId) -> None:
    from riparian.catalog.saved import FreshHit

    with database.write() as catalog:
        saved = catalog.saved.add(papers, "s", "q", {})
        hit = FreshHit(DocumentId(1), passage_of(catalog, 1))
        catalog.saved.found(saved.id, [hit], saved.seen_passage)
        assert catalog.saved.named(papers, "s").fresh == (hit,)
        put(catalog, papers, "d")
        catalog.saved.look(saved.id)
        catalog.saved.found(saved.id, [hit], saved.seen_passage)
        assert catalog.saved.named(papers, "s").fresh == ()
        catalog.saved.remove(saved.id)
        catalog.saved.found(saved.id, [hit], saved.seen_passage)  # it is gone: nothing to tell
        with pytest.raises(UnknownSavedSearch, match="there is: none yet"):
            catalog.saved.named(papers, "s")


# ------------------------------------------------------------------------------------------------ the reading list


def test_an_item_keeps_its_note_tags_and_title_beyond_its_document(database: Database, papers: CollectionId) -> None:
    with database.write() as catalog:
        item = catalog.reading.add(
            passage_id=passage_of(catalog, 1), note=" why ", tags=["b", " a ", "b", ""], query="q"
        )
        assert (item.document_id, item.title, item.note, item.tags) == (1, "A", "why", ("a", "b"))
        other = catalog.reading.add(DocumentId(2), tags=["b"])
        assert [one.id for one in catalog.reading.all(papers)] == [other.id, item.id]
        assert [one.id for one in catalog.reading.all(papers, "a")] == [item.id]
        assert catalog.reading.tags(papers) == {"a": 1, "b": 2}
        changed = catalog.reading.change(item.id, tags=["c"])
        assert (changed.note, changed.tags) == ("why", ("c",))
        catalog.documents.remove([DocumentId(1)])
    with database.write() as catalog:
        kept = catalog.reading.get(item.id)
        assert (kept.document_id, kept.passage_id, kept.title, kept.source) == (None, None, "A", "a")
        catalog.reading.remove(item.id)
        with pytest.raises(UnknownReadingItem):
            catalog.reading.get(item.id)
        assert catalog.reading.tags(papers) == {"b": 1}


def test_what_cannot_be_put_aside_is_refused(database: Database, papers: CollectionId) -> None:
    with database.write() as catalog:
        for wrong, error in (
            ({}, Invalid),
            ({"document_id": 9}, UnknownDocument),
            ({"document_id": 1, "passage_id": passage_of(catalog, 2)}, UnknownPassage),
            ({"document_id": 1, "note": "x" * 20_001}, Invalid),
            ({"document_id": 1, "tags": ["x" * 101]}, Invalid),
            ({"document_id": 1, "tags": [str(number) for number in range(51)]}, Invalid),
        ):
            with pytest.raises(error):
                catalog.reading.add(**wrong)  # type: ignore[arg-type]
