"""The labelled texts, and a thousand entries that are near to them and yet others."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and the themes that may come first for it: the right one, and perhaps a second."""

    text: str
    theme: str
    also: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One practice as two people tell it: titles, and the sentences that go with them."""

    title: str
    summary: str
    other_title: str
    other_summary: str


def themed(part: str) -> list[Labelled]:
    """Texts with their themes: those to `look` at, or those `held` out until all is chosen."""
    return [
        Labelled(row["text"], row["theme"], row["also"])
        for row in _rows("themes.tsv")
        if row["part"] == part
    ]


@dataclass(frozen=True, slots=True)
class Topical:
    """A text of a topic that no theme is about; as an innovation's, or as it was told."""

    text: str
    topic: str
    is_entry: bool


def topics(part: str) -> list[Topical]:
    """Eight texts of each of ten topics, five in each part."""
    return [
        Topical(row["text"], row["topic"], row["kind"] == "entry")
        for row in _rows("topics.tsv")
        if row["part"] == part
    ]


def pairs() -> list[Pair]:
    """Practices, each in two people's words."""
    return [Pair(**row) for row in _rows("paraphrases.tsv")]


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def others() -> list[tuple[str, str]]:
    """A thousand titles with their summaries; many are a near miss, none is the same practice."""
    return [
        (title.format(where), summary.format(where))
        for where in _SERVICES
        for title, summary in _WAYS
    ]


_SERVICES = (
    "audiology",
    "podiatry",
    "rheumatology",
    "the glaucoma clinic",
    "urology",
    "gastroenterology",
    "neurology",
    "the epilepsy service",
    "the stroke unit",
    "haematology",
    "the sickle cell service",
    "orthodontics",
    "the dental hospital",
    "endocrinology",
    "the thyroid clinic",
    "the pain service",
    "orthotics",
    "the wheelchair service",
    "the eating disorder team",
    "the memory clinic",
    "perinatal mental health",
    "the gender clinic",
    "sexual health",
    "the fertility unit",
    "gynaecology",
    "the allergy clinic",
    "immunology",
    "the burns unit",
    "plastic surgery",
    "the transplant service",
    "the hepatitis clinic",
    "tuberculosis nursing",
    "the continence service",
    "the tissue viability team",
    "nuclear medicine",
    "the vascular laboratory",
    "the sleep clinic",
    "the learning disability team",
    "prison health care",
    "the cleft palate service",
)

_WAYS = (
    ("Video appointments in {}", "People meet {} on a screen when nothing has to be touched."),
    ("Telephone follow-up in {}", "After a first visit, {} rings and nobody travels."),
    ("One form for {}", "Three sheets for a referral to {} became one."),
    ("Text reminders from {}", "A message goes out two days before an appointment with {}."),
    ("Weekend sessions in {}", "On Saturdays {} sees those who have waited longest."),
    ("A plan to keep for patients of {}", "People leave {} with their own plan on a card."),
    ("A huddle in {}", "The people of {} meet for five minutes before the first appointment."),
    ("Volunteers in {}", "They greet whoever comes to {} and show the way."),
    ("Advice by e-mail from {}", "Practices write to {} and have an answer in two days."),
    ("One waiting list for {}", "Two hospitals put those who wait for {} into one list."),
    ("Photographs before a visit to {}", "Patients send a picture, so that {} can prepare."),
    ("Equipment by post from {}", "What {} prescribes comes in a parcel."),
    ("Checking in by oneself at {}", "A terminal at the door of {} asks for name and time."),
    ("Teaching each other in {}", "Once a month somebody in {} presents a case."),
    ("Evening appointments in {}", "For people at work, {} opens until eight."),
    ("Collecting at the car window from {}", "Supplies of {} are handed out in the car park."),
    ("A rest room for {}", "Those who work in {} have a sofa and a kettle."),
    ("Fewer targets in {}", "Counting for its own sake has ended in {}."),
    ("Carers invited to {}", "Whoever looks after a patient may come along to {}."),
    ("Nurse-led sessions in {}", "Experienced nurses see stable patients of {}."),
    ("Home visits by {}", "Twice a week {} goes to those who cannot come."),
    ("A wellbeing lead in {}", "One colleague in {} has time to look after the others."),
    ("Open notes of meetings in {}", "What the managers of {} decided is there to read."),
    ("Lists of those at risk in {}", "Every month {} looks for people who may get worse."),
    ("An interpreter on the line in {}", "Conversations in {} are translated by phone."),
)
