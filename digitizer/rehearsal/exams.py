"""Invented exams, and the index tables as CSV files."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from digitizer.rehearsal.people import CITY, Person

__all__ = [
    "Accessions",
    "Exam",
    "JacketRow",
    "chest_exams",
    "mammography",
    "other_exams",
    "pictures_exam",
    "write_tables",
]


@dataclass(frozen=True, slots=True)
class Exam:
    """One exam of one person; ``indexed`` tells whether ``exams.csv`` has it."""

    accession: str
    person: Person
    day: date
    modality: str
    description: str
    body_part: str
    laterality: str = ""
    films: int = 1
    indexed: bool = True


@dataclass(frozen=True, slots=True)
class JacketRow:
    """A row of ``jackets.csv``."""

    jacket: str
    box: str
    barcode: str
    patient_id: str
    issuer: str
    expected_films: int | None


_CHEST = ("CHEST PA", "CHEST AP PORTABLE", "CHEST PA AND LATERAL", "CHEST 1 VIEW", "CHEST 2 VIEWS")
_OTHER = (
    ("ABDOMEN KUB", "ABDOMEN", ""),
    ("LEFT KNEE AP LAT", "KNEE", "L"),
    ("RIGHT HAND 3 VIEWS", "HAND", "R"),
    ("LUMBAR SPINE", "LSPINE", ""),
    ("SKULL AP LATERAL", "SKULL", ""),
    ("RIGHT ANKLE", "ANKLE", "R"),
    ("PELVIS AP", "PELVIS", ""),
    ("UPPER GI SERIES", "ABDOMEN", ""),
)


class Accessions:
    """Hands out accession numbers that are unique in the room."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def new(self, rng: np.random.Generator, issuer: str, day: date) -> str:
        """Return a number in the issuer's form: ``X78-01234`` or ``78012345``."""
        while True:
            if issuer == CITY:
                number = f"X{day.year % 100:02d}-{int(rng.integers(100, 99999)):05d}"
            else:
                number = f"{day.year % 100:02d}{int(rng.integers(1000, 999999)):06d}"
            if number not in self.taken:
                self.taken.add(number)
                return number


def _day(rng: np.random.Generator, person: Person, *, child: bool | None) -> date:
    first = max(date(1962, 1, 1), person.birth + timedelta(days=20))
    last = date(1999, 12, 31)
    if child:
        last = min(last, person.birth + timedelta(days=365 * 6))
    if last <= first:
        last = first + timedelta(days=365 * 5)
    return first + timedelta(days=int(rng.integers(0, (last - first).days)))


def chest_exams(
    rng: np.random.Generator, person: Person, count: int, numbers: Accessions, *, missing: float
) -> list[Exam]:
    """Invent ``count`` chest exams in order of time; some are ``missing`` from the index."""
    child = person.birth > date(1960, 1, 1) and rng.random() < 0.6
    days = sorted({_day(rng, person, child=child) for _ in range(count)})
    return [
        Exam(
            numbers.new(rng, person.issuer, day),
            person,
            day,
            "CR" if rng.random() < 0.7 else "DX",
            str(rng.choice(_CHEST)),
            "CHEST",
            films=1 if rng.random() < 0.7 else 2,
            indexed=rng.random() >= missing,
        )
        for day in days
    ]


def mammography(rng: np.random.Generator, person: Person, numbers: Accessions) -> Exam:
    """Invent a mammography exam in the person's adult life."""
    day = date(max(1985, person.birth.year + 40), 3, 1) + timedelta(days=int(rng.integers(0, 900)))
    number = numbers.new(rng, person.issuer, day)
    return Exam(number, person, day, "MG", "MAMMOGRAM BILATERAL", "BREAST", "B", films=2)


def pictures_exam(
    rng: np.random.Generator, person: Person, numbers: Accessions, kind: str, modality: str
) -> Exam:
    """Invent the exam of a sheet of many pictures; such modalities came in the seventies."""
    first = max(date(1978, 1, 1), person.birth + timedelta(days=400))
    day = first + timedelta(days=int(rng.integers(0, 20 * 365)))
    part = {"ct_head": "HEAD", "ct_body": "ABDOMEN", "mr_head": "HEAD", "us": "ABDOMEN"}[kind]
    number = numbers.new(rng, person.issuer, day)
    return Exam(number, person, day, modality, f"{modality} {part}", part)


def other_exams(
    rng: np.random.Generator, person: Person, numbers: Accessions, near: list[Exam]
) -> list[Exam]:
    """Invent exams of other body parts, whose films are not in the room; some on a chest's day."""
    out: list[Exam] = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.2, 0.1]))):
        day = _day(rng, person, child=None)
        if near and rng.random() < 0.15:
            day = near[int(rng.integers(len(near)))].day
        description, part, side = _OTHER[int(rng.integers(len(_OTHER)))]
        number = numbers.new(rng, person.issuer, day)
        out.append(Exam(number, person, day, "CR", description, part, side, films=2))
    return out


def _table(path: Path, header: str, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def write_tables(
    out: Path, persons: list[Person], exams: list[Exam], jackets: list[JacketRow]
) -> None:
    """Write ``patients.csv``, ``exams.csv`` (indexed exams only) and ``jackets.csv``."""
    _table(
        out / "patients.csv",
        "patient_id,issuer,family_name,given_name,middle_name,name_suffix,birth_date,sex,"
        "death_date,former_names,other_ids",
        [
            [
                one.patient_id,
                one.issuer,
                one.family,
                one.given,
                one.middle,
                one.suffix,
                one.birth.isoformat(),
                one.sex,
                one.death.isoformat() if one.death else "",
                ";".join(one.former),
                ";".join(one.other_ids),
            ]
            for one in persons
        ],
    )
    _table(
        out / "exams.csv",
        "accession_number,patient_id,issuer,study_date,modality,description,body_part,laterality,"
        "expected_films",
        [
            [
                one.accession,
                one.person.patient_id,
                one.person.issuer,
                one.day.isoformat(),
                one.modality,
                one.description,
                one.body_part,
                one.laterality,
                str(one.films),
            ]
            for one in exams
            if one.indexed
        ],
    )
    _table(
        out / "jackets.csv",
        "jacket,box,barcode,patient_id,issuer,expected_films",
        [
            [
                one.jacket,
                one.box,
                one.barcode,
                one.patient_id,
                one.issuer,
                "" if one.expected_films is None else str(one.expected_films),
            ]
            for one in jackets
        ],
    )
