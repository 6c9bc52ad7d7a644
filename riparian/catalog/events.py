"""What happened to a collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from riparian.catalog.models import EventRow
from riparian.types import CollectionId


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    time: datetime
    actor: str
    kind: str
    data: Mapping[str, Any]


class Events:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, collection_id: CollectionId | None, kind: str, data: Mapping[str, Any], actor: str = "") -> None:
        self._session.add(EventRow(collection_id=collection_id, kind=kind, data=dict(data), actor=actor))
        self._session.flush()

    def latest(self, collection_id: CollectionId, limit: int = 50) -> list[Event]:
        """Newest first."""
        query = (
            select(EventRow).where(EventRow.collection_id == collection_id).order_by(EventRow.id.desc()).limit(limit)
        )
        return [_event(row) for row in self._session.scalars(query)]

    def last(self, collection_id: CollectionId, kind: str) -> Event | None:
        """The newest of this kind, None where there is none."""
        query = select(EventRow).where(EventRow.collection_id == collection_id, EventRow.kind == kind)
        row = self._session.scalar(query.order_by(EventRow.id.desc()).limit(1))
        return _event(row) if row is not None else None


def _event(row: EventRow) -> Event:
    return Event(row.id, row.time, row.actor, row.kind, row.data)
