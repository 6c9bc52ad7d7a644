"""What a search is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from riparian.catalog.facets import FACETS
from riparian.errors import BadQuery
from riparian.types import EVERYTHING, Collection, Filters, Mode
from search import examples
from search.examples import Example

MOST_WITHIN = 5
"""How many searches another one can be nested in."""

LONGEST_PAGE = 1000
"""Hits of one answer at most, wherever it is asked for: API, command line and program."""


WEIGHT = "hybrid_weight"
"""The setting of a collection that holds its own share of the semantic score."""


def usual_weight(collection: Collection, configured: float) -> float:
    """The share of the semantic score where a search names none: the collection's own, else the configured one."""
    own = collection.settings.get(WEIGHT)
    return float(own) if own is not None else configured


class Fusion(StrEnum):
    """How a hybrid search makes one ranking of two."""

    MIN_MAX = "min-max"
    RECIPROCAL_RANK = "reciprocal-rank"


class Rerank(StrEnum):
    """How the best hits are put in order once more."""

    MAXSIM = "maxsim"
    NONE = "none"
    CROSS_ENCODER = "cross-encoder"


class Fuzziness(StrEnum):
    """Whether words that look like those of the query are looked for: of words that no document holds (auto), of none
    (off), of every word (on)."""

    AUTO = "auto"
    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Page:
    """What of the ranking is shown, and how.

    `collapse` puts near-duplicates under the best of them; `passages` = how many passages of a document a hit shows;
    `sentences` looks for the sentence closest in meaning, which encodes the passages shown.
    """

    k: int = 10
    offset: int = 0
    facets: tuple[str, ...] = ()
    collapse: bool = True
    passages: int = 1
    sentences: bool = True

    def check(self) -> None:
        """BadQuery, naming the number that is out of its range or the facet that there is not."""
        for name, value, least, most in (
            ("k", self.k, 1, LONGEST_PAGE),
            ("offset", self.offset, 0, 1_000_000),
            ("passages", self.passages, 1, 20),
        ):
            if not least <= value <= most:
                raise BadQuery(f"{name} must lie between {least} and {most}, got {value}")
        for field in self.facets:
            if field not in FACETS and not (field.startswith("meta.") and len(field) > len("meta.")):
                raise BadQuery(f"no facet {field!r}; facets: {', '.join(FACETS)}, meta.<key>")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question to a collection, and what of the answer is wanted (the last seven: see `Page`).

    `weight` is the share of the semantic score in a hybrid search; 0 and 1 leave one side. None = the collection's, or
    the configured one, and 0 for a query of nothing but identifiers.

    Hits are more like the examples of `more` and less like those of `less`; with `feedback`, also as people judged hits
    of this query before (`steering.py`). `within` are other queries: only what these find is searched (`within.py`).

    `min_relevance` leaves out what has less, where relevance was measured (`calibration.py`).

    `fuzzy` looks for what was probably meant by words that no document holds (`fuzzy.py`).

    `rerank` None = as configured, in hybrid search only, and neither for a query of nothing but identifiers nor for an
    answer that examples move.
    """

    collection: str
    query: str
    mode: Mode = Mode.HYBRID
    filters: Filters = EVERYTHING
    weight: float | None = None
    fusion: Fusion = Fusion.MIN_MAX
    k: int = 10
    offset: int = 0
    facets: tuple[str, ...] = ()
    collapse: bool = True
    passages: int = 1
    sentences: bool = True
    more: tuple[Example, ...] = ()
    less: tuple[Example, ...] = ()
    feedback: bool = True
    within: tuple[str, ...] = ()
    rerank: Rerank | None = None
    min_relevance: float | None = None
    fuzzy: Fuzziness = Fuzziness.AUTO

    def check(self) -> None:
        """BadQuery for what can never be asked."""
        self.page.check()
        for name, given in (("more", self.more), ("less", self.less)):
            if len(given) > examples.MOST:
                raise BadQuery(f"at most {examples.MOST} examples of {name} move a search, not {len(given)}")
            for example in given:
                example.check()
        if len(self.within) > MOST_WITHIN:
            raise BadQuery(f"a search lies within at most {MOST_WITHIN} others, not {len(self.within)}")

    @property
    def page(self) -> Page:
        return Page(self.k, self.offset, self.facets, self.collapse, self.passages, self.sentences)
