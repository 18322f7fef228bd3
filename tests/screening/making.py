"""Makes the generated half of the labelled set: `python -m tests.screening.making`.

All persons are invented. NHS numbers are of the range for tests (999), phone numbers of those that
Ofcom keeps for plays, mail goes to example.org or to hosts that there are not. The detector knows
none of these ranges. What was `held` out has sentences and forms of its own, and was not looked at
while the detector was made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from nhs_number.validate import calculate_checksum

HERE = Path(__file__).parent

FULL_WIDTH = str.maketrans("0123456789@.", "０１２３４５６７８９＠．")  # noqa: RUF001
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")

Form = Callable[[str], str]


def nhs_number(chance: random.Random, *, right: bool = True) -> str:
    while True:
        nine = f"999{chance.randrange(10**6):06}"
        check = calculate_checksum(nine)
        if check is None or check > 9:
            continue
        return nine + str(check if right else (check + chance.randrange(1, 10)) % 10)


def three(gap: str) -> Form:
    return lambda n: gap.join((n[:3], n[3:6], n[6:]))


NUMBERS: dict[str, tuple[list[Form], list[str]]] = {
    "tune": (
        [str, three(" "), three("-"), three("\u00a0"), lambda n: n.translate(FULL_WIDTH)],
        [
            "NHS number {}",
            "She was seen again ({}).",
            "Referral for {}, please book.",
            "{} was discharged on day two",
            "Call the patient with NHS No. {} back.",
            "Two patients, {} and another, waited.",
        ],
    ),
    "held": (
        [
            str,
            three(" "),
            three("-"),
            three("\u2009"),
            three("\u2011"),
            three("\u2013"),
            lambda n: three(" ")(n.translate(ARABIC)),
            lambda n: n.translate(DEVANAGARI),
        ],
        [
            "nhs: {}",
            "Our first resident on the scheme, {}, says that it works.",
            "Case study\n{}\nAge 82",
            "(ref. NHS no {})",
            "The record of {} had been opened twice.",
            'It read "{}" on the form.',
        ],
    ),
}

PHONES: dict[str, tuple[list[str], list[str]]] = {
    "tune": (
        [
            "07700 900{:03}",
            "07700900{:03}",
            "020 7946 0{:03}",
            "(0161) 496 0{:03}",
            "+44 7700 900{:03}",
            "01632 960{:03}",
            "0113 496 0{:03}",
            "0808 157 0{:03}",
        ],
        [
            "Ring {} to join.",
            "Contact: {}",
            "Staff text {} when a bed is free.",
            "The line ({}) is open all day",
            "{} is the number of the hub.",
        ],
    ),
    "held": (
        [
            "07700-900-{:03}",
            "+44 (0)7700 900{:03}",
            "0044 7700 900{:03}",
            "+447700900{:03}",
            "020 7946 0{:03}",
            "0151-496-0{:03}",
            "(0117) 4960{:03}",
            "03069 990{:03}",
            "028 9649 6{:03}",
            "0909 8790{:03}",
            "07700.900{:03}",
        ],
        [
            "tel. {}",
            "Speak to the ward clerk on {} before noon.",
            "Her mobile is {}.",
            "Fax: {}; ask for the lead nurse",
            "Phone/WhatsApp {}",
            "Families leave a message at {}, and a volunteer calls back.",
        ],
    ),
}

GIVEN = (
    *("Jane", "Omar", "Priya", "Tom", "Grace", "Ahmed"),
    *("Helen", "Peter", "Nadia", "Colin", "Ruth"),
)
FAMILY = (
    *("Doe", "Ashworth", "Okafor", "Patel", "Lindqvist", "O'Hara", "Smith-Jones", "Nowak"),
    *("Brown", "Zhang", "Tremlett", "Abadi", "Fernsby", "Quill", "Hussain", "Featherstone"),
)

MAILS: dict[str, tuple[list[str], list[str]]] = {
    "tune": (
        [
            "{g}.{f}@example.nhs.uk",
            "{g}@trust.example.org",
            "{g}{f}27@example.com",
            "{g}.{f} (at) trust.nhs.uk",
            "{g}.{f} [at] trust [dot] nhs [dot] uk",
            "mailto:{g}.{f}@example.org",
        ],
        ["Write to {} for the template.", "Contact: {}", "{} has the slides", "See <{}>."],
    ),
    "held": (
        [
            "{G}.{F}@Example.NHS.uk",
            "{g}_{f}@sub.example.co.uk",
            "{g}+forms@example.org",
            "{g}(at)trust.example.nhs.uk",
            "{g} at trust dot nhs dot uk",
            "{g}@trust[dot]nhs[dot]uk",
            "WIDE:{g}.{f}@example.org",
            "{g}.{f} @ example.org",
            "{g}-{f}@example.org.uk",
        ],
        [
            "Questions? {}",
            "The lead ({}) answers within a day.",
            "e-mail {} and copy in the matron",
            "More: {}, or the intranet",
            "It is run by {}; please ask there.",
        ],
    ),
}

BIRTHS: dict[str, tuple[list[str], list[str]]] = {
    "tune": (
        [
            "{d}/{m}/{y}",
            "{d:02}/{m:02}/{y}",
            "{d} {month} {y}",
            "{d:02}.{m:02}.{y}",
            "{y}-{m:02}-{d:02}",
        ],
        [
            "DOB {}",
            "Patient born on {}.",
            "Date of birth: {}, lives alone.",
            "d.o.b. {}",
            "{given} {family}, {}",
            "M1 9ZZ, {}",
        ],
    ),
    "held": (
        [
            "{d}/{m}/{y}",
            "{d}-{m}-{yy:02}",
            "{d}{th} {month} {y}",
            "{month} {d}, {y}",
            "{d} {mon} {y}",
            "{d:02}/{m:02}/{yy:02}",
            "{d}{th} of {month} {y}",
        ],
        [
            "dob: {}",
            "She was born {} in Leeds.",
            "D.O.B. {}; allergic to nothing",
            "his date of birth is {}",
            "({}, date of birth)",
            "born on the {}",
            "{given} {family} ({})",
            "{} {given} {family}",
            "lives at LS99 9ZZ ({})",
            "birthday {}",
        ],
    ),
}

NAMES: dict[str, tuple[list[str], list[str]]] = {
    "tune": (
        ["Mr {f}", "Mrs {f}", "Ms {f}", "Miss {f}", "Mr {g} {f}", "Mrs. {f}", "MRS {F}"],
        ["{} was home in two days.", "We asked {} what mattered.", "Thanks to {}",
         "It began when {}, a volunteer, rang.", "The family of {} agreed"],
    ),
    "held": (
        ["Mr {f}", "Mrs {g} {f}", "Ms. {f}", "Miss {g} {f}", "Mr J. {f}", "Mrs A B {f}",
         "Ms van der {f}", "MR {F}", "mrs {l}", "Mx {f}", "Mr\u00a0{f}", "Miss De {f}"],
        ["Last winter {} fell on the stairs.", "{}'s daughter wrote to us.",
         "A letter from {} changed it.", "Dear {},", '"Never again", says {}.',
         "bed 4 ({}) has no call bell"],
    ),
}  # fmt: skip

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _th(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def flagged(part: str, chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Texts that have such a thing in them: of each kind so many."""
    pick = chance.choice
    for _ in range(count):
        forms, sentences = NUMBERS[part]
        yield "nhs_number", pick(sentences).format(pick(forms)(nhs_number(chance)))
        phones, sentences = PHONES[part]
        yield "phone_number", pick(sentences).format(pick(phones).format(chance.randrange(1000)))
        given, family = pick(GIVEN), pick(FAMILY)
        plain = family.replace("'", "").lower()
        mails, sentences = MAILS[part]
        mail = pick(mails).format(g=given.lower(), f=plain, G=given, F=plain.title())
        if mail.startswith("WIDE:"):
            mail = mail[5:].translate(FULL_WIDTH)
        yield "email_address", pick(sentences).format(mail)
        days, sentences = BIRTHS[part]
        day, month, year = chance.randrange(1, 29), chance.randrange(1, 13), pick(range(1925, 2008))
        name = MONTHS[month - 1]
        written = pick(days).format(
            d=day, m=month, y=year, yy=year % 100, month=name, mon=name[:3], th=_th(day)
        )
        yield "date_of_birth", pick(sentences).format(written, given=given, family=family)
        names, sentences = NAMES[part]
        titled = pick(names).format(g=given, f=family, F=family.upper(), l=family.lower())
        yield "person_name", pick(sentences).format(titled)


CLEAN: dict[str, list[str]] = {
    "tune": [
        "From {y} to {y1}, stays fell by {p}%.", "{y}-{y1}", "It cost £{n:,} in {y}.",
        "See INN-{k:06} for the pilot.", "ISBN 978-0-{a:03}-{b:05}-{c}",
        "Grant NIHR{k:06}, £{n:,}", "Code R{c}{c}, ward {c}", "Between {h:02}:30 and {h2:02}:00.",
        "Ten-digit number {wrong}.", "Product code {a}-{b}/{c}", "On {d} {month} {y} it began.",
        "{p}.{c} per cent of {n:,} calls", "{d}/{m}/20{p:02}: review", "https://example.org/{k}/{b}",
    ],
    "held": [
        "Baseline {n} in {m}/{y}; result {a}.", "{y}/{p:02} annual report, page {a}",
        "Order no. {wrong} was late", "Ward {c}B has {d} beds and {p} staff",
        "Open {h:02}.00-{h2:02}.30, Monday to Friday", "Trust RJ{c} and ICB QM{c}",
        "{wrong3} on the asset tag", "£{n:,}.{p:02} a year", "ISBN 0-{a:03}-{b:05}-{c}",
        "doi:10.1136/bmj.{b}.{a}", "PMID {k}{p:02}", "{n:,} of {k:,} forms ({p}%)",
        "Audit of {d}-{d2} {month} 20{p2}", "Version {c}.{d}.{m} of the form",
        "MS Teams calls rose from {a} to {n}", "Staff miss {p}% of breaks",
        "Started {y1}-{m:02}-{d:02}; {d} teams", "serial {b}-{b}-{a}", "Band {c}, {d} WTE, £{n}",
        "http://example.org/articles/{y}/{m:02}/{d:02}/{wrong}", "a {c}-{d} week wait, {p}:1",
        "ISBN-10: {book}", "{d} {month} {y1}, at 10.{p2} am", "Room {a}, {d} {month} {y1}",
    ],
}  # fmt: skip


def clean(part: str, chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Texts with figures in them that are nobody's."""
    for number in range(count):
        wrong = nhs_number(chance, right=False)
        day, year = chance.randrange(1, 28), chance.randrange(2005, 2026)
        yield (
            "clean",
            CLEAN[part][number % len(CLEAN[part])].format(
                y=year, y1=chance.randrange(2019, 2026), p=chance.randrange(100),
                p2=chance.randrange(19, 26), n=chance.randrange(1, 90_000),
                a=chance.randrange(1000),
                b=chance.randrange(10_000, 100_000), c=chance.randrange(1, 10), d=day, d2=day + 1,
                m=chance.randrange(1, 13), h=chance.randrange(7, 12), h2=chance.randrange(13, 20),
                k=chance.randrange(10_000, 900_000), month=chance.choice(MONTHS), wrong=wrong,
                wrong3=three("-")(wrong), book=nhs_number(chance).replace("999", "014", 1),
            ),
        )  # fmt: skip


def main() -> None:
    for part, seed in (("tune", 5), ("held", 11)):
        chance = random.Random(seed)  # noqa: S311
        rows = [*flagged(part, chance, 60), *clean(part, chance, 300)]
        lines = [f"{kind}\t{text!r}\n" for kind, text in rows]
        (HERE / f"{part}.tsv").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
