"""The SQL rows. They never leave `riparian/catalog/`; the rest of the program sees `riparian.types`.

SQL is the truth: a document is acknowledged when its row is committed, and vectors, lexical indexes and topic
files can be rebuilt from these tables.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Constraint names must be stable for migrations on both databases.
NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives a rowid alias only to INTEGER PRIMARY KEY.
BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes in Python, naive UTC in the database (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


def utc_now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, date: Date, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class EncoderRow(Base):
    __tablename__ = "encoders"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(100))
    spec: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    dimension: Mapped[int]
    card: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=utc_now)


class CollectionRow(Base):
    __tablename__ = "collections"
    __table_args__ = ({"sqlite_autoincrement": True},)  # folders are named by the id

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created: Mapped[datetime] = mapped_column(default=utc_now)
    encoder_id: Mapped[int | None] = mapped_column(ForeignKey("encoders.id"))
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class RootRow(Base):
    """A path the user added; `sync` looks at it again."""

    __tablename__ = "roots"
    __table_args__ = (UniqueConstraint("collection_id", "path"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)


class FileRow(Base):
    __tablename__ = "files"
    __table_args__ = (UniqueConstraint("collection_id", "path"), Index("ix_files_digest", "collection_id", "digest"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    seen: Mapped[datetime] = mapped_column(default=utc_now)


class FailureRow(Base):
    """A member of a file that could not be read although the file itself could."""

    __tablename__ = "failures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), index=True)
    member: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class DocumentRow(Base):
    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("collection_id", "source"),
        Index("ix_documents_date", "collection_id", "date"),
        Index("ix_documents_digest", "collection_id", "digest"),
        {"sqlite_autoincrement": True},  # an id that was deleted must never name another document
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id", ondelete="SET NULL"), index=True)
    source: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    length: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    date: Mapped[date | None]
    author: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(20), default="")
    type: Mapped[str] = mapped_column(String(40), default="")
    details: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    duplicate_group: Mapped[int | None] = mapped_column(BigInteger, index=True)
    added: Mapped[datetime] = mapped_column(default=utc_now)
    # the long columns come last: SQLite reads a row from its start, and metadata must not wait for a book
    anchors: Mapped[list[Any]] = mapped_column(default=list, deferred=True)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    text: Mapped[str] = mapped_column(Text, deferred=True)


class PassageRow(Base):
    """Where a passage lies; its text is cut out of the document's, so the two cannot disagree."""

    __tablename__ = "passages"
    __table_args__ = (
        UniqueConstraint("document_id", "position"),
        Index("ix_passages_key", "collection_id", "key"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    position: Mapped[int]
    start: Mapped[int]
    end: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))


class VectorRow(Base):
    """That a passage is embedded. The vector itself stands here until a generation holds it (`generation` set)."""

    __tablename__ = "vectors"
    __table_args__ = (
        UniqueConstraint("passage_id", "encoder_id"),
        Index("ix_vectors_collection", "collection_id", "encoder_id", "generation"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"))
    generation: Mapped[int | None]
    vector: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class GenerationRow(Base):
    __tablename__ = "generations"
    __table_args__ = (UniqueConstraint("collection_id", "encoder_id", "number"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    number: Mapped[int]
    folder: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger)
    tombstone: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20))
    created: Mapped[datetime] = mapped_column(default=utc_now)


class TombstoneRow(Base):
    """A passage that was removed while a generation still holds its row."""

    __tablename__ = "tombstones"
    __table_args__ = (Index("ix_tombstones_collection", "collection_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    passage_id: Mapped[int] = mapped_column(BigInteger)


class LexicalChangeRow(Base):
    """A document that the lexical index has yet to take in or drop, written with the change itself."""

    __tablename__ = "lexical_changes"
    __table_args__ = (Index("ix_lexical_changes_collection", "collection_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    document_id: Mapped[int] = mapped_column(BigInteger)


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_queue", "state", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(20), default="queued")
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    checkpoint: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    stage: Mapped[str] = mapped_column(String(60), default="")
    stage_started: Mapped[datetime | None]
    stage_from: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(String(40), default="")
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    worker: Mapped[str] = mapped_column(String(100), default="")
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    created: Mapped[datetime] = mapped_column(default=utc_now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class EventRow(Base):
    """What happened to a collection, by whom, for the history page."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), index=True)
    time: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(String(100), default="")
    kind: Mapped[str] = mapped_column(String(60))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TopicModelRow(Base):
    __tablename__ = "topic_models"
    __table_args__ = ({"sqlite_autoincrement": True},)  # folders are named by the id

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), index=True)
    encoder_id: Mapped[int] = mapped_column(ForeignKey("encoders.id"))
    kind: Mapped[str] = mapped_column(String(60))
    folder: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created: Mapped[datetime] = mapped_column(default=utc_now)
    # kept: its topics and memberships are stored as shown; proposed: a refit to look at; before: a refit replaced it
    state: Mapped[str] = mapped_column(String(20), default="kept", server_default="kept")


class TopicRow(Base):
    """A topic as people know it; the id is its identity and outlives the model that shows it now. `state`: active,
    merged (into `origin["into"]`), retired (no model shows it any more) or proposed (by a refit)."""

    __tablename__ = "topics"
    __table_args__ = (UniqueConstraint("model_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("topic_models.id", ondelete="CASCADE"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(Text)
    terms: Mapped[list[Any]] = mapped_column(default=list)
    coherence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    representatives: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(String(20), default="active", server_default="active")
    named: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())  # by a person
    hidden: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    pinned: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    colour: Mapped[str] = mapped_column(String(20), default="", server_default="")
    map_x: Mapped[float | None] = mapped_column(Float)
    map_y: Mapped[float | None] = mapped_column(Float)
    origin: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class PassageTopicRow(Base):
    """How much of a passage a topic is; `top` marks the passage's main topic (one a passage)."""

    __tablename__ = "passage_topics"
    __table_args__ = (Index("ix_passage_topics_topic", "topic_id", "top", "weight"),)

    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True)
    weight: Mapped[float] = mapped_column(Float)
    top: Mapped[bool] = mapped_column(Boolean, default=False)


class DocumentTopicRow(Base):
    """The same for a document: the mean of its passages' mixtures weighted by their lengths."""

    __tablename__ = "document_topics"
    __table_args__ = (Index("ix_document_topics_topic", "topic_id", "top", "weight"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True)
    weight: Mapped[float] = mapped_column(Float)
    top: Mapped[bool] = mapped_column(Boolean, default=False)
