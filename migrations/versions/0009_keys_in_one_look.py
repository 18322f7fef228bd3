"""On PostgreSQL, the keys' index holds all that lists are filtered by: no row has to be looked at.

On SQLite the table is its primary key's index, and so does already.

Revision: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BESIDE = "visibility, theme, status, organisation, icb, region, care_setting"


def upgrade() -> None:
    _key(f"INCLUDE ({_BESIDE})")


def downgrade() -> None:
    _key("")


def _key(beside: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE innovation_key DROP CONSTRAINT innovation_key_pkey, "
            f"ADD PRIMARY KEY (name, value, number) {beside}"
        )
