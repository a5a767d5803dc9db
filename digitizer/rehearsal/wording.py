"""How names, numbers and dates are written on films and labels."""

from datetime import date

import numpy as np

from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import CITY, Person

__all__ = ["caption", "exam_line", "written_date", "written_name"]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def written_date(rng: np.random.Generator, day: date, issuer: str, *, full: bool = False) -> str:
    """Write a date as the issuer's clerks do.

    The City writes month/day/year; Mercy writes day.month.year or the month's name. ``full`` asks
    for four digits of the year (birth dates).
    """
    month = _MONTHS[day.month - 1]
    year = f"{day.year:04d}" if full or rng.random() < 0.7 else f"{day.year % 100:02d}"
    if issuer == CITY:
        forms = (
            f"{day.month:02d}/{day.day:02d}/{year}",
            f"{day.month:02d}-{day.day:02d}-{year}",
            f"{month} {day.day:02d} {day.year}",
            f"{month} {day.day}, {day.year}",
        )
        chances = (0.55, 0.2, 0.15, 0.1)
    else:
        forms = (
            f"{day.day:02d}.{day.month:02d}.{year}",
            f"{day.day:02d} {month} {day.year}",
            f"{day.day:02d}-{month}-{year}",
            f"{day.year:04d}-{day.month:02d}-{day.day:02d}",
        )
        chances = (0.4, 0.25, 0.15, 0.2)
    return str(rng.choice(forms, p=chances))


def written_name(rng: np.random.Generator, person: Person, *, style: str | None = None) -> str:
    """Write a name: ``DOE, JOHN A``, ``DOE^JOHN^A`` or ``JOHN A DOE``."""
    style = style or str(rng.choice(["comma", "caret", "natural"], p=[0.65, 0.2, 0.15]))
    family = person.family.replace("-", " ") if rng.random() < 0.5 else person.family
    middle, suffix = person.middle, person.suffix
    if style == "caret":
        parts = [family, person.given] + ([middle] if middle or suffix else [])
        return "^".join(parts + (["", suffix] if suffix else []))
    if style == "natural":
        return " ".join(part for part in (person.given, middle, family, suffix) if part)
    ahead = f"{family} {suffix}" if suffix else family
    return f"{ahead}, {person.given}" + (f" {middle}" if middle else "")


def caption(rng: np.random.Generator, field: str, *, chance: float = 0.6) -> str:
    """Return a caption to stand before a field, or nothing."""
    if rng.random() >= chance:
        return ""
    forms = {
        "name": ("NAME:", "PATIENT:", "PT NAME", "Name:"),
        "patient_id": ("MRN", "MRN:", "NO.", "HOSP NO:", "ID:", "UNIT NO.", "X-RAY NO."),
        "birth_date": ("DOB", "DOB:", "BORN", "BIRTHDATE:", "D.O.B."),
        "sex": ("SEX", "SEX:"),
        "study_date": ("DATE", "DATE:", "EXAM DATE:"),
        "accession_number": ("ACC", "ACC#", "ACCESSION:", "FILM NO."),
    }[field]
    return str(rng.choice(forms)) + " "


def exam_line(rng: np.random.Generator, exam: Exam) -> str:
    """Write an exam as a line of a jacket's log: ``03/12/1978 CHEST PA``."""
    return f"{written_date(rng, exam.day, exam.person.issuer)} {exam.description}"
