"""Facet values as links that add or remove a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riparian.catalog.filters import quoted
from riparian.types import FacetValue
from web.pages.query import Query

TITLES = {
    "topic": "Topic",
    "sense": "Sense",
    "type": "Type",
    "year": "Year",
    "language": "Language",
    "author": "Author",
}
SHOWN = 8


@dataclass(frozen=True, slots=True)
class FacetLink:
    """A value with its exact count, and the search that choosing it leads to (without it when it is chosen)."""

    label: str
    count: int
    chosen: bool
    query: Query


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """The values of one field, the most frequent first; those after the first `SHOWN` are folded away."""

    title: str
    links: tuple[FacetLink, ...]

    @property
    def first(self) -> tuple[FacetLink, ...]:
        return self.links[:SHOWN]

    @property
    def rest(self) -> tuple[FacetLink, ...]:
        return self.links[SHOWN:]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that holds, as a person reads it, and the search without it."""

    label: str
    query: Query


def groups(facets: Mapping[str, Sequence[FacetValue]], query: Query) -> list[FacetGroup]:
    """One group for each field that has values, in the order of `TITLES`, then metadata fields."""
    fields = [field for field in TITLES if facets.get(field)]
    fields += [field for field in facets if field not in TITLES and facets[field]]
    return [FacetGroup(title(field), tuple(_link(field, value, query) for value in facets[field])) for field in fields]


def title(field: str) -> str:
    return TITLES.get(field) or field.removeprefix("meta.").replace("_", " ").capitalize()


def expression(field: str, value: str) -> str:
    """The filter expression of a facet value."""
    if field == "year":
        return f"date:{int(value):04d}"
    return f"{field}:{value if field == 'author' else quoted(value)}"


def _link(field: str, value: FacetValue, query: Query) -> FacetLink:
    filter_ = expression(field, value.value)
    chosen = filter_ in query.filters
    target = query.widened(filter_) if chosen else query.narrowed(filter_)
    return FacetLink(value.label or value.value, value.count, chosen, target)


def chosen(facets: Mapping[str, Sequence[FacetValue]], query: Query) -> list[Chosen]:
    """Every filter that holds, with the search that drops it."""
    labels = {
        expression(field, v.value): f"{title(field)}: {v.label or v.value}"
        for field in ("topic", "sense")
        for v in facets.get(field, ())
    }
    return [Chosen(labels.get(e) or _said(e), query.widened(e)) for e in query.expressions]


def _said(filter_: str) -> str:
    for sign, words in ((">=", "from"), ("<=", "until")):
        if filter_.startswith(f"date{sign}"):
            return f"Date {words} {filter_.removeprefix(f'date{sign}')}"
    field, _, value = filter_.partition(":")
    return f"{title(field)}: {value or 'none'}"
