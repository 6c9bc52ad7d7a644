"""Tables of re-ranking and relevance: where token states lie, and what a score means in a collection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from riparian.catalog.models import Base, BigId, utc_now


class StatePartRow(Base):
    """A published folder with the token states of some passages of a collection under one encoder.

    Rows that were replaced stay as "gone": a number must never name another folder.
    """

    __tablename__ = "state_parts"
    __table_args__ = (
        UniqueConstraint("collection_id", "encoder_id", "number"),
        Index("ix_state_parts_live", "collection_id", "encoder_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    number: Mapped[int]
    folder: Mapped[str] = mapped_column(Text)
    passages: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20))
    created: Mapped[datetime] = mapped_column(default=utc_now)


class CalibrationRow(Base):
    """What the scores of a collection under one encoder mean: the newest row of each kind counts.

    `kind` is "label-free" or "judgments"; `revision` and `passages` are the collection's when it was measured (0 = that
    was not kept).
    """

    __tablename__ = "calibrations"
    __table_args__ = (UniqueConstraint("collection_id", "encoder_id", "kind"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    kind: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int] = mapped_column(BigInteger)
    passages: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    curve: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime] = mapped_column(default=utc_now)
