"""Which exam a film belongs to, once its patient is sure (DESIGN §5)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from digitizer.identity.compare import compare_number
from digitizer.identity.heard import Heard
from digitizer.identity.spelling import plain, words_of
from digitizer.model.identity import Agreement, ExamRecord, PatientRecord
from digitizer.model.reading import FieldName, Fields, Testimony
from digitizer.model.reasons import Code, Reason, reason

__all__ = ["Around", "ExamVerdict", "choose_exam", "days_said", "denies", "plausible"]

_SURE = 0.99975
"""An accession number, or day and part of the body together: 10 of 70,182 simulated films so filed
were of another exam (upper 95 % bound 2.4 in 10,000); those looked at were of patients with two
exams of one part on one day, of which the index lacked one."""
_LIKELY = 0.9949
"""A day alone: the index may lack a second exam of that day. Where 6 in 100 exam days hold two
exams and the index lacks one exam in ten, 95 of 22,191 simulated films so filed were of the other
exam (upper 95 % bound 0.51 %); where the index is complete, none can be."""
_CONFUSED = tuple(
    {pair[0], pair[1]}
    for pair in (
        *("08", "06", "09", "14", "17", "27", "35", "38", "39", "49", "56", "58", "59"),
        *("68", "69", "79", "89", "12", "13", "B8", "S5"),
    )
)
"""Characters with strokes in common."""
_A_DAYS_EXAMS = 99
"""Exams of one day have numbers no further apart than a department's exams of a day."""
_TELLING = 4
_SIDES = frozenset(
    {"LEFT", "RIGHT", "BILATERAL", "VIEW", "VIEWS", "PORTABLE", "LATERAL", "SERIES", "SPINE"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamVerdict:
    """The exam, or the date of one to be minted, or why neither can be told."""

    exam: ExamRecord | None = None
    mint: date | None = None
    posterior: float | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else lies in the jacket: its label, and what its other films say."""

    label: Heard | None = None
    films: tuple[Testimony, ...] = ()


def choose_exam(
    film: Heard, around: Around, patient: PatientRecord, exams: tuple[ExamRecord, ...]
) -> ExamVerdict:
    """Choose by accession number first, then by date with body part and side; the film leads.

    Parameters
    ----------
    film : Heard
    around : Around
        The jacket may tell that there is another exam of that day, which the index lacks.
    patient : PatientRecord
    exams : tuple of ExamRecord
        All exams of that patient in the index.
    """
    said = film.said
    read = _value(said, FieldName.ACCESSION_NUMBER)
    day = _day(_value(said, FieldName.STUDY_DATE))
    exact = [one for one in exams if _same_number(read, one, Agreement.AGREES)]
    exact = exact or [one for one in exams if film.number(one.accession_number)]
    days = _days(day, film, exams)
    if len(exact) == 1:
        return _by_number(said, exact[0], exams, days)
    if day is not None and not any(plausible(one, patient) for one in days):
        return _asked(Code.IMPLAUSIBLE_DATE)
    by_date = [one for one in exams if one.study_date in days]
    if by_date:
        return _by_date(film, read, by_date, around)
    return _not_in_index(around.label, read, day)


def days_said(film: Heard, exams: Sequence[ExamRecord]) -> set[date]:
    """Return the days that a film may mean; none where it bears no day."""
    return _days(_day(_value(film.said, FieldName.STUDY_DATE)), film, exams)


def denies(film: Heard, exam: ExamRecord, exams: Sequence[ExamRecord]) -> Reason | None:
    """Return what on a film speaks against an exam that a person named: its day, part or side."""
    days = days_said(film, exams)
    if days and exam.study_date is not None and exam.study_date not in days:
        days_read = " or ".join(sorted(day.isoformat() for day in days))
        text = f"The film says {days_read}; the exam is of {exam.study_date.isoformat()}."
        return reason(Code.EXAM_AMBIGUOUS, text)
    if _other_part(film.said.fields, exam):
        return reason(Code.EXAM_AMBIGUOUS, "The film shows another part or side than this exam.")
    return None


def _days(day: date | None, film: Heard, exams: Sequence[ExamRecord]) -> set[date]:
    """Return the days that the film may mean.

    Where none of the patient's exams is of the day read, day and month may stand the other way
    round, or the grammar may have taken another of the sheet's dates.
    """
    if day is None:
        born = _value(film.said, FieldName.BIRTH_DATE)
        known = {one.study_date for one in exams if one.study_date is not None}
        return {one for one in known if film.date(one.isoformat()) and one.isoformat() != born}
    if any(one.study_date == day for one in exams) or day.day > 12:
        return {day}
    other = day.replace(month=day.day, day=day.month)
    return {other} if any(one.study_date == other for one in exams) else {day}


def _by_number(
    said: Testimony, only: ExamRecord, exams: tuple[ExamRecord, ...], days: set[date]
) -> ExamVerdict:
    """Take the exam of the accession number read, unless anything else on the film denies it."""
    if days and only.study_date is not None and only.study_date not in days:
        return _asked(
            Code.EXAM_AMBIGUOUS, "The film's accession number and its date name two exams."
        )
    if _other_part(said.fields, only):
        return _asked(Code.EXAM_AMBIGUOUS, "The film shows another part than this exam.")
    # Exams of one day are numbered in a row: a digit misread may be the neighbour's number.
    for other in exams:
        near = _easily_misread(only.accession_number, other.accession_number)
        told = days and other.study_date not in days
        if near and not told and not _other_part(said.fields, other):
            return _asked(
                Code.EXAM_AMBIGUOUS, "Another exam's accession number is one character away."
            )
    return ExamVerdict(exam=only, posterior=_SURE)


def _easily_misread(one: str, other: str) -> bool:
    """Tell whether two numbers differ in one character, and engines confuse the two."""
    if len(one) != len(other):
        return False
    apart = [{a, b} for a, b in zip(one.upper(), other.upper(), strict=True) if a != b]
    return len(apart) == 1 and apart[0] in _CONFUSED


def _in_a_row(one: str, other: str) -> bool:
    """Tell whether two numbers are near enough to be of two exams of one day."""
    mine, theirs = re.findall(r"\d+", one), re.findall(r"\d+", plain(other))
    if len(one) != len(plain(other)) or len(mine) != len(theirs) or not mine:
        return False
    return abs(int("".join(mine)) - int("".join(theirs))) <= _A_DAYS_EXAMS


def _by_date(film: Heard, read: str, found: list[ExamRecord], around: Around) -> ExamVerdict:
    said = film.said
    fitting = [one for one in found if not _other_part(said.fields, one)]
    told = [one for one in fitting if _same_part(said.fields, one)]
    near = {one.accession_number: film.near_number(one.accession_number) for one in fitting}
    if read or any(near.values()):
        only = told if len(told) == 1 else fitting
        if len(only) == 1 and near[only[0].accession_number]:
            row = only[0].accession_number
            if not any(_in_a_row(one, row) for one in near[row]):
                return ExamVerdict(exam=only[0], posterior=_SURE)
        # Another number on the same day is another exam, which the index may lack.
        return _asked(
            Code.EXAM_AMBIGUOUS, "An exam of that day is known, under another accession number."
        )
    if len(told) == 1:
        return ExamVerdict(exam=told[0], posterior=_SURE)
    if len(found) == 1 and len(fitting) == 1:
        if _another_that_day(found[0], around):
            return _asked(Code.EXAM_AMBIGUOUS, "The jacket holds another exam of that day.")
        return ExamVerdict(exam=fitting[0], posterior=_LIKELY)
    return _asked(Code.EXAM_AMBIGUOUS if fitting else Code.EXAM_UNKNOWN)


def _another_that_day(exam: ExamRecord, around: Around) -> bool:
    """Tell whether the jacket's log has the day twice, or another film another exam of it."""
    day = exam.study_date.isoformat() if exam.study_date else ""
    if around.label is not None and day and around.label.times(day) > 1:
        return True
    for other in around.films:
        if _value(other, FieldName.STUDY_DATE) == day:
            read = _value(other, FieldName.ACCESSION_NUMBER)
            if _other_part(other.fields, exam) or (
                read and not _same_number(read, exam, Agreement.AGREES)
            ):
                return True
    return False


def _not_in_index(label: Heard | None, read: str, day: date | None) -> ExamVerdict:
    """Mint a study only on a full date that a second witness, the jacket's log, agrees on."""
    if day is None:
        return _asked(Code.EXAM_UNKNOWN)
    written = _value(label.said, FieldName.STUDY_DATE) if label is not None else ""
    if written == day.isoformat() and not read:
        return ExamVerdict(mint=day, posterior=_LIKELY)
    return _asked(Code.EXAM_UNKNOWN, f"No exam of {day.isoformat()} is in the index.")


def plausible(day: date, patient: PatientRecord) -> bool:
    """Tell whether a patient can have been filmed on a day: born, and not long dead."""
    born = patient.birth_date
    if born and day.isoformat()[: len(born)] < born:
        return False
    return patient.death_date is None or day <= patient.death_date


def _asked(code: Code, text: str | None = None) -> ExamVerdict:
    return ExamVerdict(reasons=(reason(code, text),), posterior=0.0)


def _value(said: Testimony | None, name: FieldName) -> str:
    field = said.fields.get(name) if said is not None else None
    return field.value if field else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if len(text) == 10 else None


def _same_number(read: str, exam: ExamRecord, how: Agreement) -> bool:
    return bool(read) and compare_number(read, [exam.accession_number]).agreement is how


def _other_part(fields: Fields, exam: ExamRecord) -> bool:
    """Tell whether film and exam name different parts of the body, or different sides."""
    part, side = _said(fields, FieldName.BODY_PART), _said(fields, FieldName.LATERALITY)
    if part and (exam.body_part or exam.description) and not _alike(fields, exam):
        return True
    return (
        bool(side and exam.laterality)
        and side != exam.laterality
        and "B"
        not in (
            side,
            exam.laterality,
        )
    )


def _same_part(fields: Fields, exam: ExamRecord) -> bool:
    """Tell whether film and exam name the same part, and the side where both tell it."""
    return (
        bool(_said(fields, FieldName.BODY_PART))
        and _alike(fields, exam)
        and not _other_part(fields, exam)
    )


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
