"""The law of the sense facet: what it counts is what SQL counts, and a sense as one more filter leaves its count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from riparian.types import Condition, Filters, Mode
from search.request import SearchRequest
from tests.senses.conftest import Archive

CONDITIONS = (
    Condition("date", ">=", ("2003",)),
    Condition("date", "<=", ("2008-06",)),
    Condition("path", "prefix", ("river-1",)),
    Condition("title", "contains", ("money",)),
)
COUNTED = """
    SELECT o.sense_id, count(DISTINCT p.document_id) FROM sense_occurrences o JOIN passages p ON p.id = o.passage_id
    JOIN senses s ON s.id = o.sense_id WHERE s.shown GROUP BY o.sense_id
"""


@pytest.fixture(scope="module")
def looked_at(read_only: Archive) -> tuple[int, ...]:
    return tuple(int(sense.id) for sense in read_only.senses.find("papers", "bank").senses)


def by_sql(archive: Archive, documents: set[int]) -> dict[str, int]:
    among = ",".join(str(one) for one in sorted(documents)) or "0"
    statement = COUNTED.replace("WHERE s.shown", f"WHERE s.shown AND p.document_id IN ({among})")
    with archive.world.engine.connect() as connection:
        return {str(sense): count for sense, count in connection.execute(text(statement))}


@settings(max_examples=15, deadline=None)
@given(
    query=st.sampled_from(["bank", "river bank", "loans", "town -money"]),
    mode=st.sampled_from([Mode.LEXICAL, Mode.HYBRID]),
    conditions=st.lists(st.sampled_from(CONDITIONS), max_size=2, unique=True),
    chosen=st.integers(-1, 1),
)
def test_the_sense_facet_counts_what_sql_counts(
    read_only: Archive, looked_at: tuple[int, ...], query: str, mode: Mode, conditions: list[Condition], chosen: int
) -> None:
    asked = [*conditions, *([Condition("sense", "in", (str(looked_at[chosen]),))] if chosen >= 0 else [])]
    request = SearchRequest(
        "papers", query, mode, Filters(tuple(asked)), facets=("sense",), k=200, collapse=False, sentences=False
    )
    answer = read_only.world.search.search(request)
    found = {facet.value: facet.count for facet in answer.facets["sense"]}
    assert found == by_sql(read_only, {int(hit.document.id) for hit in answer.hits[: answer.total]})
    for value, count in found.items():
        narrower = Filters((*asked, Condition("sense", "in", (value,))))
        assert read_only.world.search.search(replace(request, filters=narrower)).total == count
