"""Words that could stand in a sense's place"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("senses", sa.Column("substitutes", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("senses", "substitutes")
