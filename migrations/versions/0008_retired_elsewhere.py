"""Which lines submit what was retired elsewhere, and which subscriptions ask to be told.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.String(27, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "line_likeness",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["innovation.number"]),
        sa.ForeignKeyConstraint(["sequence"], ["change.sequence"]),
        sa.PrimaryKeyConstraint("sequence", "number"),
    )
    op.create_table(
        "lines_judged",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("usual", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO lines_judged (id, sequence, owner, due_at) "
        "VALUES (1, 0, NULL, '2020-01-01T00:00:00.000000Z')"
    )
    op.add_column(
        "subscription",
        sa.Column("retired_elsewhere", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("subscription", "retired_elsewhere")
    op.drop_table("lines_judged")
    op.drop_table("line_likeness")
