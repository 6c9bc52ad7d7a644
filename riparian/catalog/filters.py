"""Filter expressions and what they mean in SQL.

`author:Smith`, `language:en,de` (either), `meta.tags:"food, drink"` (a value with a comma), `date>=2001-05-01`,
`date<=2001`, `path:reports/` (prefix), `type:pdf`, `title:flood` (contains), `topic:12`, `sense:3`,
`author:` (has none). Conditions on different lines must all hold.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import aliased

from riparian.catalog.models import DocumentRow, PassageRow, PassageTopicRow
from riparian.catalog.sense_rows import SenseOccurrenceRow
from riparian.errors import BadFilter
from riparian.types import CollectionId, Condition, Filters

EXACT = ("author", "language", "type", "duplicate_group", "id")
FIELDS = (*EXACT, "date", "path", "title", "topic", "sense")
OF_PASSAGES = ("topic", "sense")
"""Fields that passages carry, and documents through them."""
_SHAPE = re.compile(r"\s*(meta\.[^\s:<>=]+|[a-z_]+)\s*(>=|<=|:)\s*(.*?)\s*", re.DOTALL)


def parse(expressions: list[str] | tuple[str, ...]) -> Filters:
    """Filters of the expressions; BadFilter says which one is wrong and what is allowed."""
    return Filters(tuple(_condition(expression) for expression in expressions if expression.strip()))


def _condition(expression: str) -> Condition:
    shape = _SHAPE.fullmatch(expression)
    if shape is None:
        raise BadFilter(expression, "write field:value, date>=YYYY-MM-DD or date<=YYYY-MM-DD")
    field, op, rest = shape.groups()
    if field not in FIELDS and not field.startswith("meta."):
        raise BadFilter(expression, f"no field {field!r}; fields: {', '.join(FIELDS)}, meta.<key>")
    if op == ":" and rest == "":
        return Condition(field, "missing", ())
    if op == ":":
        return _equal(expression, field, rest)
    if field != "date" and not field.startswith("meta."):
        raise BadFilter(expression, "only date and meta.<key> can be compared by >= or <=")
    if field == "date":
        _bounds(expression, rest)
    return Condition(field, ">=" if op == ">=" else "<=", (rest,))


def _equal(expression: str, field: str, rest: str) -> Condition:
    if field == "path":
        return Condition(field, "prefix", (rest,))
    if field == "title":
        return Condition(field, "contains", (rest,))
    values = (rest,) if field == "author" else _alternatives(expression, rest)
    if field == "date":
        for value in values:
            _bounds(expression, value)
    if field in (*OF_PASSAGES, "id", "duplicate_group") and not all(v.isdecimal() and len(v) < 19 for v in values):
        raise BadFilter(expression, f"{field} takes numbers")
    return Condition(field, "in", values)


def _alternatives(expression: str, rest: str) -> tuple[str, ...]:
    """The values between commas; one that holds a comma itself stands in quotes, as in CSV."""
    try:
        [values] = csv.reader([rest], skipinitialspace=True)
    except (csv.Error, ValueError):
        raise BadFilter(expression, "the quotes are not closed") from None
    return tuple(value.strip() for value in values if value.strip())


def sense_condition(senses: Sequence[int]) -> list[str]:
    """The expression that asks for any of these senses, none for none."""
    return [f"sense:{','.join(str(sense) for sense in senses)}"] if senses else []


def quoted(value: str) -> str:
    """A value as it has to stand in an expression."""
    if not any(sign in value for sign in ',"\n\r'):
        return value
    return '"' + value.replace('"', '""') + '"'


def _bounds(expression: str, value: str) -> tuple[date, date]:
    """The first and last day that a year, a month or a day names."""
    shape = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", value)
    try:
        if shape is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in shape.groups())
        assert year is not None
        first = date(year, month or 1, day or 1)
        if day:
            return first, first
        if month:
            following = date(year + month // 12, month % 12 + 1, 1) if year < 9999 or month < 12 else date.max
            return first, date.fromordinal(following.toordinal() - (following != date.max))
        return first, date(year, 12, 31)
    except ValueError:
        raise BadFilter(expression, f"{value!r} is no date; write YYYY, YYYY-MM or YYYY-MM-DD") from None


def document_clauses(collection_id: CollectionId, filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on `documents`. A document has a topic when one of its passages has it as its main topic, and a sense
    when a word occurs in that sense in one of its passages."""
    return [DocumentRow.collection_id == collection_id, *(_document_clause(c) for c in filters.conditions)]


def passage_clauses(filters: Filters) -> list[ColumnElement[bool]]:
    """Conditions on `passages` beyond those on their documents: the main topic, and senses of words."""
    return [_passage_clause(c) for c in filters.conditions if c.field in OF_PASSAGES]


def _document_clause(condition: Condition) -> ColumnElement[bool]:
    if condition.field.startswith("meta."):
        return _meta_clause(condition)
    if condition.field in OF_PASSAGES:
        return _through_passages(condition)
    if condition.field == "date":
        return _date_clause(condition)
    if condition.field == "path":
        return DocumentRow.source.startswith(condition.values[0] if condition.values else "", autoescape=True)
    if condition.field == "title":
        wanted = condition.values[0].lower() if condition.values else ""
        return func.lower(DocumentRow.title).contains(wanted, autoescape=True) if wanted else DocumentRow.title == ""
    return _exact_clause(condition)


def _exact_clause(condition: Condition) -> ColumnElement[bool]:
    column: Any = getattr(DocumentRow, condition.field)
    numeric = condition.field in ("duplicate_group", "id")
    found: ColumnElement[bool]
    if condition.op == "missing":
        found = column.is_(None) if numeric else column == ""
    else:
        found = column.in_([int(value) for value in condition.values] if numeric else condition.values)
    return found


def _date_clause(condition: Condition) -> ColumnElement[bool]:
    if condition.op == "missing":
        return DocumentRow.date.is_(None)
    bounds = [_bounds(condition.field, value) for value in condition.values]
    if condition.op == ">=":
        return DocumentRow.date >= bounds[0][0]
    if condition.op == "<=":
        return DocumentRow.date <= bounds[0][1]
    return or_(*(and_(DocumentRow.date >= first, DocumentRow.date <= last) for first, last in bounds))


def _through_passages(condition: Condition) -> ColumnElement[bool]:
    # an alias, so that an outer query over passages is not mistaken for this one
    passage = aliased(PassageRow)
    has = select(passage.document_id).where(passage.id.in_(_passages_with(condition)))
    return DocumentRow.id.not_in(has) if condition.op == "missing" else DocumentRow.id.in_(has)


def _passage_clause(condition: Condition) -> ColumnElement[bool]:
    has = _passages_with(condition)
    return PassageRow.id.not_in(has) if condition.op == "missing" else PassageRow.id.in_(has)


def _passages_with(condition: Condition) -> Select[int]:
    """Passages that carry one of the condition's topics or senses, or any at all when it asks for those without."""
    return _passages_with_sense(condition) if condition.field == "sense" else _passages_with_topic(condition)


def _passages_with_sense(condition: Condition) -> Select[int]:
    query = select(SenseOccurrenceRow.passage_id)
    if condition.op == "missing":
        return query
    return query.where(SenseOccurrenceRow.sense_id.in_([int(value) for value in condition.values]))


def _passages_with_topic(condition: Condition) -> Select[int]:
    query = select(PassageTopicRow.passage_id).where(PassageTopicRow.top)
    if condition.op == "missing":
        return query
    return query.where(PassageTopicRow.topic_id.in_([int(value) for value in condition.values]))


def _meta_clause(condition: Condition) -> ColumnElement[bool]:
    """Metadata values are text, numbers, or lists of them; a list matches when one of its items does."""
    key = condition.field.removeprefix("meta.")
    value = cast(DocumentRow.details[key].as_string(), String)
    if condition.op == "missing":
        return or_(value.is_(None), value == "")
    if condition.op == ">=":
        return value >= condition.values[0]
    if condition.op == "<=":
        return value <= condition.values[0]
    # a JSON list comes out as its JSON text on both databases: match the item as it is written there
    items = [value.contains(json.dumps(wanted), autoescape=True) for wanted in condition.values]
    return or_(value.in_(condition.values), *(and_(value.startswith("["), item) for item in items))
