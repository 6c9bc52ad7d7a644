"""Word senses: saved senses and their occurrences"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled together with the tables of this step."""


def downgrade() -> None:
    """The reverse of `upgrade`."""
