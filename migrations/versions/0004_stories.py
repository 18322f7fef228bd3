"""Stories, with their full-text index; evidence says which story it is.

Revision: 0003
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op
from pydantic_core import to_json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.String(27, collation="C"), "postgresql")

FILTERS = ("verdict", "role", "care_setting", "organisation", "icb", "region")
BATCH = 500

Document = dict[str, Any]

# As the index of innovations: from the stored document, and kept in step by triggers.
SQLITE_TEXT = (
    """
    CREATE VIEW story_text_source AS SELECT number, document ->> '$.text' AS text FROM story
    """,
    """
    CREATE VIRTUAL TABLE story_text USING fts5(
        text, content = 'story_text_source', content_rowid = 'number',
        tokenize = 'porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER story_text_added AFTER INSERT ON story BEGIN
        INSERT INTO story_text (rowid, text) VALUES (NEW.number, NEW.document ->> '$.text');
    END
    """,
    """
    CREATE TRIGGER story_text_changed AFTER UPDATE OF document ON story
    WHEN NEW.document <> OLD.document BEGIN
        INSERT INTO story_text (story_text, rowid, text)
        VALUES ('delete', OLD.number, OLD.document ->> '$.text');
        INSERT INTO story_text (rowid, text) VALUES (NEW.number, NEW.document ->> '$.text');
    END
    """,
)

POSTGRESQL_TEXT = (
    """
    CREATE FUNCTION register_story_text(document jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN register_part('A', register_words(document, '$.text'))
    """,
    """
    ALTER TABLE story ADD COLUMN search tsvector
        GENERATED ALWAYS AS (register_story_text(document::jsonb)) STORED
    """,
    "CREATE INDEX ix_story_search ON story USING gin (search)",
)


def upgrade() -> None:
    op.create_table(
        "story",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("care_setting", sa.String(), nullable=True),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("icb", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_icb", sa.String(), nullable=True),
        sa.Column("owner_region", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("submitter", sa.String(), nullable=False),
        sa.Column("source_system", sa.String(), nullable=True),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organisation"], ["organisation.code"]),
        sa.ForeignKeyConstraint(["owner"], ["organisation.code"]),
        sa.ForeignKeyConstraint(["submitter"], ["organisation.code"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("submitter", "source_system", "source_id", name="uq_story_source"),
    )
    op.create_index("ix_story_created_at", "story", ["created_at", "number"])
    op.create_index("ix_story_number", "story", ["visibility", "number", *FILTERS])
    op.create_index("ix_story_updated_at", "story", ["visibility", "updated_at", "number"])
    for name in FILTERS:
        op.create_index(f"ix_story_{name}", "story", ["visibility", name, "number"])
    op.create_index("ix_story_owner", "story", ["owner"])
    op.create_table(
        "story_key",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["story.number"]),
        sa.PrimaryKeyConstraint("name", "value", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_story_key_number", "story_key", ["number"])
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE_TEXT if is_sqlite else POSTGRESQL_TEXT:
        connection.exec_driver_sql(statement)
    _remake("evidence", "id", with_story)
    _remake("innovation", "number", with_stories)


def with_story(piece: Document) -> Document:
    """A piece of evidence with the new field in its place."""
    if "story" in piece:
        return piece
    made: Document = {}
    for name, value in piece.items():
        made[name] = value
        if name == "measure":
            made["story"] = None
    return made


def with_stories(document: Document) -> Document:
    return {**document, "evidence": [with_story(piece) for piece in document["evidence"]]}


def _remake(table: str, key: str, edit: Callable[[Document], Document]) -> None:
    """Gives stored documents their new shape, and innovations another ETag."""
    connection = op.get_bind()
    made = sa.table(
        table, sa.column(key), sa.column("document", sa.Text), sa.column("sequence", sa.Integer)
    )
    head = connection.execute(sa.text("SELECT sequence FROM log_head")).scalar_one()
    last: Any = None
    while True:
        some = sa.select(made.c[key], made.c.document).order_by(made.c[key]).limit(BATCH)
        if last is not None:
            some = some.where(made.c[key] > last)
        rows = connection.execute(some).all()
        if not rows:
            return
        for name, text in rows:
            document = json.loads(text)
            edited = edit(document)
            if edited != document:
                # As the models write it, to the byte.
                remade: Document = {"document": to_json(edited).decode()}
                if table == "innovation":
                    remade["sequence"] = head
                connection.execute(made.update().where(made.c[key] == name).values(remade))
        last = rows[-1][0]


def downgrade() -> None:
    raise NotImplementedError("Go back to a copy of the database from before.")
