"""Token states and relevance calibration"""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled together with the tables of this step."""


def downgrade() -> None:
    """The reverse of `upgrade`."""
