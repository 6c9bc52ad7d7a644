"""Senses of words in SQL: which words were looked at, the senses found in each, and where each sense occurs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from riparian.catalog.models import Base, BigId, utc_now


class SenseWordRow(Base):
    """A word as it was asked for in a collection. `tree` is how its finest groups were joined, `history` the divisions
    before each edit, the latest last: lists of the ids of the senses that were shown."""

    __tablename__ = "sense_words"
    __table_args__ = (UniqueConstraint("collection_id", "word", "lemma"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    word: Mapped[str] = mapped_column(String(200))
    lemma: Mapped[bool] = mapped_column(Boolean, default=False)
    revision: Mapped[int] = mapped_column(BigId, default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tree: Mapped[list[Any]] = mapped_column(default=list)
    history: Mapped[list[Any]] = mapped_column(default=list)
    created: Mapped[datetime] = mapped_column(default=utc_now)


class SenseRow(Base):
    """A sense: the groups of the word's tree that make it up. One that an edit replaced is kept, not `shown`, so that
    undoing brings back the same id."""

    __tablename__ = "senses"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    word_id: Mapped[int] = mapped_column(ForeignKey("sense_words.id", ondelete="CASCADE"), index=True)
    groups: Mapped[list[Any]] = mapped_column(default=list)
    label: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    company: Mapped[list[Any]] = mapped_column(default=list)
    examples: Mapped[list[Any]] = mapped_column(default=list)
    substitutes: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    shown: Mapped[bool] = mapped_column(Boolean, default=True)


class SenseOccurrenceRow(Base):
    """One occurrence of a word in a passage: code points of the document's text, the finest group it is in, its sense.

    Passages overlap: `first` marks the row that counts where an occurrence lies in two.
    """

    __tablename__ = "sense_occurrences"
    __table_args__ = (Index("ix_sense_occurrences_sense", "sense_id", "passage_id"),)

    word_id: Mapped[int] = mapped_column(ForeignKey("sense_words.id", ondelete="CASCADE"), primary_key=True)
    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True, index=True)
    start: Mapped[int] = mapped_column(Integer, primary_key=True)
    end: Mapped[int]
    group: Mapped[int]
    sense_id: Mapped[int] = mapped_column(ForeignKey("senses.id", ondelete="CASCADE"))
    doubt: Mapped[float] = mapped_column(Float, default=0.0)
    first: Mapped[bool] = mapped_column(Boolean, default=True)
