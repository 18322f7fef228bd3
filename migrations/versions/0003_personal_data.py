"""Personal data: which lines have text that was flagged and accepted, and which were redacted.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("accepted_flagged", "redacted"):
        op.add_column(
            "change", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    for name in ("accepted_flagged", "redacted"):
        op.drop_column("change", name)
