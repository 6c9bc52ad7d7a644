"""Exact facet counts over a set of documents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import distinct, extract, func, select
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ints, in_chunks
from riparian.catalog.models import DocumentRow, PassageRow, PassageTopicRow, TopicModelRow, TopicRow
from riparian.catalog.sense_rows import SenseOccurrenceRow, SenseRow, SenseWordRow
from riparian.types import CollectionId, FacetValue, Ids

FACETS = ("type", "language", "author", "year", "topic", "sense")


class Facets:
    def __init__(self, session: Session) -> None:
        self._session = session

    def count(
        self, collection_id: CollectionId, documents: Ids, fields: Sequence[str] = FACETS, *, limit: int = 20
    ) -> Mapping[str, tuple[FacetValue, ...]]:
        """For each field, its values with the number of these documents that carry them, most frequent first.

        Documents without a value are left out. `topic` counts documents of which at least one passage has it as its
        main topic in the active model; its values are topic ids. `sense` counts documents in which a word occurs
        in a sense that tells something: one of several, or one with a name. Any other field is `meta.<key>`; a document
        whose metadata hold a list counts once for each different text in it.
        """
        return {field: self._values(collection_id, documents, field, limit) for field in fields}

    def values(self, collection_id: CollectionId, field: str) -> list[tuple[int, str]]:
        """Each document of the collection with each value that it carries, what `count` counts; not of passages."""
        column = _column(field)
        rows = self._session.execute(
            select(DocumentRow.id, column)
            .where(DocumentRow.collection_id == collection_id, column.is_not(None))
            .order_by(DocumentRow.id)
        )
        return [(row[0], _text(value)) for row in rows for value in _items(field, row[1]) if value not in (None, "")]

    def _values(self, collection_id: CollectionId, documents: Ids, field: str, limit: int) -> tuple[FacetValue, ...]:
        counts: Counter[Any] = Counter()
        for chunk in in_chunks(as_ints(documents)):
            for found, number in self._session.execute(self._query(collection_id, field, chunk)):
                for value in _items(field, found):
                    counts[value] += number
        labels = self._labels(collection_id, field)
        kept = [(value, number) for value, number in counts.items() if value not in (None, "")]
        kept.sort(key=lambda pair: (-pair[1], str(pair[0])))
        return tuple(FacetValue(_text(value), number, labels.get(value, "")) for value, number in kept[:limit])

    def _query(self, collection_id: CollectionId, field: str, chunk: Sequence[int]) -> Any:
        if field == "sense":
            return self._sense_query(collection_id, chunk)
        if field == "topic":
            return (
                select(PassageTopicRow.topic_id, func.count(distinct(PassageRow.document_id)))
                .join(PassageRow, PassageRow.id == PassageTopicRow.passage_id)
                .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
                .join(TopicModelRow, TopicModelRow.id == TopicRow.model_id)
                .where(TopicModelRow.active, TopicModelRow.collection_id == collection_id)
                .where(PassageTopicRow.top, PassageRow.document_id.in_(chunk), ~TopicRow.hidden)
                .group_by(PassageTopicRow.topic_id)
            )
        column = _column(field)
        return select(column, func.count()).where(DocumentRow.id.in_(chunk)).group_by(column)

    def _sense_query(self, collection_id: CollectionId, chunk: Sequence[int]) -> Any:
        return (
            select(SenseOccurrenceRow.sense_id, func.count(distinct(PassageRow.document_id)))
            .join(PassageRow, PassageRow.id == SenseOccurrenceRow.passage_id)
            .where(SenseOccurrenceRow.sense_id.in_(_telling_senses(collection_id)))
            .where(PassageRow.document_id.in_(chunk))
            .group_by(SenseOccurrenceRow.sense_id)
        )

    def _labels(self, collection_id: CollectionId, field: str) -> dict[int, str]:
        if field == "topic":
            return self._topic_labels(collection_id)
        return self._sense_labels(collection_id) if field == "sense" else {}

    def _sense_labels(self, collection_id: CollectionId) -> dict[int, str]:
        query = select(SenseRow.id, SenseRow.name, SenseRow.label, SenseWordRow.word).join(
            SenseWordRow, SenseWordRow.id == SenseRow.word_id
        )
        rows = self._session.execute(query.where(SenseRow.id.in_(_telling_senses(collection_id))))
        return {row.id: f"{row.word}: {row.name or row.label}" for row in rows}

    def _topic_labels(self, collection_id: CollectionId) -> dict[int, str]:
        query = select(TopicRow.id, TopicRow.label).join(TopicModelRow, TopicModelRow.id == TopicRow.model_id)
        rows = self._session.execute(query.where(TopicModelRow.active, TopicModelRow.collection_id == collection_id))
        return {row.id: row.label for row in rows}


def _telling_senses(collection_id: CollectionId) -> Any:
    """Senses that are shown and have a name or others beside them."""
    several = select(SenseRow.word_id).where(SenseRow.shown).group_by(SenseRow.word_id).having(func.count() > 1)
    return (
        select(SenseRow.id)
        .join(SenseWordRow, SenseWordRow.id == SenseRow.word_id)
        .where(SenseWordRow.collection_id == collection_id, SenseRow.shown)
        .where((SenseRow.name != "") | SenseRow.word_id.in_(several))
    )


def _column(field: str) -> Any:
    if field == "year":
        return extract("year", DocumentRow.date)
    if field.startswith("meta."):
        return DocumentRow.details[field.removeprefix("meta.")].as_string()
    return getattr(DocumentRow, field)


def _items(field: str, found: Any) -> Iterable[Any]:
    """The different texts of a metadata list, which comes out of the database as its JSON; else the value alone."""
    if not field.startswith("meta.") or not isinstance(found, str) or not found.startswith("["):
        return (found,)
    try:
        items = json.loads(found)
    except ValueError:
        return (found,)
    return {item for item in items if isinstance(item, str)}


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, int | float) or hasattr(value, "as_integer_ratio") else str(value)
