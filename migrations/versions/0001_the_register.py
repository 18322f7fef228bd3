"""The register: its tables, the log's head, and the full-text index.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.String(27, collation="C"), "postgresql")

FILTERS = ("theme", "status", "organisation", "icb", "region", "care_setting")
SORT_KEYS = ("updated_at", "title_key", "review_on")

# The log starts at line 0, whose digest the first line follows.
FIRST_HEAD = """
INSERT INTO log_head (id, sequence, digest, at)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000',
        '2020-01-01T00:00:00.000000Z')
"""

# The index reads its words from the stored document, through a view, so it keeps no second copy
# of them; triggers keep it in step, whoever writes.
SQLITE_TEXT = (
    """
    CREATE VIEW innovation_text_source AS
    SELECT number,
           document ->> '$.title' AS title,
           document ->> '$.summary' AS summary,
           document ->> '$.description' AS description,
           (SELECT group_concat(value, ' ; ') FROM json_each(document, '$.tags')) AS tags,
           (SELECT group_concat(value ->> '$.statement', ' ; ')
              FROM json_each(document, '$.evidence')) AS evidence
      FROM innovation
    """,
    """
    CREATE VIRTUAL TABLE innovation_text USING fts5(
        title, summary, description, tags, evidence,
        content = 'innovation_text_source', content_rowid = 'number',
        tokenize = 'porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER innovation_text_added AFTER INSERT ON innovation BEGIN
        INSERT INTO innovation_text (rowid, title, summary, description, tags, evidence)
        VALUES (NEW.number, {new});
    END
    """,
    """
    CREATE TRIGGER innovation_text_changed AFTER UPDATE OF document ON innovation
    WHEN NEW.document <> OLD.document BEGIN
        INSERT INTO innovation_text
            (innovation_text, rowid, title, summary, description, tags, evidence)
        VALUES ('delete', OLD.number, {old});
        INSERT INTO innovation_text (rowid, title, summary, description, tags, evidence)
        VALUES (NEW.number, {new});
    END
    """,
    # What is not published, once more by itself: so the number of published ones that are found is
    # a difference of two numbers that FTS5 counts without a look at any entry.
    """
    CREATE VIRTUAL TABLE innovation_text_hidden USING fts5(
        title, summary, description, tags, evidence,
        content = 'innovation_text_source', content_rowid = 'number',
        tokenize = 'porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER innovation_text_hidden_added AFTER INSERT ON innovation
    WHEN NEW.visibility <> 'published' BEGIN
        INSERT INTO innovation_text_hidden (rowid, title, summary, description, tags, evidence)
        VALUES (NEW.number, {new});
    END
    """,
    """
    CREATE TRIGGER innovation_text_hidden_changed AFTER UPDATE OF document ON innovation
    WHEN NEW.document <> OLD.document
     AND (NEW.visibility <> 'published' OR OLD.visibility <> 'published') BEGIN
        INSERT INTO innovation_text_hidden
            (innovation_text_hidden, rowid, title, summary, description, tags, evidence)
        SELECT 'delete', OLD.number, {old} WHERE OLD.visibility <> 'published';
        INSERT INTO innovation_text_hidden (rowid, title, summary, description, tags, evidence)
        SELECT NEW.number, {new} WHERE NEW.visibility <> 'published';
    END
    """,
)

SQLITE_WORDS = """
    {row}.document ->> '$.title',
    {row}.document ->> '$.summary',
    {row}.document ->> '$.description',
    (SELECT group_concat(value, ' ; ') FROM json_each({row}.document, '$.tags')),
    (SELECT group_concat(value ->> '$.statement', ' ; ')
       FROM json_each({row}.document, '$.evidence'))
"""

# English stems, but no stop words: a phrase is found with all its words, as on SQLite. Accents and
# punctuation are folded before, as app/dialects/postgresql.py folds what is searched for. A full
# stop, which nobody can search for, ends each part, so that no phrase reaches into the next.
POSTGRESQL_TEXT = (
    "CREATE TEXT SEARCH DICTIONARY register_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION register_english (COPY = simple)",
    """
    ALTER TEXT SEARCH CONFIGURATION register_english
        ALTER MAPPING FOR asciiword, word, numword WITH register_stem
    """,
    """
    CREATE FUNCTION register_folded(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(
        regexp_replace(
            regexp_replace(normalize(words, NFKD), '[\\u0300-\\u036f]', '', 'g'),
            '[\\u0080-\\u00bf\\u2010-\\u206f\\u3000-\\u303f]', ' ', 'g'
        ),
        $$!"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~$$,
        repeat(' ', 32)
    )
    """,
    """
    CREATE FUNCTION register_words(document jsonb, path jsonpath) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT string_agg(word #>> '{}', ' ; ') FROM jsonb_path_query(document, path) AS word)
    """,
    """
    CREATE FUNCTION register_part(weight "char", words text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('register_english', register_folded(coalesce(words, ''))), weight)
        || $$'.':1$$::tsvector
    """,
    """
    CREATE FUNCTION register_text(document jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN register_part('A', register_words(document, '$.title'))
        || register_part('B', register_words(document, '$.summary'))
        || register_part('B', register_words(document, '$.tags[*]'))
        || register_part('C', register_words(document, '$.description'))
        || register_part('D', register_words(document, '$.evidence[*].statement'))
    """,
    """
    ALTER TABLE innovation ADD COLUMN search tsvector
        GENERATED ALWAYS AS (register_text(document::jsonb)) STORED
    """,
    "CREATE INDEX ix_innovation_search ON innovation USING gin (search)",
)


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("client", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("thing", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("document_digest", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("ix_change_thing", "change", ["thing", "kind", "version"])

    op.create_table(
        "idempotent_answer",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("client", "key"),
    )
    op.create_index("ix_idempotent_answer_created_at", "idempotent_answer", ["created_at"])

    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "organisation",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("icb", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("opened", sa.Date(), nullable=True),
        sa.Column("closed", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_organisation_name_key", "organisation", ["name_key"])
    op.create_index("ix_organisation_parent", "organisation", ["parent"])

    op.create_table(
        "organisation_succession",
        sa.Column("predecessor", sa.String(), nullable=False),
        sa.Column("successor", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("predecessor", "successor"),
    )
    op.create_index(
        "ix_organisation_succession_successor", "organisation_succession", ["successor"]
    )

    op.create_table(
        "theme",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("slug"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["organisation.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_client_organisation", "client", ["organisation"])

    op.create_table(
        "client_key",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["client"],
            ["client.id"],
        ),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_client_key_client", "client_key", ["client"])

    op.create_table(
        "subscription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("curates", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("older_secrets", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("paused_reason", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["organisation.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_subscription_organisation", "subscription", ["organisation"])
    op.create_index("ix_subscription_due", "subscription", ["state", "due_at"])

    op.create_table(
        "delivery",
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription"],
            ["subscription.id"],
        ),
        sa.PrimaryKeyConstraint("subscription", "number"),
    )

    op.create_table(
        "innovation",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("icb", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("care_setting", sa.String(), nullable=True),
        sa.Column("title_key", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("review_on", sa.String(), nullable=False),
        sa.Column("submitter", sa.String(), nullable=False),
        sa.Column("source_system", sa.String(), nullable=True),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["organisation.code"],
        ),
        sa.ForeignKeyConstraint(
            ["submitter"],
            ["organisation.code"],
        ),
        sa.ForeignKeyConstraint(
            ["theme"],
            ["theme.slug"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("submitter", "source_system", "source_id", name="uq_innovation_source"),
    )
    op.create_index("ix_innovation_created_at", "innovation", ["created_at", "number"])
    ways = {"number": ["number", *FILTERS]}
    ways |= {
        name: [name, "number", *(other for other in FILTERS if other != name)] for name in FILTERS
    }
    ways |= {key: [key, "number", *FILTERS] for key in SORT_KEYS}
    ways |= {
        f"{name}_{key}": [name, key, "number"]
        for name in ("organisation", "icb")
        for key in SORT_KEYS
    }
    for name, columns in ways.items():
        op.create_index(f"ix_innovation_{name}", "innovation", ["visibility", *columns])

    op.create_table(
        "decision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"],
            ["innovation.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_decision_number", "decision", ["number"])

    op.create_table(
        "evidence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"],
            ["innovation.number"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_evidence_number", "evidence", ["number"])

    op.create_table(
        "innovation_key",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("icb", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("care_setting", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"],
            ["innovation.number"],
        ),
        sa.PrimaryKeyConstraint("name", "value", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_innovation_key_number", "innovation_key", ["number"])
    op.execute(FIRST_HEAD)
    _index_text()


def _index_text() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        words = {row.lower(): SQLITE_WORDS.replace("{row}", row) for row in ("NEW", "OLD")}
        for statement in SQLITE_TEXT:
            connection.exec_driver_sql(statement.format(**words))
    else:
        for statement in POSTGRESQL_TEXT:
            # The driver takes a percent sign for a parameter.
            connection.exec_driver_sql(statement.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first revision: drop the database.")
