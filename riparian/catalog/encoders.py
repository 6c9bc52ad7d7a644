"""Encoders that vectors were made with: the fingerprint binds, the card explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from riparian.catalog.models import EncoderRow
from riparian.errors import UnknownEncoder
from riparian.types import EncoderId


@dataclass(frozen=True, slots=True)
class StoredEncoder:
    """`spec` loads it again; `fingerprint` must then be the same."""

    id: EncoderId
    kind: str
    spec: str
    name: str
    fingerprint: str
    dimension: int
    card: Mapping[str, Any]


class Encoders:
    def __init__(self, session: Session) -> None:
        self._session = session

    def register(
        self, *, kind: str, spec: str, name: str, fingerprint: str, dimension: int, card: Mapping[str, Any]
    ) -> StoredEncoder:
        """The row of this fingerprint, made when new."""
        row = self._session.scalar(select(EncoderRow).where(EncoderRow.fingerprint == fingerprint))
        if row is None:
            row = EncoderRow(
                kind=kind, spec=spec, name=name, fingerprint=fingerprint, dimension=dimension, card=dict(card)
            )
            self._session.add(row)
            self._session.flush()
        return _stored(row)

    def get(self, encoder_id: EncoderId) -> StoredEncoder:
        row = self._session.get(EncoderRow, encoder_id)
        if row is None:
            raise UnknownEncoder(str(encoder_id), [stored.name for stored in self.all()])
        return _stored(row)

    def all(self) -> list[StoredEncoder]:
        return [_stored(row) for row in self._session.scalars(select(EncoderRow).order_by(EncoderRow.id))]


def _stored(row: EncoderRow) -> StoredEncoder:
    return StoredEncoder(EncoderId(row.id), row.kind, row.spec, row.name, row.fingerprint, row.dimension, row.card)
