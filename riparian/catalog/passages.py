"""Passages: cut out of their documents' texts, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from riparian.catalog.filters import document_clauses, passage_clauses
from riparian.catalog.ids import as_ids, as_ints, in_chunks
from riparian.catalog.models import DocumentRow, PassageRow
from riparian.errors import UnknownPassage
from riparian.types import EVERYTHING, CollectionId, DocumentId, Filters, Ids, Passage, PassageId, Span

# both databases count characters from 1; the text is cut by the database so that a book is not sent for a paragraph
_TEXT = func.substr(DocumentRow.text, PassageRow.start + 1, PassageRow.end - PassageRow.start)


class Passages:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, passage_id: PassageId) -> Passage:
        found = self.many([passage_id])
        if passage_id not in found:
            raise UnknownPassage(passage_id)
        return found[passage_id]

    def many(self, passages: Iterable[int]) -> dict[PassageId, Passage]:
        """Those of the ids that are there."""
        found: dict[PassageId, Passage] = {}
        for chunk in in_chunks(sorted(set(as_ints(list(passages))))):
            for passage in self._cut(_passages().where(PassageRow.id.in_(chunk))):
                found[passage.id] = passage
        return found

    def of_document(self, document_id: DocumentId) -> list[Passage]:
        """In the order of the text."""
        query = _passages().where(PassageRow.document_id == document_id).order_by(PassageRow.position)
        return list(self._cut(query))

    def all(self, collection_id: CollectionId, size: int = 1000) -> Iterator[list[Passage]]:
        """Every passage by id, in batches."""
        after = 0
        while True:
            query = _passages().where(PassageRow.collection_id == collection_id, PassageRow.id > after)
            batch = list(self._cut(query.order_by(PassageRow.id).limit(size)))
            if not batch:
                return
            yield batch
            after = batch[-1].id

    def first(self, collection_id: CollectionId, language: str, limit: int) -> list[str]:
        """Texts of up to `limit` passages of documents in a language, the first ones of all documents before any
        second."""
        query = (
            select(_TEXT)
            .select_from(PassageRow)
            .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            .where(PassageRow.collection_id == collection_id, DocumentRow.language == language)
            .order_by(PassageRow.position, PassageRow.id)
            .limit(limit)
        )
        return [str(text) for text in self._session.scalars(query)]

    def places(self, document_id: DocumentId) -> dict[PassageId, Span]:
        """Where each passage of a document lies, in the order of the text, without cutting any text."""
        rows = self._session.execute(
            select(PassageRow.id, PassageRow.start, PassageRow.end)
            .where(PassageRow.document_id == document_id)
            .order_by(PassageRow.position)
        )
        return {PassageId(row.id): Span(row.start, row.end) for row in rows}

    def ids(self, collection_id: CollectionId, filters: Filters = EVERYTHING) -> Ids:
        """Ids of the passages whose documents (and main topics) meet the filters, ascending."""
        query = select(PassageRow.id).where(PassageRow.collection_id == collection_id)
        if filters:
            query = query.join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            query = query.where(*document_clauses(collection_id, filters), *passage_clauses(filters))
        return as_ids(self._session.scalars(query))

    def documents_of(self, passages: Iterable[int]) -> dict[PassageId, DocumentId]:
        """Which document each passage belongs to."""
        found: dict[PassageId, DocumentId] = {}
        for chunk in in_chunks(as_ints(list(passages))):
            rows = self._session.execute(select(PassageRow.id, PassageRow.document_id).where(PassageRow.id.in_(chunk)))
            found.update({PassageId(row.id): DocumentId(row.document_id) for row in rows})
        return found

    def document_map(self, collection_id: CollectionId) -> tuple[Ids, Ids]:
        """All passage ids ascending and, beside them, their document ids."""
        rows = self._session.execute(
            select(PassageRow.id, PassageRow.document_id)
            .where(PassageRow.collection_id == collection_id)
            .order_by(PassageRow.id)
        ).all()
        passages = as_ids(row.id for row in rows)
        documents = as_ids(()) if not rows else _column(row.document_id for row in rows)
        return passages, documents

    def lengths(self, collection_id: CollectionId) -> dict[PassageId, int]:
        """Characters of each passage."""
        rows = self._session.execute(
            select(PassageRow.id, PassageRow.start, PassageRow.end).where(PassageRow.collection_id == collection_id)
        )
        return {PassageId(row.id): row.end - row.start for row in rows}

    def count(self, collection_id: CollectionId) -> int:
        query = select(func.count()).select_from(PassageRow).where(PassageRow.collection_id == collection_id)
        return self._session.scalar(query) or 0

    def _cut(self, query: Select[Any]) -> Iterator[Passage]:
        for row in self._session.execute(query):
            yield Passage(PassageId(row[0]), DocumentId(row[1]), row[2], row[3], row[4], row[5])


def _passages() -> Select[Any]:
    return select(
        PassageRow.id, PassageRow.document_id, PassageRow.position, PassageRow.start, PassageRow.end, _TEXT
    ).join(DocumentRow, DocumentRow.id == PassageRow.document_id)


def _column(values: Iterable[int]) -> Ids:
    return np.fromiter(values, dtype=np.int64)
