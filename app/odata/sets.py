"""The entity sets: the register's tables, and the ways from one to another."""

from __future__ import annotations

from dataclasses import dataclass

from app.models.tables import (
    ADOPTIONS,
    DECISIONS,
    EVIDENCE,
    INNOVATIONS,
    ORGANISATIONS,
    STORIES,
    THEMES,
    Column,
    Table,
)


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way from each entity of a set to entities of another."""

    name: str
    target: str
    """The name of the other set."""
    many: bool
    here: str
    """The property that names what is there."""
    there: str
    """The property of the other set by which it is found."""


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A table, as OData calls it: its columns are the properties of an entity."""

    name: str
    entity: str
    """The name of an entity's type."""
    table: Table
    navigations: tuple[Navigation, ...] = ()

    @property
    def key(self) -> Column:
        return self.table.column(self.table.key)

    def column(self, name: str) -> Column | None:
        return next((each for each in self.table.columns if each.name == name), None)

    def navigation(self, name: str) -> Navigation | None:
        return next((each for each in self.navigations if each.name == name), None)


_OF_INNOVATION = (Navigation("innovation_detail", "Innovations", False, "innovation", "id"),)

SETS = {
    each.name: each
    for each in (
        EntitySet(
            "Innovations",
            "Innovation",
            INNOVATIONS,
            (
                Navigation("decisions", "Decisions", True, "id", "innovation"),
                Navigation("evidence", "Evidence", True, "id", "innovation"),
                Navigation("adoptions", "Adoptions", True, "id", "innovation"),
                Navigation("theme_detail", "Themes", False, "theme", "slug"),
                Navigation("organisation_detail", "Organisations", False, "organisation", "code"),
            ),
        ),
        EntitySet("Decisions", "Decision", DECISIONS, _OF_INNOVATION),
        EntitySet(
            "Evidence",
            "PieceOfEvidence",
            EVIDENCE,
            (*_OF_INNOVATION, Navigation("story_detail", "Stories", False, "story", "id")),
        ),
        EntitySet(
            "Stories",
            "Story",
            STORIES,
            (
                Navigation("organisation_detail", "Organisations", False, "organisation", "code"),
                Navigation("region_detail", "Organisations", False, "region", "code"),
            ),
        ),
        EntitySet(
            "Adoptions",
            "Adoption",
            ADOPTIONS,
            (
                *_OF_INNOVATION,
                Navigation("organisation_detail", "Organisations", False, "organisation", "code"),
            ),
        ),
        EntitySet(
            "Organisations",
            "Organisation",
            ORGANISATIONS,
            (
                Navigation("parent_detail", "Organisations", False, "parent", "code"),
                Navigation("icb_detail", "Organisations", False, "icb", "code"),
                Navigation("region_detail", "Organisations", False, "region", "code"),
            ),
        ),
        EntitySet("Themes", "Theme", THEMES),
    )
}
"""All sets, by their names."""
