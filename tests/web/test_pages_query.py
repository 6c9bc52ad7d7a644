"""A search as its address says it: read, changed, written back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from riparian.errors import BadFilter, BadQuery
from riparian.types import FacetValue, Mode
from web.pages import facets
from web.pages.query import Query, read


def asked(**values: str | list[str]) -> Query:
    return read(MultiDict(values), 0.5)


def test_an_empty_address_asks_for_both_ways_with_the_usual_weight() -> None:
    assert asked() == Query("", Mode.HYBRID, 0.5)


@given(
    text=st.text(max_size=20).map(str.strip),
    mode=st.sampled_from(Mode),
    weight=st.integers(0, 100).map(lambda n: n / 100),
    filters=st.lists(st.sampled_from(["type:pdf", "author:Ann Lee", "topic:3", "path:a&b=c"]), unique=True),
    since=st.sampled_from(["", "2001", "2001-05-03"]),
    offset=st.integers(0, 500),
)
def test_an_address_read_again_asks_the_same(
    text: str, mode: Mode, weight: float, filters: list[str], since: str, offset: int
) -> None:
    query = Query(text, mode, weight if mode is Mode.HYBRID else 0.5, tuple(filters), since, "", offset)
    assert read(MultiDict(query.address()), 0.5) == query


@pytest.mark.parametrize(
    "values", [{"mode": "magic"}, {"weight": "heavy"}, {"weight": "nan"}, {"weight": "1.5"}, {"offset": "-1"}]
)
def test_an_address_that_cannot_be_meant_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(BadQuery):
        asked(**values)


def test_a_filter_that_cannot_be_understood_is_named() -> None:
    with pytest.raises(BadFilter, match="2001-13"):
        asked(since="2001-13").conditions()


def test_choosing_a_facet_value_narrows_from_the_first_page_and_choosing_it_again_takes_it_back() -> None:
    query = asked(q="bank", filter=["type:pdf"], offset="20")
    narrowed = query.narrowed("author:Lee")
    assert (narrowed.filters, narrowed.offset) == (("type:pdf", "author:Lee"), 0)
    assert narrowed.narrowed("author:Lee") == narrowed
    assert narrowed.widened("author:Lee") == query.at(0)


def test_dates_of_the_form_can_be_taken_back_one_by_one() -> None:
    query = asked(q="bank", since="2001", until="2002-03")
    assert query.expressions == ["date>=2001", "date<=2002-03"]
    assert query.widened("date>=2001").expressions == ["date<=2002-03"]


def test_facets_are_links_with_their_counts_in_a_fixed_order() -> None:
    found = {
        "author": (FacetValue("Lee", 2),),
        "year": (FacetValue("2001", 5), FacetValue("1999", 1)),
        "type": (),
        "meta.tags": (FacetValue("flood", 3),),
    }
    groups = facets.groups(found, asked(q="bank", filter="date:2001"))
    assert [(g.title, [(v.label, v.count, v.chosen) for v in g.links]) for g in groups] == [
        ("Year", [("2001", 5, True), ("1999", 1, False)]),
        ("Author", [("Lee", 2, False)]),
        ("Tags", [("flood", 3, False)]),
    ]
    assert groups[0].links[0].query.filters == ()
    assert groups[1].links[0].query.filters == ("date:2001", "author:Lee")


def test_chosen_filters_are_said_in_words() -> None:
    labels = {"topic": (FacetValue("12", 3, "Floods"),)}
    query = asked(filter=["topic:12", "author:", "type:pdf"], since="2001")
    said = [filter_.label for filter_ in facets.chosen(labels, query)]
    assert said == ["Topic: Floods", "Author: none", "Type: pdf", "Date from 2001"]
