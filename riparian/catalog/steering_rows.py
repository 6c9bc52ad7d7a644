"""The rows of what people say about an archive: judgments, saved searches, the reading list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from riparian.catalog.models import Base, BigId, utc_now


class JudgmentRow(Base):
    """How relevant somebody found a document for a query.

    The work of a person outlives the file: where a document is removed, its `source` stays, and one that comes back
    under it has its judgments again.
    """

    __tablename__ = "judgments"
    __table_args__ = (Index("ix_judgments_query", "collection_id", "query_key"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    query: Mapped[str] = mapped_column(Text)
    query_key: Mapped[str] = mapped_column(String(64))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id", ondelete="SET NULL"), index=True)
    passage_id: Mapped[int | None] = mapped_column(ForeignKey("passages.id", ondelete="SET NULL"), index=True)
    source: Mapped[str] = mapped_column(Text)
    grade: Mapped[float] = mapped_column(Float)
    author: Mapped[str] = mapped_column(String(100), default="")
    created: Mapped[datetime] = mapped_column(default=utc_now)


class SavedSearchRow(Base):
    """A search under a name. `seen_passage` is the highest passage there was when somebody last looked: a hit by a
    later one is new. `fresh` are the new hits that the last check found, [document, passage] each."""

    __tablename__ = "saved_searches"
    __table_args__ = (UniqueConstraint("collection_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    author: Mapped[str] = mapped_column(String(100), default="")
    created: Mapped[datetime] = mapped_column(default=utc_now)
    looked: Mapped[datetime] = mapped_column(default=utc_now)
    checked: Mapped[datetime | None]
    seen_passage: Mapped[int] = mapped_column(BigInteger, default=0)
    fresh: Mapped[list[Any]] = mapped_column(default=list)


class ReadingItemRow(Base):
    """A document or passage that somebody put aside. Where it is removed, its title and source stay."""

    __tablename__ = "reading_items"
    __table_args__ = (Index("ix_reading_items_collection", "collection_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id", ondelete="SET NULL"), index=True)
    passage_id: Mapped[int | None] = mapped_column(ForeignKey("passages.id", ondelete="SET NULL"), index=True)
    title: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(String(100), default="")
    created: Mapped[datetime] = mapped_column(default=utc_now)


class ReadingTagRow(Base):
    __tablename__ = "reading_tags"
    __table_args__ = (Index("ix_reading_tags_tag", "tag"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("reading_items.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(100), primary_key=True)
