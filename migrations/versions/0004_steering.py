"""Judgments, saved searches, the reading list"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _judgments()
    _saved_searches()
    _reading_list()


def _judgments() -> None:
    op.create_table(
        "judgments",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("query_key", sa.String(length=64), nullable=False),
        sa.Column("document_id", _BIG, nullable=True),
        sa.Column("passage_id", _BIG, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("grade", sa.Float(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        _belongs_to("judgments", "collections", "CASCADE"),
        _belongs_to("judgments", "documents", "SET NULL"),
        _belongs_to("judgments", "passages", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgments")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_judgments_query", "judgments", ["collection_id", "query_key"])
    op.create_index(op.f("ix_judgments_document_id"), "judgments", ["document_id"])
    op.create_index(op.f("ix_judgments_passage_id"), "judgments", ["passage_id"])


def _saved_searches() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("looked", sa.DateTime(), nullable=False),
        sa.Column("checked", sa.DateTime(), nullable=True),
        sa.Column("seen_passage", sa.BigInteger(), nullable=False),
        sa.Column("fresh", sa.JSON(), nullable=False),
        _belongs_to("saved_searches", "collections", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("collection_id", "name", name=op.f("uq_saved_searches_collection_id")),
        sqlite_autoincrement=True,
    )


def _reading_list() -> None:
    op.create_table(
        "reading_items",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("document_id", _BIG, nullable=True),
        sa.Column("passage_id", _BIG, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        _belongs_to("reading_items", "collections", "CASCADE"),
        _belongs_to("reading_items", "documents", "SET NULL"),
        _belongs_to("reading_items", "passages", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_items")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reading_items_collection", "reading_items", ["collection_id", "id"])
    op.create_index(op.f("ix_reading_items_document_id"), "reading_items", ["document_id"])
    op.create_index(op.f("ix_reading_items_passage_id"), "reading_items", ["passage_id"])
    op.create_table(
        "reading_tags",
        sa.Column("item_id", _BIG, nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["reading_items.id"], name=op.f("fk_reading_tags_item_id_reading_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", "tag", name=op.f("pk_reading_tags")),
    )
    op.create_index("ix_reading_tags_tag", "reading_tags", ["tag"])


def _belongs_to(table: str, other: str, on_delete: str) -> sa.ForeignKeyConstraint:
    column = f"{other.removesuffix('s')}_id"
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=on_delete)


def downgrade() -> None:
    for table in ("reading_tags", "reading_items", "saved_searches", "judgments"):
        op.drop_table(table)
