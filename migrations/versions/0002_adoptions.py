"""Adoptions: their table, and their place in innovations' documents.

Revision: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from pydantic_core import from_json, to_json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FILTERS = ("theme", "status", "organisation", "icb", "region", "care_setting")
BATCH = 500


def upgrade() -> None:
    op.create_table(
        "adoption",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("icb", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("adopted_on", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["innovation.number"]),
        sa.ForeignKeyConstraint(["organisation"], ["organisation.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number", "organisation", name="uq_adoption_position"),
    )
    for name in ("number", "organisation", "icb", "region"):
        op.create_index(f"ix_adoption_{name}", "adoption", [name, "id"])
    op.create_index("ix_adoption_near", "adoption", ["region", "stage", "number", "icb"])

    op.add_column(
        "innovation",
        sa.Column("adoption_count", sa.Integer(), nullable=False, server_default="0"),
    )
    key = "adoption_count"
    op.create_index(f"ix_innovation_{key}", "innovation", ["visibility", key, "number", *FILTERS])
    for name in ("organisation", "icb"):
        op.create_index(
            f"ix_innovation_{name}_{key}", "innovation", ["visibility", name, key, "number"]
        )
    _remake_documents()


def _remake_documents() -> None:
    """Nobody has adopted anything yet; each document says so, at the places where models have it.

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
    for name, value in from_json(text).items():
        document[name] = value
        if name == "evidence":
            document["adoptions"] = []
    document["counts"]["adoptions"] = 0
    links = document["links"]
    history = links.pop("history")
    links |= {"adoptions": f"{links['self']}/adoptions", "history": history}
    # As the models write it, to the byte.
    return to_json(document).decode()


def downgrade() -> None:
    raise NotImplementedError("What was adopted would be lost: restore a backup instead.")
