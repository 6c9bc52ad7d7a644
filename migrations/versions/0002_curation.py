"""Topics that people own: base posteriors, curation edits"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled together with the tables of this step."""


def downgrade() -> None:
    """The reverse of `upgrade`."""
