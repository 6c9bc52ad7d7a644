"""The SQL rows of curation: what a model itself said of passages, and what people changed since.

`passage_topics`, `document_topics` and the words and counts of `topics` are derived: the posteriors, under the parts
and starts of the model, with its edits in force applied in order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from riparian.catalog.models import Base, BigId, utc_now


class PassagePosteriorRow(Base):
    """A passage's mixture over a model's base topics, as the model gave it and `topics.mixtures` kept it."""

    __tablename__ = "passage_posteriors"
    __table_args__ = (Index("ix_passage_posteriors_model", "model_id", "passage_id"),)

    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("topic_models.id", ondelete="CASCADE"), primary_key=True)
    weights: Mapped[bytes] = mapped_column(LargeBinary)


class TopicPartRow(Base):
    """Which topic, as people know it, a base topic of a model belongs to: several may belong to one."""

    __tablename__ = "topic_parts"

    model_id: Mapped[int] = mapped_column(ForeignKey("topic_models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id", ondelete="CASCADE"), index=True)


class TopicStartRow(Base):
    """What a topic was when its model came into force, before any edit."""

    __tablename__ = "topic_starts"

    model_id: Mapped[int] = mapped_column(ForeignKey("topic_models.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True, autoincrement=False
    )
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TopicEditRow(Base):
    """One change by a person. `state`: applied, undone, discarded (undone, and other edits came after) or mark (the
    history of models: nothing that could be undone)."""

    __tablename__ = "topic_edits"
    __table_args__ = (Index("ix_topic_edits_collection", "collection_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    model_id: Mapped[int | None] = mapped_column(ForeignKey("topic_models.id", ondelete="SET NULL"), index=True)
    position: Mapped[int]
    time: Mapped[datetime] = mapped_column(default=utc_now)
    author: Mapped[str] = mapped_column(String(100), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20), default="applied")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
