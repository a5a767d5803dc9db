"""What a film says of one exam of its patient: number, day, part and side, in bits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique

from digitizer.identity.compare import compare_number
from digitizer.identity.heard import Heard
from digitizer.identity.spelling import plain, words_of
from digitizer.model.identity import Agreement, ExamRecord
from digitizer.model.reading import FieldName, Fields

__all__ = ["Day", "ExamFit", "Number", "Part", "days_said", "fit", "other_part", "said_day"]


@unique
class Number(StrEnum):
    """How the accession number read compares with an exam's."""

    EXACT = "exact"
    NEAR = "near"
    """One character differs, and the number is none that a neighbour in the row may bear."""
    ROW = "row"
    """One character differs, and another exam of that day may bear it."""
    OTHER = "other"
    NONE = "none"


@unique
class Day(StrEnum):
    """How the day read compares with an exam's."""

    EXACT = "exact"
    TURNED = "turned"
    """Day and month the other way round."""
    NEAR = "near"
    """One character differs."""
    OTHER = "other"
    DAMAGED = "damaged"
    """A day on which the patient cannot have been filmed: misread, or another date."""
    NONE = "none"


@unique
class Part(StrEnum):
    """How part and side compare with an exam's."""

    SAME = "same"
    BOTH = "both"
    """The part, and the side where the exam has one."""
    OTHER = "other"
    NONE = "none"


NUMBER_BITS = {
    Number.EXACT: 20.0,
    Number.NEAR: 9.0,
    Number.ROW: 9.0,
    Number.OTHER: -8.0,
    Number.NONE: 0.0,
}
"""Of a hundred thousand numbers and more; one in thirty is read with one wrong character."""
DAY_BITS = {
    Day.EXACT: 13.0,
    Day.TURNED: 12.0,
    Day.NEAR: 6.0,
    Day.OTHER: -9.0,
    Day.DAMAGED: -3.0,
    Day.NONE: 0.0,
}
"""Of some ten thousand days; another valid day is oftener another exam than a misreading."""
PART_BITS = {Part.SAME: 2.3, Part.BOTH: 3.3, Part.OTHER: -12.0, Part.NONE: 0.0}
"""Of some five parts that are common; a part is hardly ever misread as another."""

_A_DAYS_EXAMS = 99
"""Exams of one day have numbers no further apart than a department's exams of a day."""
_LEAST_NUMBER = 7
_TELLING = 4
_SIDES = frozenset(
    {"LEFT", "RIGHT", "BILATERAL", "VIEW", "VIEWS", "PORTABLE", "LATERAL", "SERIES", "SPINE"}
)


@dataclass(frozen=True, slots=True)
class ExamFit:
    """One exam and how the film fits it."""

    exam: ExamRecord
    number: Number
    day: Day
    part: Part

    @property
    def bits(self) -> float:
        """Evidence for this exam against any other of the patient."""
        return NUMBER_BITS[self.number] + DAY_BITS[self.day] + PART_BITS[self.part]


def fit(
    film: Heard, exam: ExamRecord, days: set[date], birth: str, *, possible: bool = True
) -> ExamFit:
    """Compare a film with an exam.

    Parameters
    ----------
    film : Heard
    exam : ExamRecord
    days : set of date
        That the film may mean, from :func:`days_said`.
    birth : str
        The patient's birth date, which stands on films as well.
    possible : bool
        Whether the patient can have been filmed on any of the days.
    """
    return ExamFit(
        exam=exam,
        number=_number(film, exam.accession_number),
        day=_day(film, exam, days, birth, possible),
        part=_part(film.said.fields, exam),
    )


def _number(film: Heard, known: str) -> Number:
    field = film.said.fields.get(FieldName.ACCESSION_NUMBER)
    read = field.value if field else ""
    if read and compare_number(read, [known]).agreement is Agreement.AGREES:
        return Number.EXACT
    if film.number(known) or film.glued_number(known):
        return Number.EXACT
    near = film.near_number(known)
    if any(_in_a_row(one, known) for one in near):
        return Number.ROW
    if near or (len(plain(known)) >= _LEAST_NUMBER and film.near_text(plain(known))):
        return Number.NEAR
    return Number.OTHER if read else Number.NONE


def _in_a_row(one: str, other: str) -> bool:
    """Tell whether two numbers are near enough to be of two exams of one day."""
    known = plain(other)
    mine, theirs = re.findall(r"\d+", one), re.findall(r"\d+", known)
    if len(one) != len(known) or re.sub(r"\d", "", one) != re.sub(r"\d", "", known) or not mine:
        return False
    return abs(int("".join(mine)) - int("".join(theirs))) <= _A_DAYS_EXAMS


def _day(film: Heard, exam: ExamRecord, days: set[date], birth: str, possible: bool) -> Day:
    if exam.study_date is None:
        return Day.NONE
    iso = exam.study_date.isoformat()
    if exam.study_date in days and possible:
        return Day.EXACT if iso == said_day(film) or film.date(iso) else Day.TURNED
    if iso != birth and film.date(iso):
        return Day.EXACT
    if film.near_date(iso, but=birth):
        return Day.NEAR
    if not days:
        return Day.NONE
    return Day.OTHER if possible else Day.DAMAGED


def said_day(film: Heard) -> str:
    """Return the exam's day as the grammar read it; empty where it read none."""
    field = film.said.fields.get(FieldName.STUDY_DATE)
    return field.value if field and len(field.value) == 10 else ""


def days_said(film: Heard, exams: Sequence[ExamRecord]) -> set[date]:
    """Return the days that the film may mean.

    Where none of the patient's exams is of the day read, day and month may stand the other way
    round, or the grammar may have taken another of the sheet's dates.
    """
    read = said_day(film)
    known = {one.study_date for one in exams if one.study_date is not None}
    if not read:
        field = film.said.fields.get(FieldName.BIRTH_DATE)
        born = field.value if field else ""
        return {one for one in known if film.date(one.isoformat()) and one.isoformat() != born}
    day = date.fromisoformat(read)
    if day in known or day.day > 12:
        return {day}
    other = day.replace(month=day.day, day=day.month)
    return {other} if other in known else {day}


def _part(fields: Fields, exam: ExamRecord) -> Part:
    if other_part(fields, exam):
        return Part.OTHER
    if not _said(fields, FieldName.BODY_PART) or not _alike(fields, exam):
        return Part.NONE
    sides = exam.laterality and _said(fields, FieldName.LATERALITY)
    return Part.BOTH if sides else Part.SAME


def other_part(fields: Fields, exam: ExamRecord) -> bool:
    """Tell whether film and exam name different parts of the body, or different sides."""
    part, side = _said(fields, FieldName.BODY_PART), _said(fields, FieldName.LATERALITY)
    if part and (exam.body_part or exam.description) and not _alike(fields, exam):
        return True
    sides = (side, exam.laterality)
    return bool(side and exam.laterality) and side != exam.laterality and "B" not in sides


def _alike(fields: Fields, exam: ExamRecord) -> bool:
    """Tell whether the part is the same: by its term, or by a word that both use."""
    if _said(fields, FieldName.BODY_PART) == exam.body_part.upper():
        return True
    theirs = set(words_of(f"{exam.description} {exam.body_part}"))
    shared = set(words_of(_said(fields, FieldName.DESCRIPTION))) & theirs
    return any(len(word) >= _TELLING and word not in _SIDES for word in shared)


def _said(fields: Fields, name: FieldName) -> str:
    field = fields.get(name)
    return field.value.upper() if field else ""
