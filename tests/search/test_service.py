"""What a search answers, over a small archive indexed for real."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event

from riparian.catalog.filters import parse
from riparian.errors import BadQuery, IndexMismatch, NotIndexedYet, UnknownCollection, UnknownDocument, UnknownPassage
from riparian.types import Condition, DocumentId, Filters, Hit, Mode, PassageId, SearchAnswer, Span
from search.request import Fusion, Page, SearchRequest
from tests.search.world import ARCHIVE, BANKS, FLOODS, Text, World

FLOOD, BANK, BREAD, BROT, RIVER = (DocumentId(number) for number in range(1, 6))
MODES = pytest.mark.parametrize("mode", list(Mode))


def ask(world: World, query: str, mode: Mode = Mode.HYBRID, *filters: str, **more: object) -> SearchAnswer:
    return world.search.search(SearchRequest("papers", query, mode, parse(filters), **more))  # type: ignore[arg-type]


def documents(answer: SearchAnswer) -> list[int]:
    return [hit.document.id for hit in answer.hits]


def marked(world: World, hit: Hit) -> list[str]:
    with world.database.read() as catalog:
        text = catalog.documents.text(hit.document.id)
    return [text[span.start : span.end] for span in hit.highlights]


def sentence(hit: Hit) -> str:
    assert hit.best_sentence is not None
    start = hit.passage.start
    return hit.passage.text[hit.best_sentence.start - start : hit.best_sentence.end - start]


# -------------------------------------------------------------------------------------------- ranking


def test_lexical_search_ranks_exactly_the_documents_that_hold_a_word(archive):
    answer = ask(archive, "river storm", Mode.LEXICAL)
    assert documents(answer) == [RIVER, FLOOD]
    assert answer.total == 2
    assert answer.weight == 0
    assert [part.retriever for part in answer.hits[0].parts] == ["lexical"]
    assert answer.hits[0].score == answer.hits[0].parts[0].raw


def test_semantic_search_ranks_every_document_of_a_small_collection(archive):
    answer = ask(archive, "river storm", Mode.SEMANTIC)
    assert set(documents(answer)) == {FLOOD, BANK, BREAD, BROT, RIVER}
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert answer.hits[0].score == answer.hits[0].parts[0].raw
    assert answer.encoder == "hashed character n-grams, 256 dimensions"


def test_a_hybrid_score_is_the_weighted_sum_of_its_scaled_parts(archive):
    answer = ask(archive, "river storm insurance", weight=0.25)
    for hit in answer.hits:
        parts = {part.retriever: part.scaled for part in hit.parts}
        assert hit.score == pytest.approx(0.25 * parts["semantic"] + 0.75 * parts.get("lexical", 0.0))
    assert answer.weight == 0.25


@pytest.mark.parametrize(("weight", "mode"), [(1.0, Mode.SEMANTIC), (0.0, Mode.LEXICAL)])
def test_the_ends_of_the_weight_are_the_single_searches(archive, weight, mode):
    alone = documents(ask(archive, "smooth water", mode))
    assert documents(ask(archive, "smooth water", weight=weight))[: len(alone)] == alone


def test_reciprocal_rank_fusion_scores_by_rank_alone(archive):
    answer = ask(archive, "river storm", fusion=Fusion.RECIPROCAL_RANK)
    first = answer.hits[0]
    assert first.document.id == RIVER
    assert first.score == pytest.approx(sum(0.5 / (60 + part.rank) for part in first.parts))


@MODES
def test_the_same_question_gives_the_same_answer(archive, mode):
    assert ask(archive, "water in the river", mode) == ask(archive, "water in the river", mode)


@MODES
def test_pages_side_by_side_are_the_whole_ranking(archive, mode):
    whole = ask(archive, "river smooth", mode, k=10)
    pages = [hit for offset in range(0, 6, 2) for hit in ask(archive, "river smooth", mode, k=2, offset=offset).hits]
    assert pages == list(whole.hits)
    assert [hit.rank for hit in pages] == list(range(1, len(pages) + 1))


@MODES
def test_equal_documents_stand_in_the_order_of_their_ids(world, mode):
    ids = world.fill(*(Text(f"{number}.txt", "The same words of the river.") for number in range(7)))
    assert documents(ask(world, "river", mode)) == ids


def test_an_identifier_wins_in_a_hybrid_search(archive):
    answer = ask(archive, "INV-2041/7")
    assert answer.hits[0].document.id == FLOOD
    assert "INV-2041/7" in " ".join(marked(archive, answer.hits[0]))
    assert answer.weight == 0
    assert answer.notes == ("the query is an identifier: the documents that hold it come first",)
    assert ask(archive, "INV-2041/7", weight=0.5).weight == ask(archive, "INV-2041/7 river").weight == 0.5


def test_an_identifier_wins_over_documents_that_only_look_like_it(world):
    ids = world.fill(
        *(Text(f"{n}.txt", f"CVE-2023-{n} CVE-2023-{n}.") for n in range(30580, 30589)),
        Text("long.txt", "A long report of many other words about parsers " * 20 + "names CVE-2023-30589 in passing."),
    )
    assert documents(ask(world, "CVE-2023-30589"))[0] == ids[-1]


# -------------------------------------------------------------------------------------------- operators


@pytest.mark.parametrize("mode", [Mode.SEMANTIC, Mode.HYBRID])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"smooth river bed"', {RIVER}),
        ("water +storm", {FLOOD, RIVER}),
        ("river -storm", {BANK, BREAD, BROT}),
        ("river NOT storm", {BANK, BREAD, BROT}),
        ("river AND insurance", {FLOOD}),
        ("title:bread", {BREAD}),
    ],
)
def test_what_the_query_requires_or_excludes_holds_for_the_semantic_side_too(archive, mode, query, expected):
    answer = ask(archive, query, mode)
    assert set(documents(answer)) == expected
    assert answer.total == len(expected)


def test_bare_words_are_wishes(archive):
    assert ask(archive, "river unheard-of", Mode.SEMANTIC).total == 5


def test_a_query_that_only_excludes_is_answered_by_words(archive):
    answer = ask(archive, "-storm")
    assert documents(answer) == [BANK, BREAD, BROT]
    assert answer.notes == (
        "the encoder (hashed character n-grams, 256 dimensions) knows no word of this; meaning finds nothing",
    )
    assert ask(archive, "-storm", Mode.SEMANTIC).hits == ()


# -------------------------------------------------------------------------------------------- filters and facets


@MODES
def test_hits_meet_the_filters(archive, mode):
    answer = ask(archive, "river bread", mode, "author:Ada")
    assert set(documents(answer)) <= {FLOOD, BREAD}
    assert answer.total == 2


def test_a_filter_that_nothing_meets_leaves_nothing(archive):
    answer = ask(archive, "river", Mode.HYBRID, "author:Nobody", facets=("type",))
    assert (answer.hits, answer.total, answer.facets) == ((), 0, {"type": ()})


def test_facets_count_what_is_ranked(archive):
    answer = ask(archive, "river storm", Mode.LEXICAL, facets=("type", "author", "year", "language", "meta.tags"))
    found = {field: {value.value: value.count for value in values} for field, values in answer.facets.items()}
    assert found == {
        "type": {"txt": 2},
        "author": {"Ada": 1, "Cy": 1},
        "year": {"2001": 1, "2002": 1},
        "language": {"en": 2},
        "meta.tags": {"water": 2, "town": 1},
    }


@MODES
@pytest.mark.parametrize("query", ["river storm", "smooth -insurance", '"the river"', "brot OR bread"])
def test_a_facet_value_as_a_filter_leaves_exactly_its_count(archive, mode, query):
    answer = ask(archive, query, mode, facets=("type", "author", "year", "language", "meta.tags"))
    for field, values in answer.facets.items():
        for value in values:
            filters = Filters((Condition("date" if field == "year" else field, "in", (value.value,)),))
            narrowed = archive.search.search(SearchRequest("papers", query, mode, filters))
            assert narrowed.total == value.count == len(narrowed.hits), (field, value)


@MODES
def test_hits_counted_by_hand_are_the_facets(archive, mode):
    answer = ask(archive, "river bread", mode, facets=("type",), collapse=False)
    by_hand = Counter(hit.document.type for hit in answer.hits)
    assert {value.value: value.count for value in answer.facets["type"]} == by_hand
    assert len(answer.hits) == answer.total


# -------------------------------------------------------------------------------------------- duplicates


def test_near_duplicates_are_one_hit_that_says_how_many_there_are(fresh):
    [copy] = fresh.fill(Text("copies/flood.txt", FLOODS.text, title=FLOODS.title))
    fresh.group(FLOOD, copy, group=1)
    collapsed = ask(fresh, "cellars river", Mode.LEXICAL)
    assert documents(collapsed) == [FLOOD, RIVER]
    assert [hit.duplicates for hit in collapsed.hits] == [1, 0]
    assert collapsed.total == 3
    expanded = ask(fresh, "cellars river", Mode.LEXICAL, collapse=False)
    assert documents(expanded) == [FLOOD, copy, RIVER]
    assert [hit.duplicates for hit in expanded.hits] == [0, 0, 0]


def test_the_best_of_a_group_stands_for_it_under_filters_too(fresh):
    [copy] = fresh.fill(Text("copies/flood.txt", FLOODS.text, type="eml"))
    fresh.group(FLOOD, copy, group=1)
    [hit] = ask(fresh, "insurance", Mode.LEXICAL, "type:eml").hits
    assert (hit.document.id, hit.duplicates) == (copy, 0)


# -------------------------------------------------------------------------------------------- passages and marks


@MODES
def test_a_hit_shows_the_passage_that_answers(archive, mode):
    hit = next(hit for hit in ask(archive, "insurance for damaged cellars", mode).hits if hit.document.id == FLOOD)
    assert hit.passage.position == 1
    assert marked(archive, hit) == ["Insurance", "for", "damaged", "cellars"] or marked(archive, hit) == [
        "Insurance",
        "damaged",
        "cellars",
    ]
    assert sentence(hit) == "Insurance paid for the damaged cellars."
    assert hit.place is not None and (hit.place.kind, hit.place.number) == ("page", 2)


def test_several_passages_of_a_document_are_shown_on_request(archive):
    hit = next(hit for hit in ask(archive, "insurance storm", passages=3).hits if hit.document.id == FLOOD)
    assert {hit.passage.position, *(excerpt.passage.position for excerpt in hit.more)} == {0, 1}
    assert all(excerpt.best_sentence is not None for excerpt in hit.more)
    assert all(not hit.more for hit in ask(archive, "insurance storm").hits)


def test_sentences_are_not_looked_for_when_not_wanted(archive):
    assert all(hit.best_sentence is None for hit in ask(archive, "river", sentences=False).hits)


def test_marks_of_a_whole_document(archive):
    spans = archive.search.marks(FLOOD, "river invoice")
    assert [FLOODS.text[span.start : span.end] for span in spans] == ["river", "invoice"]
    assert archive.search.marks(FLOOD, " ?! ") == ()


def test_marks_of_a_part_of_a_document_are_those_that_lie_in_it(archive):
    first, second = archive.search.marks(FLOOD, "river invoice")
    assert archive.search.marks(FLOOD, "river invoice", Span(second.start - 5, second.end)) == (second,)
    assert archive.search.marks(FLOOD, "river invoice", Span(first.start, first.end)) == (first,)


def test_highlights_count_code_points(world):
    world.fill(Text("a.txt", "🌊🌊 naïve cafés stood at the river 𝄞 bank"))
    [hit] = ask(world, "river", Mode.LEXICAL).hits
    assert hit.highlights == (Span(28, 33),)


# -------------------------------------------------------------------------------------------- while indexing


def test_before_anything_is_embedded_words_answer_and_the_answer_says_so(world):
    world.put(*ARCHIVE)
    world.index()
    answer = ask(world, "river")
    assert documents(answer) == documents(ask(world, "river", Mode.LEXICAL))
    assert answer.notes == ("embedding still runs: 0 of 7 passages of 'papers' are embedded; answered by words alone",)
    assert answer.weight == 0
    with pytest.raises(NotIndexedYet, match="0 of 7 passages"):
        ask(world, "river", Mode.SEMANTIC)


def test_what_is_embedded_so_far_is_found_by_meaning(world):
    world.put(*ARCHIVE)
    world.index()
    world.embed(limit=3)
    answer = ask(world, "river", Mode.SEMANTIC)
    assert set(documents(answer)) == {FLOOD, BANK}
    assert answer.notes == ("embedding still runs: 3 of 7 passages can be found by meaning",)


def test_words_that_are_not_indexed_yet_are_owned_up_to(world):
    world.put(FLOODS)
    assert ask(world, "river", Mode.LEXICAL).notes == (
        "1 changes are not in the lexical index yet; new words may not be found",
    )


def test_a_removed_document_is_never_a_hit(fresh):
    with fresh.database.write() as catalog:
        catalog.documents.remove([RIVER])
        catalog.collections.touch(fresh.id)
    for mode in Mode:  # the lexical index has not heard of it yet
        answer = ask(fresh, "river storm", mode)
        assert RIVER not in documents(answer)
        assert answer.total == len(answer.hits)


def test_an_empty_collection_answers_with_nothing(world):
    answer = ask(world, "river")
    assert (answer.hits, answer.total) == ((), 0)
    assert answer.notes == ("collection 'papers' holds no passages yet; answered by words alone",)


# -------------------------------------------------------------------------------------------- more like this


def test_more_like_a_document_leaves_it_and_its_copies_out(fresh):
    [copy] = fresh.fill(Text("copies/flood.txt", FLOODS.text, title=FLOODS.title))
    fresh.group(FLOOD, copy, group=1)
    answer = fresh.search.similar_to_document(FLOOD, page=Page(facets=("type",)))
    assert answer.hits[0].document.id == RIVER
    assert not {FLOOD, copy} & set(documents(answer))
    assert answer.total == 4 == sum(value.count for value in answer.facets["type"])
    assert answer.query == "Flood of the lower town"


def test_more_like_a_passage_finds_its_words_elsewhere(fresh):
    [twin] = fresh.fill(Text("twin.txt", "Boats need deep water. A smooth river bed makes the water fast."))
    with fresh.database.read() as catalog:
        second = catalog.passages.of_document(RIVER)[1]
    answer = fresh.search.similar_to_passage(second.id)
    assert answer.hits[0].document.id == twin
    assert answer.hits[0].score == pytest.approx(1.0, abs=1e-5)
    assert RIVER not in documents(answer)


def test_more_like_this_needs_no_encoder_without_sentences(fresh, monkeypatch):
    monkeypatch.setattr(fresh.encoders, "of", None)
    assert fresh.search.similar_to_document(FLOOD, page=Page(sentences=False)).hits


def test_more_like_this_can_be_filtered(archive):
    answer = archive.search.similar_to_document(FLOOD, filters=parse(["type:md"]))
    assert set(documents(answer)) == {BREAD, BROT}


def test_more_like_what_is_not_there(archive):
    with pytest.raises(UnknownDocument):
        archive.search.similar_to_document(DocumentId(99))
    with pytest.raises(UnknownPassage):
        archive.search.similar_to_passage(PassageId(99))


def test_more_like_what_is_not_embedded(world):
    world.put(FLOODS, BANKS)
    world.index()
    with pytest.raises(NotIndexedYet, match="0 of 3 passages"):
        world.search.similar_to_document(FLOOD)
    world.embed(limit=2)
    with pytest.raises(NotIndexedYet, match="not embedded yet"):
        world.search.similar_to_document(BANK)


# -------------------------------------------------------------------------------------------- by text


@MODES
def test_a_pasted_text_finds_its_like(archive, mode):
    answer = archive.search.by_text("papers", "My dough was not smooth - so I did NOT bake bread.", mode=mode)
    assert answer.hits[0].document.id == BREAD


def test_a_long_text_is_compared_part_by_part(archive):
    text = " ".join(one.text for one in (FLOODS, BANKS)) * 100
    answer = archive.search.by_text("papers", text, mode=Mode.SEMANTIC)
    assert set(documents(answer)[:2]) == {FLOOD, BANK}
    assert answer.notes[0].startswith("16 of the ")


# -------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("query", ["", "   ", "?!"])
@MODES
def test_a_query_without_a_word_is_refused(archive, query, mode):
    with pytest.raises(BadQuery):
        ask(archive, query, mode)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"k": 0}, "k must lie between 1 and 1000, got 0"),
        ({"offset": -1}, "offset must lie between 0"),
        ({"passages": 50}, "passages must lie between 1 and 20"),
        (
            {"facets": ("type", "text")},
            "no facet 'text'; facets: type, language, author, year, topic, sense, meta.<key>",
        ),
        ({"weight": 1.5}, "must lie between 0 and 1, got 1.5"),
        ({"weight": float("nan")}, "must lie between 0 and 1, got nan"),
    ],
)
def test_what_is_out_of_range_is_refused(archive, more, message):
    with pytest.raises(BadQuery, match=message):
        ask(archive, "river", **more)


def test_an_unknown_collection_is_named(archive):
    with pytest.raises(UnknownCollection, match="no collection named 'paper'; there is: papers"):
        archive.search.search(SearchRequest("paper", "river"))


def test_vectors_of_another_encoder_are_refused(tmp_path: Path):
    world = World(tmp_path)
    world.fill(*ARCHIVE)
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE encoders SET spec = 'hashing:64'")
    with pytest.raises(IndexMismatch):
        ask(world, "river")


# -------------------------------------------------------------------------------------------- cost


def statements(world: World, **more: object) -> int:
    seen: list[str] = []

    def count(_connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(world.engine, "before_cursor_execute", count)
    try:
        ask(world, "river", facets=("type", "author", "topic"), **more)
    finally:
        event.remove(world.engine, "before_cursor_execute", count)
    return len(seen)


def test_the_number_of_statements_does_not_grow_with_the_hits(world):
    world.fill(
        *(Text(f"{number}.txt", f"River number {number}.\n\nSecond paragraph {number}.") for number in range(120))
    )
    first = statements(world, k=2)  # reads what is kept while the collection stays as it is
    few, many = statements(world, k=2), statements(world, k=100, passages=2)
    assert few == many
    assert many <= 12 < first <= 21  # one of each asks for the curve of relevance
