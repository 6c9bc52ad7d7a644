"""Reads the many ways in which files write a date."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier januar jänner enero gennaio janeiro",
            "february feb février februar febrero febbraio fevereiro",
            "march mar mars märz marzo março",
            "april apr avril abril aprile",
            "may mai mayo maggio maio",
            "june jun juin juni junio giugno junho",
            "july jul juillet juli julio luglio julho",
            "august aug août agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct octobre oktober octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec décembre dezember diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_ISO = re.compile(r"(?:D:)?(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?!\d{1,3}$|\d[-/.])")
_YEAR_MONTH = re.compile(r"(\d{4})-(\d{1,2})$")
_LOOSE_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(
    r"(?:\w+,?\s+)?(\d{1,2})(?:st|nd|rd|th|er|\.)?[\s-]+(?:de\s+|of\s+)?([^\W\d]+)\.?,?[\s-]+(?:de\s+)?(\d{4})\b"
)
_MONTH_FIRST = re.compile(r"(?:\w+day,?\s+)?([^\W\d]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
_MONTH_YEAR = re.compile(r"([^\W\d]+)\.?,?\s+(\d{4})$")
_YEAR = re.compile(r"(\d{4})$")
_SLASHES = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")
# Seconds and milliseconds since 1970 that fall between 1990 and 2100.
_EPOCH_SECONDS = range(631_152_000, 4_102_444_800)


def parse_date(value: Any) -> date | None:
    """The calendar day that `value` names, None where it names none.

    Month or year alone stand for their first day. Of 03/04/2020 nobody can tell the month: None; 25/04/2020 is clear.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    if isinstance(value, str) and 4 <= len(value.strip()) <= 100:
        return _from_text(value.strip())
    return None


def _from_number(value: float) -> date | None:
    for seconds in (value, value / 1000):
        if _EPOCH_SECONDS.start <= seconds < _EPOCH_SECONDS.stop:
            return datetime.fromtimestamp(seconds, UTC).date()
    return _day(int(value), 1, 1) if 1000 <= value <= 2200 and value == int(value) else None


def _from_text(text: str) -> date | None:
    for read in _WAYS:
        if (found := read(text)) is not None:
            return found
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _numbers(pattern: re.Pattern[str], *order: int) -> Callable[[str], date | None]:
    """A way that takes year, month and day from the groups `order`; 0 stands for the first."""

    def way(text: str) -> date | None:
        if (match := pattern.match(text)) is None:
            return None
        return _day(*(int(match[group]) if group else 1 for group in order))

    return way


def _named_month(pattern: re.Pattern[str], year: int, month: int, day: int) -> Callable[[str], date | None]:
    def way(text: str) -> date | None:
        if (match := pattern.match(text)) is None or (number := _MONTHS.get(match[month].lower())) is None:
            return None
        return _day(int(match[year]), number, int(match[day]) if day else 1)

    return way


def _slashes(text: str) -> date | None:
    if (match := _SLASHES.match(text)) is None:
        return None
    first, second, year = (int(part) for part in match.groups())
    if first > 12 or first == second:
        return _day(year, second, first)
    return _day(year, first, second) if second > 12 else None


def _mail_date(text: str) -> date | None:
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_WAYS: tuple[Callable[[str], date | None], ...] = (
    _numbers(_LOOSE_ISO, 1, 2, 3),
    _numbers(_ISO, 1, 2, 3),
    _named_month(_DAY_FIRST, 3, 2, 1),
    _named_month(_MONTH_FIRST, 3, 1, 2),
    _slashes,
    _numbers(_YEAR_MONTH, 1, 2, 0),
    _named_month(_MONTH_YEAR, 2, 1, 0),
    _numbers(_YEAR, 1, 0, 0),
    _mail_date,
)
