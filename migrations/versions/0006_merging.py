"""Merging: each innovation's document says what it was merged into, and what into it.

Revision: 0006
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from pydantic_core import to_json

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    """Nobody has merged anything yet; each document says so, at the place where models have it.

    Each is another text, so each gets another ETag: that of the newest line of the log.
    """
    connection = op.get_bind()
    innovation = sa.table(
        "innovation", sa.column("number"), sa.column("document"), sa.column("sequence")
    )
    head = connection.execute(sa.text("SELECT sequence FROM log_head")).scalar_one()
    remake = (
        sa.update(innovation)
        .where(innovation.c.number == sa.bindparam("of"))
        .values(document=sa.bindparam("text"), sequence=head)
    )
    last = 0
    while True:
        rows = connection.execute(
            sa.select(innovation.c.number, innovation.c.document)
            .where(innovation.c.number > last)
            .order_by(innovation.c.number)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        remade = [{"of": number, "text": _remade(document)} for number, document in rows]
        connection.execute(remake, remade)
        last = rows[-1][0]


def _remade(text: str) -> str:
    document: dict[str, Any] = {}
    for name, value in json.loads(text).items():
        document[name] = value
        if name == "withdrawal":
            document |= {"superseded_by": None, "supersedes": []}
    # As the models write it, to the byte.
    return to_json(document).decode()


def downgrade() -> None:
    raise NotImplementedError("Go back to a copy of the database from before.")
