"""Documents that the lexical index has yet to take in or drop (a transactional outbox)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from riparian.catalog.models import LexicalChangeRow
from riparian.types import CollectionId, DocumentId


class LexicalChanges:
    def __init__(self, session: Session) -> None:
        self._session = session

    def next(self, collection_id: CollectionId, limit: int) -> tuple[int, list[DocumentId]]:
        """The oldest waiting documents, each once, and the change number to `forget` when they are committed."""
        rows = self._session.execute(
            select(LexicalChangeRow.id, LexicalChangeRow.document_id)
            .where(LexicalChangeRow.collection_id == collection_id)
            .order_by(LexicalChangeRow.id)
            .limit(limit)
        ).all()
        documents = list(dict.fromkeys(DocumentId(row.document_id) for row in rows))
        return (rows[-1].id if rows else 0), documents

    def forget(self, collection_id: CollectionId, upto: int) -> None:
        """Drops changes that the lexical index has committed."""
        self._session.execute(
            delete(LexicalChangeRow).where(LexicalChangeRow.collection_id == collection_id, LexicalChangeRow.id <= upto)
        )

    def waiting(self, collection_id: CollectionId) -> int:
        query = (
            select(func.count()).select_from(LexicalChangeRow).where(LexicalChangeRow.collection_id == collection_id)
        )
        return self._session.scalar(query) or 0

    def note(self, collection_id: CollectionId, documents: Sequence[int]) -> None:
        self._session.add_all(LexicalChangeRow(collection_id=collection_id, document_id=d) for d in documents)
        self._session.flush()
