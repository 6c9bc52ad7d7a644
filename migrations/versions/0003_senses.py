"""Word senses: saved senses and their occurrences"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sense_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("encoder_id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=200), nullable=False),
        sa.Column("lemma", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("tree", sa.JSON(), nullable=False),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_sense_words_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["encoder_id"], ["encoders.id"], name=op.f("fk_sense_words_encoder_id_encoders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sense_words")),
        sa.UniqueConstraint("collection_id", "word", "lemma", name=op.f("uq_sense_words_collection_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "senses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("word_id", sa.Integer(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company", sa.JSON(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["word_id"], ["sense_words.id"], name=op.f("fk_senses_word_id_sense_words"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senses")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_senses_word_id"), "senses", ["word_id"], unique=False)
    _occurrences()


def _occurrences() -> None:
    op.create_table(
        "sense_occurrences",
        sa.Column("word_id", sa.Integer(), nullable=False),
        sa.Column("passage_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column("sense_id", sa.Integer(), nullable=False),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["word_id"], ["sense_words.id"], name=op.f("fk_sense_occurrences_word_id_sense_words"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["passage_id"], ["passages.id"], name=op.f("fk_sense_occurrences_passage_id_passages"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sense_id"], ["senses.id"], name=op.f("fk_sense_occurrences_sense_id_senses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word_id", "passage_id", "start", name=op.f("pk_sense_occurrences")),
    )
    op.create_index("ix_sense_occurrences_sense", "sense_occurrences", ["sense_id", "passage_id"], unique=False)
    op.create_index(op.f("ix_sense_occurrences_passage_id"), "sense_occurrences", ["passage_id"], unique=False)


def downgrade() -> None:
    for table in ("sense_occurrences", "senses", "sense_words"):
        op.drop_table(table)
