"""What the register holds, as flat tables: the columns that exports and OData give it in.

A column is a place in a thing's public document; its type and whether it may be empty follow from
the document's model, so that they are said once. All that a thing has, and all that others may be
told of it, is in its document already.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from sqlmodel import SQLModel

from app.models.adoptions import Adoption, AdoptionPublic
from app.models.decisions import Decision, DecisionPublic
from app.models.evidence import Evidence, EvidencePublic
from app.models.innovations import Innovation, InnovationPublic
from app.models.organisations import Organisation, OrganisationPublic
from app.models.stories import Story, StoryPublic
from app.models.themes import Theme, ThemeDocument

Path = tuple[str, ...]


class ColumnType(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    """A time in UTC, to the microsecond."""
    TEXTS = "texts"
    """Several texts, in an order."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    description: str
    path: Path
    """Where its value stands in the document; of several things, as with tags, where each does."""
    of_innovation: bool
    """Whether that is the document of the innovation which the thing belongs to."""
    type: ColumnType
    nullable: bool
    choices: tuple[str, ...]
    """All values that there can be, where they are named; else none."""


@dataclass(frozen=True, slots=True)
class Table:
    """Things of one kind, a row each."""

    name: str
    """The plural noun by which addresses call it."""
    row: str
    """What a row is."""
    description: str
    use: str
    """What a file of it is good for."""
    stored: type[SQLModel]
    document: type[BaseModel]
    key: str
    """The column that names a row."""
    columns: tuple[Column, ...]

    @property
    def of_innovations(self) -> bool:
        """Whether a row is an innovation, or belongs to one."""
        return self.stored is Innovation or any(column.of_innovation for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            KeyError: when there is none.
        """
        return {column.name: column for column in self.columns}[name]


_Told = tuple[str, str, str]
"""A column's name, the place in the document, and what it tells."""


def _table(
    name: str,
    row: str,
    description: str,
    document: type[BaseModel],
    columns: Sequence[_Told],
    *,
    use: str,
    stored: type[SQLModel],
    of_innovation: Sequence[_Told] = (),
) -> Table:
    own = [_column(document, told, of_innovation=False) for told in columns]
    above = [_column(InnovationPublic, told, of_innovation=True) for told in of_innovation]
    # What names the row comes first, then what it belongs to.
    columns_ = (own[0], *above, *own[1:])
    return Table(name, row, description, use, stored, document, own[0].name, columns_)


def _column(document: type[BaseModel], told: _Told, *, of_innovation: bool) -> Column:
    name, place, description = told
    path = tuple(place.split("."))
    kind, nullable, several = _at(document, path)
    choices: tuple[str, ...] = ()
    if issubclass(kind, Enum):
        choices = tuple(str(each.value) for each in kind)
    type_ = ColumnType.TEXTS if several else next(t for k, t in _TYPES if issubclass(kind, k))
    return Column(name, description, path, of_innovation, type_, nullable, choices)


_TYPES: tuple[tuple[type, ColumnType], ...] = (
    (str, ColumnType.TEXT),
    (float, ColumnType.NUMBER),
    (int, ColumnType.INTEGER),
    (datetime, ColumnType.MOMENT),
    (date, ColumnType.DAY),
)


def _at(document: type[BaseModel], path: Path) -> tuple[type, bool, bool]:
    """The type of what stands there, whether it may be missing, and whether there are several."""
    here: Any = document
    nullable = several = False
    for part in path:
        here = here.model_fields[part].annotation
        while not isinstance(here, type) or get_origin(here) is not None:
            arguments = get_args(here)
            if get_origin(here) is Annotated:
                here = arguments[0]
            elif get_origin(here) is list:
                several, here = True, arguments[0]
            else:
                assert get_origin(here) in (Union, types.UnionType), f"{place_of(path)}: {here}"
                nullable |= type(None) in arguments
                # A whole number or one with a point is a number.
                here = float if float in arguments else arguments[0]
    return here, nullable, several


def place_of(path: Path) -> str:
    """A path in one word, as ``decision.review_on``."""
    return ".".join(path)


_OF_INNOVATION = (
    ("innovation", "id", "The `id` of the innovation that it belongs to."),
    ("reference", "reference", "That innovation's reference."),
)

INNOVATIONS = _table(
    "innovations",
    "innovation",
    "Innovations, with the newest decision on each.",
    InnovationPublic,
    (
        ("id", "id", "A UUIDv7."),
        ("reference", "reference", "What people call it by."),
        ("version", "version", "Counts its changes, from 1."),
        ("title", "title", "What it is, in a few words."),
        ("summary", "summary", "What is done and for whom."),
        ("description", "description", "All that somebody needs who wants to do the same."),
        ("theme", "theme.slug", "The slug of its main theme."),
        ("theme_name", "theme.name", "The name of its main theme."),
        ("further_themes", "further_themes.slug", "The slugs of other themes that it touches."),
        ("organisation", "organisation.code", "The ODS code of whose it is."),
        ("organisation_name", "organisation.name", "The name of whose it is."),
        ("organisation_kind", "organisation.kind", "What kind of organisation that is."),
        ("icb", "organisation.icb.code", "The ODS code of that organisation's ICB."),
        ("icb_name", "organisation.icb.name", "The name of that organisation's ICB."),
        ("region", "organisation.region.code", "The ODS code of that organisation's region."),
        ("region_name", "organisation.region.name", "The name of that organisation's region."),
        ("care_setting", "care_setting", "Where care is given."),
        ("status", "status", "What the newest decision says."),
        ("decision_reason", "decision.reason", "Why that was decided."),
        ("decided_on", "decision.decided_on", "When that was decided."),
        ("decided_by", "decision.decided_by", "Who decided that, as a role."),
        ("review_on", "decision.review_on", "When to look at it again."),
        ("tags", "tags", "Words to find it by."),
        ("started_on", "started_on", "Since when it has been done."),
        ("visibility", "visibility", "Who sees it."),
        ("superseded_by", "superseded_by.reference", "The reference of what took its place."),
        ("supersedes", "supersedes.reference", "The references of what was merged into it."),
        ("source_system", "source.system", "The system of the submitter that it comes from."),
        ("source_id", "source.id", "Its id in that system."),
        ("decision_count", "counts.decisions", "How many decisions there are on it."),
        (
            "evidence_count",
            "counts.evidence",
            "How many pieces of evidence there are for it.",
        ),
        (
            "adoption_count",
            "counts.adoptions",
            "How many other organisations have it: at adopted or adapted.",
        ),
        ("created_at", "created_at", "When it was submitted."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use=(
        "Use it for a spreadsheet, or to load all into a tool of your own: each innovation "
        "that the list would show with these filters, with its newest decision, as of one "
        "moment. In NDJSON it is the whole document."
    ),
    stored=Innovation,
)

DECISIONS = _table(
    "decisions",
    "decision",
    "Every decision on an innovation, the earlier ones, too.",
    DecisionPublic,
    (
        ("id", "id", "A UUIDv7."),
        ("status", "status", "What was decided."),
        ("reason", "reason", "Why."),
        ("decided_on", "decided_on", "When it was decided."),
        ("review_on", "review_on", "When to look at it again."),
        ("decided_by", "decided_by", "Who decided, as a role."),
        ("created_at", "created_at", "When the register learnt of it."),
    ),
    use="Use it to see how judgements changed: every decision on the innovations that fit.",
    stored=Decision,
    of_innovation=_OF_INNOVATION,
)

EVIDENCE = _table(
    "evidence",
    "piece of evidence",
    "Every piece of evidence for an innovation.",
    EvidencePublic,
    (
        ("id", "id", "A UUIDv7."),
        ("version", "version", "Counts its changes, from 1."),
        ("kind", "kind", "Where it comes from."),
        ("statement", "statement", "What it says."),
        ("strength", "strength", "How far it carries."),
        ("url", "url", "Where it can be read."),
        ("measure", "measure.name", "What was counted, of a measure."),
        ("unit", "measure.unit", "In what unit."),
        ("baseline", "measure.baseline", "The figure before."),
        ("result", "measure.result", "The figure after."),
        ("period", "measure.period", "When it was measured, as ISO 8601."),
        ("story", "story", "The `id` of the story that it is, if it is one."),
        ("created_at", "created_at", "When it was submitted."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use="Use it to weigh what speaks for the innovations that fit: every piece of evidence.",
    stored=Evidence,
    of_innovation=_OF_INNOVATION,
)

ADOPTIONS = _table(
    "adoptions",
    "adoption",
    "Where other organisations stand with an innovation.",
    AdoptionPublic,
    (
        ("id", "id", "A UUIDv7."),
        ("version", "version", "Counts its changes, from 1."),
        ("organisation", "organisation.code", "The ODS code of whose it is."),
        ("organisation_name", "organisation.name", "The name of whose it is."),
        ("organisation_kind", "organisation.kind", "What kind of organisation that is."),
        ("icb", "organisation.icb.code", "The ODS code of that organisation's ICB."),
        ("icb_name", "organisation.icb.name", "The name of that organisation's ICB."),
        ("region", "organisation.region.code", "The ODS code of that organisation's region."),
        ("region_name", "organisation.region.name", "The name of that organisation's region."),
        ("stage", "stage", "How far it has come."),
        ("since", "since", "Since when it has been at this stage."),
        ("adopted_on", "adopted_on", "Since when it first was adopted or adapted."),
        ("outcome", "outcome", "What came of it."),
        ("learnt", "learnt", "What the next one should know."),
        ("created_at", "created_at", "When it was submitted."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use="Use it to see how far the innovations that fit have spread: where each other organisation "
    "stands with them, since when, and what it learnt.",
    stored=Adoption,
    of_innovation=_OF_INNOVATION,
)

ORGANISATIONS = _table(
    "organisations",
    "organisation",
    "NHS organisations by their ODS codes, and where each stands in the hierarchy.",
    OrganisationPublic,
    (
        ("code", "code", "Its ODS code."),
        ("name", "name", "Its name."),
        ("kind", "kind", "What it is."),
        ("parent", "parent.code", "The ODS code of the one above it."),
        ("icb", "icb.code", "The ODS code of the ICB that it belongs to, or is."),
        ("icb_name", "icb.name", "That ICB's name."),
        ("region", "region.code", "The ODS code of the region that it belongs to, or is."),
        ("region_name", "region.name", "That region's name."),
        ("opened", "opened", "The first day that it was open."),
        ("closed", "closed", "The last day that it was open; empty while it is open."),
        ("successors", "successors.code", "The ODS codes of those that took over from it."),
        ("version", "version", "Counts its changes, from 1."),
        ("created_at", "created_at", "When the register learnt of it."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use="Use it to join codes with names, ICBs and regions in a tool of your own.",
    stored=Organisation,
)

THEMES = _table(
    "themes",
    "theme",
    "The themes that innovations belong to.",
    ThemeDocument,
    (
        ("slug", "slug", "Its name in addresses and filters."),
        ("number", "number", "The leap's number in the report; later ones count on."),
        ("name", "name", "Its name."),
        ("group", "group", "Which of the report's three groups it belongs to."),
        ("description", "description", "What belongs under it."),
        ("version", "version", "Counts its changes, from 1."),
        ("created_at", "created_at", "When it was added."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use="Use it to join the themes' slugs with their names and groups.",
    stored=Theme,
)

STORIES = _table(
    "stories",
    "story",
    "Stories that their tellers agreed to have published.",
    StoryPublic,
    (
        ("id", "id", "A UUIDv7."),
        ("reference", "reference", "What people call it by."),
        ("version", "version", "Counts its changes, from 1."),
        ("text", "text", "The story, in the teller's own words."),
        ("verdict", "verdict", "To be kept, or never again."),
        ("role", "role", "What the teller is, in words of a job."),
        ("other_role", "other_role", "Which other role."),
        ("care_setting", "care_setting", "Where the teller works, or is cared for."),
        ("themes", "themes.slug", "The slugs of the themes that it is about."),
        ("organisation", "organisation.code", "The ODS code of where it happened, if told."),
        ("organisation_name", "organisation.name", "The name of that organisation."),
        ("icb", "organisation.icb.code", "The ODS code of that organisation's ICB."),
        ("icb_name", "organisation.icb.name", "The name of that organisation's ICB."),
        ("region", "region.code", "The ODS code of the region, if told."),
        ("region_name", "region.name", "The name of that region."),
        ("innovations", "innovations.reference", "The references of innovations it tells of."),
        ("visibility", "visibility", "Who sees it; `published` is with the teller's consent."),
        ("created_at", "created_at", "When it was submitted."),
        ("updated_at", "updated_at", "When it changed last."),
    ),
    use="Use it to read or to code what was told in a tool of your own: each story that its list "
    "would show with these filters. A story may be taken back: load the file again before you use "
    "it again.",
    stored=Story,
)

TABLES = (INNOVATIONS, DECISIONS, EVIDENCE, ADOPTIONS, STORIES, ORGANISATIONS, THEMES)
