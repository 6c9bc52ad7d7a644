"""Searches that people saved, and which of their hits are new since they last looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from riparian.catalog.models import PassageRow, utc_now
from riparian.catalog.steering_rows import SavedSearchRow
from riparian.errors import AlreadyExists, Invalid, UnknownSavedSearch
from riparian.types import CollectionId, DocumentId, PassageId

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class FreshHit:
    document_id: DocumentId
    passage_id: PassageId


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`options` hold what was asked beside the query (mode, filters, …). A hit is new where its passage came after
    `seen_passage`: the document was added since the last look, or this part of it changed."""

    id: int
    collection_id: CollectionId
    name: str
    query: str
    options: Mapping[str, Any]
    author: str
    created: datetime
    looked: datetime
    checked: datetime | None
    seen_passage: int
    fresh: tuple[FreshHit, ...]


class SavedSearches:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, collection_id: CollectionId, name: str, query: str, options: Mapping[str, Any], author: str = ""
    ) -> SavedSearch:
        """What is there now counts as seen. AlreadyExists for a name that is taken, Invalid where one is empty."""
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise Invalid(f"a saved search needs a name of 1 to {LONGEST_NAME} characters")
        if not query.strip():
            raise Invalid("there is no query to save")
        if self._find(collection_id, name) is not None:
            raise AlreadyExists(f"a search named {name!r} is saved already; remove it first or take another name")
        row = SavedSearchRow(
            collection_id=collection_id, name=name, query=query, options=dict(options), author=author,
            seen_passage=self.last_passage(collection_id), fresh=[],
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        return _saved(row)

    def all(self, collection_id: CollectionId | None = None) -> list[SavedSearch]:
        """By name, of one collection or of all."""
        query = select(SavedSearchRow).order_by(SavedSearchRow.name, SavedSearchRow.id)
        if collection_id is not None:
            query = query.where(SavedSearchRow.collection_id == collection_id)
        return [_saved(row) for row in self._session.scalars(query)]

    def named(self, collection_id: CollectionId, name: str) -> SavedSearch:
        """UnknownSavedSearch, naming those there are."""
        row = self._find(collection_id, name)
        if row is None:
            raise UnknownSavedSearch(name, [one.name for one in self.all(collection_id)])
        return _saved(row)

    def get(self, saved_id: int) -> SavedSearch:
        """UnknownSavedSearch."""
        return _saved(self._kept(saved_id))

    def remove(self, saved_id: int) -> None:
        self._session.delete(self._kept(saved_id))
        self._session.flush()

    def look(self, saved_id: int) -> None:
        """From now on, only what comes later is new."""
        row = self._kept(saved_id)
        row.looked, row.seen_passage, row.fresh = utc_now(), self.last_passage(CollectionId(row.collection_id)), []
        self._session.flush()

    def found(self, saved_id: int, fresh: Sequence[FreshHit], seen_passage: int) -> None:
        """What a check found, unless somebody looked while it ran or the search is gone."""
        row = self._session.get(SavedSearchRow, saved_id)
        if row is not None and row.seen_passage == seen_passage:
            row.checked, row.fresh = utc_now(), [[int(hit.document_id), int(hit.passage_id)] for hit in fresh]
            self._session.flush()

    def any(self, collection_id: CollectionId) -> bool:
        query = select(SavedSearchRow.id).where(SavedSearchRow.collection_id == collection_id).limit(1)
        return self._session.scalar(query) is not None

    def last_passage(self, collection_id: CollectionId) -> int:
        """The highest id of a passage of the collection; 0 where it has none."""
        query = select(func.max(PassageRow.id)).where(PassageRow.collection_id == collection_id)
        return self._session.scalar(query) or 0

    def _kept(self, saved_id: int) -> SavedSearchRow:
        row = self._session.get(SavedSearchRow, saved_id)
        if row is None:
            raise UnknownSavedSearch(saved_id)
        return row

    def _find(self, collection_id: CollectionId, name: str) -> SavedSearchRow | None:
        return self._session.scalar(
            select(SavedSearchRow).where(
                SavedSearchRow.collection_id == collection_id, SavedSearchRow.name == " ".join(name.split())
            )
        )


def _saved(row: SavedSearchRow) -> SavedSearch:
    return SavedSearch(
        id=row.id,
        collection_id=CollectionId(row.collection_id),
        name=row.name,
        query=row.query,
        options=row.options,
        author=row.author,
        created=row.created,
        looked=row.looked,
        checked=row.checked,
        seen_passage=row.seen_passage,
        fresh=tuple(FreshHit(DocumentId(document), PassageId(passage)) for document, passage in row.fresh),
    )
