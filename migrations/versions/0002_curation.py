"""Topics that people own: base posteriors, curation edits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TOPIC_COLUMNS = ("state", "named", "hidden", "pinned", "note", "colour", "map_x", "map_y", "origin")


def upgrade() -> None:
    op.add_column("topic_models", sa.Column("state", sa.String(length=20), nullable=False, server_default="kept"))
    op.add_column("topics", sa.Column("state", sa.String(length=20), nullable=False, server_default="active"))
    for flag in ("named", "hidden", "pinned"):
        op.add_column("topics", sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("topics", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.add_column("topics", sa.Column("colour", sa.String(length=20), nullable=False, server_default=""))
    op.add_column("topics", sa.Column("map_x", sa.Float(), nullable=True))
    op.add_column("topics", sa.Column("map_y", sa.Float(), nullable=True))
    op.add_column("topics", sa.Column("origin", sa.JSON(), nullable=False, server_default="{}"))
    _posteriors()
    _parts_and_starts()
    _edits()


def _posteriors() -> None:
    op.create_table(
        "passage_posteriors",
        sa.Column("passage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["topic_models.id"],
            name=op.f("fk_passage_posteriors_model_id_topic_models"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["passage_id"], ["passages.id"], name=op.f("fk_passage_posteriors_passage_id_passages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("passage_id", "model_id", name=op.f("pk_passage_posteriors")),
    )
    op.create_index("ix_passage_posteriors_model", "passage_posteriors", ["model_id", "passage_id"], unique=False)


def _parts_and_starts() -> None:
    op.create_table(
        "topic_parts",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["topic_models.id"], name=op.f("fk_topic_parts_model_id_topic_models"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_topic_parts_topic_id_topics"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "number", name=op.f("pk_topic_parts")),
    )
    op.create_index(op.f("ix_topic_parts_topic_id"), "topic_parts", ["topic_id"], unique=False)
    op.create_table(
        "topic_starts",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["topic_models.id"], name=op.f("fk_topic_starts_model_id_topic_models"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topics.id"], name=op.f("fk_topic_starts_topic_id_topics"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "topic_id", name=op.f("pk_topic_starts")),
    )
    op.create_index(op.f("ix_topic_starts_topic_id"), "topic_starts", ["topic_id"], unique=False)


def _edits() -> None:
    op.create_table(
        "topic_edits",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_topic_edits_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["topic_models.id"], name=op.f("fk_topic_edits_model_id_topic_models"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_edits")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_topic_edits_collection", "topic_edits", ["collection_id", "id"], unique=False)
    op.create_index(op.f("ix_topic_edits_model_id"), "topic_edits", ["model_id"], unique=False)


def downgrade() -> None:
    for table in ("topic_edits", "topic_starts", "topic_parts", "passage_posteriors"):
        op.drop_table(table)
    for column in _TOPIC_COLUMNS:
        op.drop_column("topics", column)
    op.drop_column("topic_models", "state")
