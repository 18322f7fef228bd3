"""Texts as they are compared: with NHS shorthand written out, and in words."""

from __future__ import annotations

import hashlib
import re

MOST_READ = 2_000
"""Letters of a text that are looked at. What it is about stands at its start."""

_SHORTHAND = {
    "a&e": "emergency department",
    "ahp": "allied health professional",
    "ahps": "allied health professionals",
    "camhs": "mental health services for children",
    "ccg": "local commissioning body",
    "chc": "continuing health care",
    "cmht": "community mental health team",
    "covid": "coronavirus infection",
    "cqc": "care regulator",
    "d2a": "discharge to assess",
    "dnacpr": "decision not to resuscitate",
    "ecg": "heart tracing",
    "eol": "end of life",
    "epr": "electronic patient record",
    "eprs": "electronic patient records",
    "gp": "family doctor",
    "gps": "family doctors",
    "hca": "healthcare assistant",
    "hcas": "healthcare assistants",
    "hdu": "high dependency unit",
    "iapt": "talking therapies",
    "icb": "integrated care board",
    "ics": "integrated care system",
    "icu": "intensive care",
    "itu": "intensive care",
    "jab": "vaccination",
    "jabs": "vaccinations",
    "mdt": "multidisciplinary team",
    "mdts": "multidisciplinary teams",
    "mri": "body scan",
    "nicu": "intensive care for newborn babies",
    "opd": "outpatient department",
    "pcn": "group of practices",
    "physio": "physiotherapy",
    "physios": "physiotherapists",
    "pifu": "follow-up when the patient asks for it",
    "ppe": "protective equipment",
    "qof": "payment targets for practices",
    "rota": "duty roster",
    "rotas": "duty rosters",
    "sdec": "same-day emergency care",
    "sms": "text message",
    "vcse": "voluntary sector",
    "wfh": "working from home",
    "111": "urgent care helpline",
    "999": "ambulance call",
}
"""What a general model of language does not know, or takes for something else."""

_TOKEN = re.compile(r"[^\W_]+(?:[&'\u2019][^\W_]+)*")
_COMMON = frozenset(
    """
    a about after again all also an and any are as at be because been before but by can
    could did do does each every for from get gets give given had has have he her here him
    his how i if in instead into is it its just like made make makes may me more most must
    my never no not now of off on one only or other our out over own people person put see
    seen she should so some such take takes than that the their them then there these they
    this those through to two under up us use used was way we were what when where which
    while who whom whose why will with without would you your
    """.split()  # noqa: SIM905
)
"""Words that say nothing of what a text is about."""


def readable(text: str) -> str:
    """The text as the model reads it best: in small letters, too, or a word at the start of a
    sentence is another one to it."""
    return _TOKEN.sub(_written_out, text[:MOST_READ].lower())


def _written_out(match: re.Match[str]) -> str:
    return _SHORTHAND.get(match[0], match[0])


def words(text: str) -> list[str]:
    """The words of a text, in small letters, each once, in their order; without common ones."""
    return list(dict.fromkeys(word.lower() for word in spelt(text)))


def spelt(text: str) -> list[str]:
    """The words of a text as they are written, in their order; without common ones."""
    found = (match[0] for match in _TOKEN.finditer(text[:MOST_READ]))
    return [word for word in found if word.lower() not in _COMMON and not word.isdigit()]


def of_entry(title: str, summary: str) -> str:
    """An innovation as it is compared: what it is, and what is done for whom."""
    return of_parts(title, summary)


def of_parts(*parts: str) -> str:
    """Parts of an entry, as far as there are any, as they are compared."""
    return ". ".join(part for part in parts if part)


def digest(text: str) -> str:
    """A name for a text: of the same one, the vector need not be made again."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
