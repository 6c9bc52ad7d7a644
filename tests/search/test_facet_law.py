"""Counts are exact: over random archives, queries and filters, in every mode, at any depth."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riparian.types import Condition, Document, Filters, Mode
from search.facets import FacetColumns
from search.request import Rerank, SearchRequest
from search.service import SearchService
from tests.search.stated import StatedWorld
from tests.search.world import Text, World

FIELDS = ("type", "author", "year", "language", "meta.tags", "meta.shelf")
NOUNS = ("river", "storm", "bread", "oven", "bank", "interest", "boat", "invoice", "dough", "gravel")
TAGS = ("water", "café", 'say "hi"', "50%", "a_b", "[x]")
AUTHORS = ("Ada", "Bo", "")
CONDITIONS = [
    Condition("type", "in", ("txt", "md")),
    Condition("author", "in", ("Ada",)),
    Condition("author", "missing", ()),
    Condition("date", ">=", ("2001",)),
    Condition("date", "<=", ("2001-06",)),
    Condition("meta.tags", "in", ("water", "50%")),
    Condition("meta.shelf", "in", ("2",)),
    Condition("path", "prefix", ("a/",)),
    Condition("title", "contains", ("RIVER",)),
]


def text(number: int, random: random.Random) -> Text:
    def sentence() -> str:
        return f"{' '.join(random.choices(NOUNS, k=random.randint(2, 6)))} {number}.".capitalize()

    return Text(
        f"{random.choice('ab')}/{number}.txt",
        "\n\n".join(sentence() for _ in range(random.randint(1, 3))),
        title=random.choice(("", "River tales", "Bread")),
        type=random.choice(("txt", "md", "pdf")),
        language=random.choice(("en", "de", "")),
        author=random.choice(AUTHORS),
        date=random.choice((None, date(2001, 3, 1), date(2001, 12, 31), date(2002, 1, 1))),
        metadata={"tags": random.sample(TAGS, random.randint(0, 3)), "shelf": random.choice(("1", "2", "[x]"))},
    )


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("big"))
    chance = random.Random(7)
    world.fill(*(text(number, chance) for number in range(90)))
    return world


def at_depth(world: World, depth: int) -> SearchService:
    return SearchService(world.database, world.encoders, world.vectors, world.lexical, depth=depth)


def values_of(document: Document, field: str) -> set[str]:
    if field == "year":
        return {str(document.date.year)} if document.date else set()
    found = document.metadata.get(field[5:]) if field.startswith("meta.") else getattr(document, field)
    return set(found) if isinstance(found, list) else {found} - {""}


REQUESTS = st.builds(
    lambda words, mode, conditions: SearchRequest(
        "papers", words, mode, Filters(tuple(conditions)), facets=FIELDS, k=1000, collapse=False, sentences=False
    ),
    st.lists(st.sampled_from([*NOUNS, "-storm", "+river", '"bread oven"']), min_size=1, max_size=3).map(" ".join),
    st.sampled_from(list(Mode)),
    st.lists(st.sampled_from(CONDITIONS), max_size=2),
)
LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LAW
@given(request=REQUESTS, depth=st.sampled_from([3, 20, 1000]))
def test_facets_count_the_hits_that_the_total_counts(big, request, depth):
    answer = at_depth(big, depth).search(request)
    counted = answer.hits[: answer.total]
    for field, found in answer.facets.items():
        by_hand = Counter(value for hit in counted for value in values_of(hit.document, field))
        assert {value.value: value.count for value in found} == by_hand, field


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> StatedWorld:
    world = StatedWorld(tmp_path_factory.mktemp("stated"))
    chance = random.Random(7)
    world.fill(*(text(number, chance) for number in range(40)))
    return world


FEW = settings(LAW, max_examples=8)


@FEW
@given(request=REQUESTS, depth=st.sampled_from([3, 20]), chance=st.randoms(use_true_random=False))
def test_with_re_ranking_facets_count_the_hits_and_a_value_as_one_more_filter_leaves_its_count(
    stated, request, depth, chance
):
    search = stated.at_depth(depth)
    request = replace(request, rerank=Rerank.MAXSIM)
    answer = search.search(request)
    assert {hit.document.id for hit in answer.hits[: answer.total]} == set(answer.counted.tolist())
    for field, found in answer.facets.items():
        by_hand = Counter(value for hit in answer.hits[: answer.total] for value in values_of(hit.document, field))
        assert {value.value: value.count for value in found} == by_hand, field
    shown = [(field, value) for field, values in answer.facets.items() for value in values]
    for field, value in chance.sample(shown, min(3, len(shown))):
        condition = Condition("date" if field == "year" else field, "in", (value.value,))
        narrower = replace(request, filters=Filters((*request.filters.conditions, condition)))
        assert search.search(narrower).total == value.count, (field, value)


def test_the_law_with_re_ranking_is_asked_of_re_ranked_answers(stated):
    assert stated.at_depth(20).search(SearchRequest("papers", "river storm boat")).rerank == "maxsim"


@LAW
@given(documents=st.sets(st.integers(1, 95)).map(sorted))
def test_facets_are_what_sql_counts(big, documents):
    ids = np.array(documents, dtype=np.int64)
    with big.database.read() as catalog:
        collection = catalog.collections.get(big.id)
        counted = FacetColumns().count(catalog, collection, ids, (*FIELDS, "topic"))
        assert counted == catalog.facets.count(big.id, ids, (*FIELDS, "topic"))


@LAW
@given(request=REQUESTS, depth=st.sampled_from([3, 20, 1000]), chance=st.randoms(use_true_random=False))
def test_a_facet_value_as_one_more_filter_leaves_its_count(big, request, depth, chance):
    search = at_depth(big, depth)
    answer = search.search(request)
    shown = [(field, value) for field, values in answer.facets.items() for value in values]
    for field, value in chance.sample(shown, min(3, len(shown))):
        condition = Condition("date" if field == "year" else field, "in", (value.value,))
        narrower = Filters((*request.filters.conditions, condition))
        narrowed = search.search(SearchRequest("papers", request.query, request.mode, narrower, k=1000))
        assert narrowed.total == value.count, (field, value)


@LAW
@given(request=REQUESTS, depth=st.sampled_from([3, 20]))
def test_a_semantic_search_under_a_filter_is_exact_beyond_what_counts(big, request, depth):
    """However few pass, the nearest `depth` of those that meet the filters are there, in order."""
    semantic = SearchRequest("papers", request.query, Mode.SEMANTIC, request.filters, k=1000, collapse=False)
    every = at_depth(big, 1000).search(semantic)
    some = at_depth(big, depth).search(semantic)
    assert [hit.document.id for hit in some.hits] == [hit.document.id for hit in every.hits][:depth]


def test_a_note_says_that_hits_lie_beyond_what_counts(big: World, tmp_path: Path):
    request = SearchRequest("papers", "storm", Mode.SEMANTIC, Filters((CONDITIONS[0],)), k=30)
    answer = at_depth(big, 20).search(request)
    assert answer.total < len(answer.hits) == 20
    assert answer.notes[-1].endswith("of the documents that meet the filters match; the nearest others follow")
