"""Collections and the paths they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from riparian.catalog.models import CollectionRow, DocumentRow, FailureRow, FileRow, PassageRow, RootRow
from riparian.errors import AlreadyExists, UnknownCollection
from riparian.types import Collection, CollectionId, EncoderId


@dataclass(frozen=True, slots=True)
class Root:
    """A path that was added to a collection, with the reading options given then."""

    id: int
    path: str
    options: Mapping[str, Any]


class Collections:
    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, encoder_id: EncoderId | None, settings: Mapping[str, Any]) -> Collection:
        """A new, empty collection. AlreadyExists when the name is taken."""
        if self._find(name) is not None:
            raise AlreadyExists(f"a collection named {name!r} exists already")
        row = CollectionRow(name=name, encoder_id=encoder_id, settings=dict(settings), revision=0)
        self._session.add(row)
        self._session.flush()
        return self._with_counts(row)

    def all(self) -> list[Collection]:
        """Every collection by name."""
        rows = self._session.scalars(select(CollectionRow).order_by(CollectionRow.name)).all()
        return [self._with_counts(row) for row in rows]

    def named(self, name: str) -> Collection:
        """UnknownCollection, naming those there are, when the name is not there."""
        row = self._find(name)
        if row is None:
            raise UnknownCollection(name, self._session.scalars(select(CollectionRow.name)))
        return self._with_counts(row)

    def get(self, collection_id: CollectionId) -> Collection:
        return self._with_counts(self._row(collection_id))

    def remove(self, collection_id: CollectionId) -> None:
        """Its documents, passages, vectors, topics and jobs go with it (files on disk are the caller's to remove)."""
        self._session.delete(self._row(collection_id))
        self._session.flush()

    def set_encoder(self, collection_id: CollectionId, encoder_id: EncoderId) -> None:
        self._row(collection_id).encoder_id = encoder_id
        self.touch(collection_id)

    def set_settings(self, collection_id: CollectionId, settings: Mapping[str, Any]) -> None:
        self._row(collection_id).settings = dict(settings)
        self.touch(collection_id)

    def touch(self, collection_id: CollectionId) -> None:
        """Counts one change, so that readers know that what they hold is old."""
        grown = CollectionRow.revision + 1
        self._session.execute(update(CollectionRow).where(CollectionRow.id == collection_id).values(revision=grown))

    def revision(self, collection_id: CollectionId) -> int:
        found = self._session.scalar(select(CollectionRow.revision).where(CollectionRow.id == collection_id))
        if found is None:
            raise UnknownCollection(collection_id)
        return found

    def add_root(self, collection_id: CollectionId, path: str, options: Mapping[str, Any]) -> Root:
        """The root of this path, made or with its options renewed."""
        query = select(RootRow).where(RootRow.collection_id == collection_id, RootRow.path == path)
        row = self._session.scalar(query)
        if row is None:
            row = RootRow(collection_id=collection_id, path=path, options=dict(options))
            self._session.add(row)
        else:
            row.options = dict(options)
        self._session.flush()
        return Root(row.id, row.path, row.options)

    def roots(self, collection_id: CollectionId) -> list[Root]:
        rows = self._session.scalars(select(RootRow).where(RootRow.collection_id == collection_id).order_by(RootRow.id))
        return [Root(row.id, row.path, row.options) for row in rows]

    def _find(self, name: str) -> CollectionRow | None:
        return self._session.scalar(select(CollectionRow).where(CollectionRow.name == name))

    def _row(self, collection_id: CollectionId) -> CollectionRow:
        row = self._session.get(CollectionRow, collection_id)
        if row is None:
            raise UnknownCollection(collection_id)
        return row

    def _with_counts(self, row: CollectionRow) -> Collection:
        documents = select(func.count()).select_from(DocumentRow).where(DocumentRow.collection_id == row.id)
        passages = select(func.count()).select_from(PassageRow).where(PassageRow.collection_id == row.id)
        failed = (
            select(func.count()).select_from(FileRow).where(FileRow.collection_id == row.id, FileRow.state == "failed")
        )
        members = (
            select(func.count())
            .select_from(FailureRow)
            .join(FileRow, FileRow.id == FailureRow.file_id)
            .where(FileRow.collection_id == row.id)
        )
        counts = self._session.execute(
            select(
                documents.scalar_subquery(),
                passages.scalar_subquery(),
                failed.scalar_subquery(),
                members.scalar_subquery(),
            )
        ).one()
        return Collection(
            id=CollectionId(row.id),
            name=row.name,
            created=row.created,
            encoder_id=EncoderId(row.encoder_id) if row.encoder_id is not None else None,
            documents=counts[0],
            passages=counts[1],
            failures=counts[2] + counts[3],
            revision=row.revision,
            settings=row.settings,
        )
