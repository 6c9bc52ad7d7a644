"""What a search page was asked, read from its address and written back into one: every search is a permalink."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from riparian.catalog.filters import parse
from riparian.errors import BadQuery
from riparian.types import Filters, Mode
from search.request import Fuzziness

PAGE = 10


@dataclass(frozen=True, slots=True)
class Query:
    """A search as its address says it. `filters` are expressions (``type:pdf``); `since` and `until` are dates;
    `within` the searches whose hits it looks into; `steered` = it goes by the ticks and crosses of its query; `fuzzy` =
    whether what looks like its words is looked for."""

    text: str
    mode: Mode
    weight: float
    filters: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    offset: int = 0
    within: tuple[str, ...] = ()
    steered: bool = True
    fuzzy: Fuzziness = Fuzziness.AUTO

    @property
    def expressions(self) -> list[str]:
        """Every filter expression, the dates of the form included."""
        dates = [f"date>={self.since}" if self.since else "", f"date<={self.until}" if self.until else ""]
        return [*self.filters, *filter(None, dates)]

    def conditions(self) -> Filters:
        """BadFilter names the expression that cannot be understood."""
        return parse(self.expressions)

    def address(self) -> dict[str, str | list[str]]:
        """The parameters of this search's address; what is as usual is left out."""
        values: dict[str, str | list[str]] = {"q": self.text}
        if self.mode is not Mode.HYBRID:
            values["mode"] = self.mode.value
        if self.mode is Mode.HYBRID:
            values["weight"] = f"{self.weight:g}"
        if self.filters:
            values["filter"] = list(self.filters)
        if self.within:
            values["within"] = list(self.within)
        if not self.steered:
            values["feedback"] = "0"
        if self.fuzzy is not Fuzziness.AUTO:
            values["fuzzy"] = self.fuzzy.value
        rest = {"since": self.since, "until": self.until, "offset": str(self.offset or "")}
        return values | {name: value for name, value in rest.items() if value}

    def narrowed(self, expression: str) -> Query:
        """The same search with one more filter, from its first page."""
        if expression in self.filters:
            return replace(self, offset=0)
        return replace(self, filters=(*self.filters, expression), offset=0)

    def widened(self, expression: str) -> Query:
        """The same search without that filter (one of `expressions`), from its first page."""
        return replace(
            self,
            filters=tuple(kept for kept in self.filters if kept != expression),
            since="" if expression == f"date>={self.since}" else self.since,
            until="" if expression == f"date<={self.until}" else self.until,
            offset=0,
        )

    def at(self, offset: int) -> Query:
        return replace(self, offset=max(0, offset))

    def inside(self) -> Query:
        """Asks nothing yet, inside the hits of this search."""
        return replace(self, text="", within=(*self.within, self.text), offset=0)

    def outside(self, outer: str) -> Query:
        """The same search, no longer inside the hits of that one."""
        return replace(self, within=tuple(kept for kept in self.within if kept != outer), offset=0)

    def by_feedback(self, steered: bool) -> Query:
        """The same search, with or without its ticks and crosses."""
        return replace(self, steered=steered, offset=0)

    def spelt(self, fuzzy: str) -> Query:
        """The same search, with or without what looks like its words."""
        return replace(self, fuzzy=Fuzziness(fuzzy), offset=0)

    def string(self) -> str:
        """The address's query string."""
        return urlencode(self.address(), doseq=True)


def read(arguments: MultiDict[str, str], usual_weight: float) -> Query:
    """The search that an address asks for. BadQuery on a mode, weight or offset that is none."""
    return Query(
        text=arguments.get("q", "").strip(),
        mode=_mode(arguments.get("mode", "")),
        weight=_weight(arguments.get("weight", ""), usual_weight),
        filters=tuple(dict.fromkeys(e.strip() for e in _expressions(arguments) if e.strip())),
        since=arguments.get("since", "").strip(),
        until=arguments.get("until", "").strip(),
        offset=whole(arguments, "offset", 0),
        within=tuple(dict.fromkeys(q.strip() for q in arguments.getlist("within") if q.strip())),
        steered=arguments.get("feedback", "") not in ("0", "false"),
        fuzzy=_fuzziness(arguments.get("fuzzy", "")),
    )


def _expressions(arguments: MultiDict[str, str]) -> list[str]:
    """Those of `filter`, and of `sense` by its id alone."""
    senses = [f"sense:{value.strip()}" for value in arguments.getlist("sense") if value.strip()]
    return [*arguments.getlist("filter"), *senses]


def _mode(value: str) -> Mode:
    if not value:
        return Mode.HYBRID
    try:
        return Mode(value)
    except ValueError:
        raise BadQuery(f"no mode {value!r}; modes: {', '.join(Mode)}") from None


def _fuzziness(value: str) -> Fuzziness:
    try:
        return Fuzziness(value or Fuzziness.AUTO)
    except ValueError:
        raise BadQuery(f"fuzzy {value!r} is none of {', '.join(Fuzziness)}") from None


def _weight(value: str, usual: float) -> float:
    try:
        weight = float(value or usual)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= 1:  # NaN fails this too
        raise BadQuery(f"weight {value!r} is no number from 0 (words alone) to 1 (meaning alone)")
    return weight


def whole(arguments: MultiDict[str, str], name: str, usual: int) -> int:
    """A whole number of an address, 0 or more."""
    value = arguments.get(name, "").strip()
    if not value:
        return usual
    if not value.isdecimal() or len(value) > 15:
        raise BadQuery(f"{name} {value!r} is no whole number")
    return int(value)
