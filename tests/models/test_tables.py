"""What the register holds, as flat tables."""

from __future__ import annotations

import pytest

from app.models.tables import DECISIONS, EVIDENCE, INNOVATIONS, TABLES, ColumnType, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_names_each_column_once_and_its_key_first(table: Table) -> None:
    names = [column.name for column in table.columns]

    assert len(set(names)) == len(names)
    assert table.key == names[0]
    assert not table.columns[0].nullable


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_nothing_that_a_document_says_is_left_out(table: Table) -> None:
    # What says of which innovation a thing is stands in columns of that name.
    told = {column.name if column.of_innovation else column.path[0] for column in table.columns}
    # What has a table of its own, or is of use only where the whole document is.
    elsewhere = {
        *("evidence", "adoptions", "withdrawal", "links", "predecessors"),
        "consent_to_publish",
    }

    assert set(table.document.model_fields) - told <= elsewhere


@pytest.mark.parametrize(
    ("table", "name", "type_", "nullable"),
    [
        (INNOVATIONS, "id", ColumnType.TEXT, False),
        (INNOVATIONS, "decided_on", ColumnType.DAY, True),
        (INNOVATIONS, "icb", ColumnType.TEXT, True),
        (INNOVATIONS, "tags", ColumnType.TEXTS, False),
        (INNOVATIONS, "further_themes", ColumnType.TEXTS, False),
        (INNOVATIONS, "evidence_count", ColumnType.INTEGER, False),
        (INNOVATIONS, "created_at", ColumnType.MOMENT, False),
        (EVIDENCE, "baseline", ColumnType.NUMBER, True),
        (EVIDENCE, "result", ColumnType.NUMBER, True),
        (DECISIONS, "innovation", ColumnType.TEXT, False),
    ],
)
def test_a_column_has_the_type_of_what_the_document_says(
    table: Table, name: str, type_: ColumnType, nullable: bool
) -> None:
    column = table.column(name)

    assert (column.type, column.nullable) == (type_, nullable)


def test_a_column_names_its_choices() -> None:
    assert INNOVATIONS.column("status").choices == ("under_review", "keep", "retire")
    assert INNOVATIONS.column("title").choices == ()
