"""Ticks, crosses and examples move an answer; searching inside another search; and what never changes with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.catalog.filters import parse
from riparian.catalog.judgments import IRRELEVANT, RELEVANT, NewJudgment
from riparian.errors import BadQuery, UnknownDocument, UnknownPassage
from riparian.types import DocumentId, Mode, PassageId, SearchAnswer
from search import examples
from search.examples import Example
from search.request import WEIGHT, SearchRequest
from tests.search.world import World

FLOODS, BANKS, BREAD, BROT, RIVERS = (DocumentId(number) for number in range(1, 6))


def ask(world: World, query: str, mode: Mode = Mode.HYBRID, **changes: object) -> SearchAnswer:
    return world.search.search(SearchRequest("papers", query, mode, **changes))  # type: ignore[arg-type]


def order(answer: SearchAnswer) -> list[int]:
    return [hit.document.id for hit in answer.hits]


def score(answer: SearchAnswer, document: DocumentId) -> float:
    return next(hit.score for hit in answer.hits if hit.document.id == document)


def passages(world: World, document: DocumentId) -> list[PassageId]:
    with world.database.read() as catalog:
        return [passage.id for passage in catalog.passages.of_document(document)]


def judge(world: World, query: str, grades: dict[DocumentId, float]) -> None:
    with world.database.write() as catalog:
        catalog.judgments.put(world.id, [NewJudgment(query, one, None, grade) for one, grade in grades.items()])


# -------------------------------------------------------------------------------------------- examples in a query


@pytest.mark.parametrize(
    ("query", "text", "more", "less"),
    [
        ("river like:p12", "river", [Example(passage=PassageId(12))], []),
        ("like:d7^0.5 river", "river", [Example(document=DocumentId(7), weight=0.5)], []),
        ('unlike:"spring tides"^2 river', "river", [], [Example(text="spring tides", weight=2.0)]),
        ("like:flood unlike:p3", "", [Example(text="flood")], [Example(passage=PassageId(3))]),
        ("people like: this", "people like: this", [], []),
        ("unlike: him", "unlike: him", [], []),
        ("x-like:y", "x-like:y", [], []),
        ("like:pa12", "", [Example(text="pa12")], []),
    ],
)
def test_examples_are_read_out_of_a_query(query: str, text: str, more: list[Example], less: list[Example]) -> None:
    assert examples.read(query) == examples.Said(text, tuple(more), tuple(less))


def test_in_a_pasted_text_nothing_is_an_example() -> None:
    pasted = "word " * 70 + "like:p12"
    assert examples.read(pasted) == examples.Said(pasted, (), ())


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_examples(text: str) -> None:
    try:
        said = examples.read(text)
    except BadQuery:
        return
    if not said.more and not said.less:
        assert said.text == text


@pytest.mark.parametrize("query", ["river like:p1^0", "river unlike:x^11"])
def test_a_weight_out_of_range_is_refused(archive: World, query: str) -> None:
    with pytest.raises(BadQuery, match="weight of an example"):
        ask(archive, query)


@pytest.mark.parametrize(
    ("query", "error"), [("river like:p999", UnknownPassage), ("river unlike:d999", UnknownDocument)]
)
def test_an_example_that_is_not_there_is_named(archive: World, query: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="999"):
        ask(archive, query)


# -------------------------------------------------------------------------------------------- moving


@pytest.mark.parametrize("mode", Mode)
def test_more_like_a_document_lifts_it_and_less_like_it_lowers_it(archive: World, mode: Mode) -> None:
    plain = ask(archive, "water bank", mode)
    liked = ask(archive, "water bank", mode, more=(Example(document=BANKS),))
    unliked = ask(archive, "water bank", mode, less=(Example(document=BANKS),))
    place = {name: order(found).index(BANKS) for name, found in (("p", plain), ("l", liked), ("u", unliked))}
    assert place["l"] <= place["p"] <= place["u"] and place["l"] < place["u"]
    assert "moved towards document 2" in liked.notes
    assert "moved away from document 2" in unliked.notes


@pytest.mark.parametrize("mode", [Mode.SEMANTIC, Mode.LEXICAL])
def test_a_heavier_example_pulls_harder(archive: World, mode: Mode) -> None:
    def reached(weight: float) -> float:
        example = Example(passage=passages(archive, RIVERS)[0], weight=weight)
        return score(ask(archive, "water", mode, more=(example,)), RIVERS)

    weights = (0.1, 0.5, 1.0, 4.0)
    assert [reached(one) for one in weights] == sorted({reached(one) for one in weights})


def test_an_example_alone_finds_what_is_like_it(archive: World) -> None:
    [passage] = passages(archive, BREAD)
    for query in (f"like:p{passage}", f"like:d{BREAD}"):
        for mode in Mode:
            assert order(ask(archive, query, mode))[0] == BREAD, (query, mode)


def test_nothing_but_a_push_asks_for_nothing(archive: World) -> None:
    with pytest.raises(BadQuery, match="no word to search for"):
        ask(archive, f"unlike:d{BREAD}")


def test_a_weighted_word_counts_as_often_as_it_says(archive: World) -> None:
    plain = ask(archive, "savings storm", Mode.LEXICAL)
    twice = ask(archive, "savings^2 storm", Mode.LEXICAL)
    alone = ask(archive, "savings", Mode.LEXICAL)
    assert score(twice, BANKS) > score(plain, BANKS) == pytest.approx(score(alone, BANKS), rel=1e-6)
    assert order(ask(archive, "savings^0.1 storm", Mode.LEXICAL))[0] != BANKS
    assert order(ask(archive, "savings^5 storm", Mode.LEXICAL))[0] == BANKS


@given(weight=st.floats(0.25, 4), number=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_examples_change_neither_what_is_counted_nor_what_the_facets_say(
    archive: World, weight: float, number: int
) -> None:
    facets = ("type", "author", "language")
    plain = ask(archive, "the storm", Mode.LEXICAL, facets=facets)
    moved = ask(
        archive, "the storm", Mode.LEXICAL, facets=facets, more=(Example(document=DocumentId(number), weight=weight),)
    )
    assert (moved.total, moved.facets) == (plain.total, plain.facets)
    assert set(order(plain)) <= set(order(moved))


# -------------------------------------------------------------------------------------------- judgments


def test_a_crossed_document_comes_last_and_a_tick_moves_the_answer_to_that_query_alone(fresh: World) -> None:
    before, other = ask(fresh, "the river"), ask(fresh, "water")
    first = DocumentId(order(before)[0])
    judge(fresh, "the  River", {first: IRRELEVANT, BANKS: RELEVANT})
    after = ask(fresh, "the river")
    assert order(after)[-1] == first and sorted(order(after)) == sorted(order(before))
    assert order(after).index(BANKS) <= order(before).index(BANKS)
    assert "moved by 1 tick, 1 cross given to this query" in after.notes
    assert ask(fresh, "water") == other
    assert ask(fresh, "the river", feedback=False) == before


def test_judgments_of_a_document_that_is_gone_move_nothing(fresh: World) -> None:
    before = ask(fresh, "the river")
    judge(fresh, "the river", {BREAD: RELEVANT})
    with fresh.database.write() as catalog:
        catalog.documents.remove([BREAD])
        catalog.collections.touch(fresh.id)
    fresh.index()
    after = ask(fresh, "the river")
    assert after.notes == before.notes
    assert order(after) == [one for one in order(before) if one != BREAD]


def test_the_moved_vector_is_rocchios(archive: World) -> None:
    """The formula of the module, from the stored vectors by hand."""
    from search import steering

    encoder = archive.encoders.of(archive.encoder)  # type: ignore[arg-type]
    query = encoder.encode_passages(["boats"], "query")[0].astype(np.float64)
    snapshot = archive.vectors.snapshot(archive.id, archive.encoder)  # type: ignore[arg-type]
    liked, unliked = (
        snapshot.view.vectors(np.array(passages(archive, one)[:1], dtype=np.int64))[0].astype(np.float64)
        for one in (RIVERS, BANKS)
    )
    moved = query + steering.TOWARDS * liked - steering.AWAY * unliked
    moved /= np.linalg.norm(moved)
    more, less = (Example(passage=passages(archive, one)[0]) for one in (RIVERS, BANKS))
    found = ask(archive, "boats", Mode.SEMANTIC, more=(more,), less=(less,))
    for hit in found.hits:
        rows = snapshot.view.vectors(np.array(passages(archive, hit.document.id), dtype=np.int64))
        assert hit.score == pytest.approx(float((rows @ moved).max()), abs=1e-5)


# -------------------------------------------------------------------------------------------- within


def test_a_search_by_words_inside_another_finds_what_both_find(archive: World) -> None:
    river, storm = (set(order(ask(archive, query, Mode.LEXICAL))) for query in ("river", "storm"))
    inside = ask(archive, "river", Mode.LEXICAL, within=("storm",))
    assert set(order(inside)) == river & storm and inside.total == len(river & storm)
    assert order(ask(archive, "oven", Mode.LEXICAL, within=("river", "storm"))) == []


def test_too_many_searches_inside_each_other_are_refused(archive: World) -> None:
    with pytest.raises(BadQuery, match="within at most 5 others, not 6"):
        ask(archive, "river", within=("water",) * 6)


@given(
    outer=st.sampled_from(["river", "storm", "water money", "bread oven"]),
    query=st.sampled_from(["water", "smooth bread", "banks"]),
    mode=st.sampled_from(Mode),
    field=st.sampled_from(["type", "author", "language", "meta.tags"]),
)
@settings(max_examples=12, deadline=None)
def test_a_facet_of_a_search_inside_another_counts_what_is_left_when_it_becomes_a_filter(
    archive: World, outer: str, query: str, mode: Mode, field: str
) -> None:
    found = ask(archive, query, mode, within=(outer,), facets=(field,))
    for value in found.facets[field]:
        filters = parse([f"{field}:{value.value}"])
        assert ask(archive, query, mode, within=(outer,), filters=filters).total == value.count
        with archive.database.read() as catalog:
            allowed = set(catalog.documents.ids(archive.id, filters).tolist())
        hits = ask(archive, query, mode, within=(outer,)).hits
        assert value.count <= len(allowed) and len([h for h in hits if h.document.id in allowed]) >= value.count


# -------------------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("query", ["the river", "savings money", "INV-2041/7", "oven"])
def test_a_search_at_several_weights_stands_as_each_of_them_alone_would(fresh: World, query: str) -> None:
    weights = (0.0, 0.3, 0.5, 1.0)
    together = [s.ranked.ranking for s in fresh.search.at_weights(SearchRequest("papers", query), weights)]
    for weight, found in zip(weights, together, strict=True):
        with fresh.database.write() as catalog:
            catalog.collections.set_settings(fresh.id, {WEIGHT: weight})
        alone = fresh.search.standing(SearchRequest("papers", query)).ranked.ranking
        assert (found.ids.tolist(), found.scores.tolist()) == (alone.ids.tolist(), alone.scores.tolist())
