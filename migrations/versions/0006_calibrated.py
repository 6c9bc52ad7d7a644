"""How many passages a collection had when its relevance was measured"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calibrations", sa.Column("passages", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("calibrations", "passages")
