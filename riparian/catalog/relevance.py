"""Which folders hold the token states of a collection, and what its scores mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from riparian.catalog.models import utc_now
from riparian.catalog.relevance_rows import CalibrationRow, StatePartRow
from riparian.types import CollectionId, EncoderId

_LIVE, _GONE, _FORGOTTEN = "live", "gone", "forgotten"


@dataclass(frozen=True, slots=True)
class StatePart:
    """A published folder of token states: `rows` of `passages`, `bytes` on the disk."""

    id: int
    number: int
    folder: str
    passages: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """The curve of one kind ("label-free" or "judgments") as it was measured at a revision of the collection, when it
    had so many passages (0 = that was not kept)."""

    kind: str
    revision: int
    passages: int
    curve: Mapping[str, Any]
    created: datetime


class StateParts:
    """Token states are published part by part, in the transaction of the vectors that came out of the same pass."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def live(self, collection_id: CollectionId, encoder_id: EncoderId) -> list[StatePart]:
        """Oldest first: where two hold the same passage, the later one is right."""
        query = select(StatePartRow).where(*_of(collection_id, encoder_id), StatePartRow.state == _LIVE)
        return [_part(row) for row in self._session.scalars(query.order_by(StatePartRow.number))]

    def is_live(self, part_id: int) -> bool:
        row = self._session.get(StatePartRow, part_id)
        return row is not None and row.state == _LIVE

    def ever(self, collection_id: CollectionId, encoder_id: EncoderId) -> bool:
        """Whether states of this encoder are kept: not so where an earlier version indexed it."""
        query = select(StatePartRow.id).where(*_of(collection_id, encoder_id), StatePartRow.state != _FORGOTTEN)
        return self._session.scalar(query.limit(1)) is not None

    def encoders(self, collection_id: CollectionId) -> list[EncoderId]:
        """The encoders that the collection has token states of."""
        query = select(StatePartRow.encoder_id).where(
            StatePartRow.collection_id == collection_id, StatePartRow.state == _LIVE
        )
        return [EncoderId(found) for found in sorted(self._session.scalars(query.distinct()))]

    def next_number(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        query = select(func.max(StatePartRow.number)).where(*_of(collection_id, encoder_id))
        return (self._session.scalar(query) or 0) + 1

    def publish(
        self,
        collection_id: CollectionId,
        encoder_id: EncoderId,
        *,
        number: int,
        folder: str,
        passages: int,
        rows: int,
        size: int,
        replaces: Sequence[StatePart] = (),
    ) -> None:
        """Makes a written folder count, in place of those that it replaces."""
        self.retire(replaces)
        self._session.add(
            StatePartRow(
                collection_id=collection_id, encoder_id=encoder_id, number=number, folder=folder, passages=passages,
                rows=rows, bytes=size, state=_LIVE,
            )
        )  # fmt: skip
        self._session.flush()

    def retire(self, parts: Sequence[StatePart]) -> None:
        """The folders of these count no more and may go."""
        ids = [part.id for part in parts]
        self._session.execute(update(StatePartRow).where(StatePartRow.id.in_(ids)).values(state=_GONE))

    def forget_encoder(self, collection_id: CollectionId, encoder_id: EncoderId) -> None:
        """No states of this encoder are kept from now on."""
        self._session.execute(update(StatePartRow).where(*_of(collection_id, encoder_id)).values(state=_FORGOTTEN))


class Calibrations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, collection_id: CollectionId, encoder_id: EncoderId) -> dict[str, StoredCalibration]:
        """By kind."""
        query = select(CalibrationRow).where(
            CalibrationRow.collection_id == collection_id, CalibrationRow.encoder_id == encoder_id
        )
        return {row.kind: _calibration(row) for row in self._session.scalars(query)}

    def put(
        self,
        collection_id: CollectionId,
        encoder_id: EncoderId,
        kind: str,
        revision: int,
        curve: Mapping[str, Any],
        *,
        passages: int = 0,
    ) -> None:
        """In place of the one of this kind that there is."""
        self.drop(collection_id, encoder_id, kind)
        self._session.add(
            CalibrationRow(
                collection_id=collection_id, encoder_id=encoder_id, kind=kind, revision=revision,
                passages=passages, curve=dict(curve), created=utc_now(),
            )
        )  # fmt: skip
        self._session.flush()

    def drop(self, collection_id: CollectionId, encoder_id: EncoderId, kind: str) -> None:
        self._session.execute(
            delete(CalibrationRow).where(
                CalibrationRow.collection_id == collection_id,
                CalibrationRow.encoder_id == encoder_id,
                CalibrationRow.kind == kind,
            )
        )


def _of(collection_id: CollectionId, encoder_id: EncoderId) -> tuple[Any, Any]:
    return StatePartRow.collection_id == collection_id, StatePartRow.encoder_id == encoder_id


def _part(row: StatePartRow) -> StatePart:
    return StatePart(row.id, row.number, row.folder, row.passages, row.rows, row.bytes)


def _calibration(row: CalibrationRow) -> StoredCalibration:
    return StoredCalibration(row.kind, row.revision, row.passages, row.curve, row.created)
