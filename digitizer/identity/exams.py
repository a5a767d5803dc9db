"""Which exam a film belongs to, once its patient is sure (DESIGN §5).

What this decides: the exam of the index whose number, day, part and side the film bears, if that is
surer than the budget asks. What it weighs against it: the patient's other exams, an exam of another
day that the index lacks, and a second exam of the same day that it lacks, as often as days hold two
in this very index. What it never does: mint a study on the word of one witness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log2

from digitizer.identity.classes import Caps, ExamEvidence
from digitizer.identity.exam_evidence import (
    DAY_BITS,
    NUMBER_BITS,
    PART_BITS,
    Day,
    ExamFit,
    Number,
    Part,
    days_said,
    fit,
    other_part,
    said_day,
)
from digitizer.identity.heard import Heard
from digitizer.model.identity import ExamDays, ExamRecord, PatientRecord
from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Code, Reason, reason

__all__ = [
    "Around",
    "ExamRates",
    "ExamVerdict",
    "choose_exam",
    "days_said",
    "denies",
    "plausible",
]

_ASSUMED, _AS_IF = 0.02, 10.0
"""Second exams in so many days that are assumed before any day is counted: one in 500."""
_NEXT_IN_ROW_BITS = 13.0
"""A number that a second exam of the day bears and the film shows as it is."""
_BESIDE_BITS = 11.5
"""What an exact number loses if it is the neighbour's misread: one sign in a thousand so."""
_DAY_MISREAD_BITS = -5.0
"""Another day's exam misread as exactly this one's day."""
_PART_MISREAD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRates:
    """How often films are of exams that the index lacks.

    Attributes
    ----------
    missing : float
        Share of exams that the index lacks.
    second : float
        Second exams of a day, to each day that holds an exam, as the index shows it.
    same_part : float
        Those of them that are of the same part.
    """

    missing: float
    second: float
    same_part: float

    @classmethod
    def of(cls, days: ExamDays, missing: float) -> "ExamRates":
        """Return the rates an index shows."""
        counted = days.days + _AS_IF
        return cls(
            missing=missing,
            second=(days.second + 2 * _ASSUMED) / counted,
            same_part=(days.same_part + _ASSUMED) / counted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamVerdict:
    """The exam, or the date of one to be minted, or why neither can be told."""

    exam: ExamRecord | None = None
    mint: date | None = None
    posterior: float | None = None
    reasons: tuple[Reason, ...] = ()
    evidence: str = ""
    """Class of evidence, of :class:`digitizer.identity.classes.ExamEvidence`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else lies in the jacket: its label, and what its other films say."""

    label: Heard | None = None
    films: tuple[Testimony, ...] = ()


def choose_exam(
    film: Heard,
    around: Around,
    patient: PatientRecord,
    exams: Sequence[ExamRecord],
    rates: ExamRates,
    least: float,
    caps: Caps | None = None,
) -> ExamVerdict:
    """Choose by number, day, part and side together; the film leads.

    Parameters
    ----------
    film : Heard
    around : Around
        The jacket may tell that there is another exam of that day, which the index lacks.
    patient : PatientRecord
    exams : sequence of ExamRecord
        All exams of that patient in the index.
    rates : ExamRates
    least : float
        Posterior from which an exam is chosen.
    caps : Caps, optional
        What posteriors may claim; as measured by default.
    """
    caps = caps or Caps.measured()
    days = days_said(film, exams)
    possible = not days or any(plausible(one, patient) for one in days)
    fits = [fit(film, one, days, patient.birth_date, possible=possible) for one in exams]
    fits.sort(key=lambda one: (-one.bits, one.exam.accession_number))
    if fits and fits[0].bits > 0:
        best = fits[0]
        kind = _class(best)
        posterior = min(_posterior(best, fits, around, rates), caps.exam[kind])
        if posterior >= least:
            return ExamVerdict(exam=best.exam, posterior=posterior, evidence=kind.value)
        return ExamVerdict(posterior=posterior, reasons=(_doubt(best, fits, possible),))
    if not possible:
        return _asked(Code.IMPLAUSIBLE_DATE)
    verdict = _not_in_index(around.label, film, patient, rates, least, caps.exam)
    if verdict.mint is not None and any(_one_digit_off(verdict.mint, one) for one in exams):
        return _asked(Code.EXAM_UNKNOWN, "The film's day is one digit from that of a known exam.")
    return verdict


def _posterior(best: ExamFit, fits: Sequence[ExamFit], around: Around, rates: ExamRates) -> float:
    """Weigh the best exam against the patient's others and against those the index lacks."""
    each = log2((1 - rates.missing) / len(fits))
    weights = [each + one.bits for one in fits]
    dated = best.day in (Day.EXACT, Day.TURNED)
    weights.append(log2(rates.missing) + (_DAY_MISREAD_BITS if dated else 0.0))
    weights.append(each + _beside(best, around, rates))
    top = max(weights)
    return float(2 ** (weights[0] - top) / sum(2 ** (one - top) for one in weights))


def _beside(best: ExamFit, around: Around, rates: ExamRates) -> float:
    """Return the bits of a second exam of that day, which the index lacks."""
    same, other = rates.same_part, max(rates.second - rates.same_part, 0.0)
    if _another_that_day(best.exam, around):
        same, other = max(same, 0.3), max(other, 0.5)
    chance = (
        rates.missing
        * {
            Part.NONE: same + other,
            Part.SAME: same + other * _PART_MISREAD,
            Part.BOTH: same + other * _PART_MISREAD,
            Part.OTHER: other,
        }[best.part]
    )
    part = max(PART_BITS[best.part], 0.0)
    number = {
        Number.EXACT: NUMBER_BITS[Number.EXACT] - _BESIDE_BITS,
        Number.ROW: _NEXT_IN_ROW_BITS,
        Number.NEAR: 0.0,
        Number.OTHER: 6.0,
        Number.NONE: 0.0,
    }[best.number]
    return log2(chance) + number + DAY_BITS[best.day] + part


def _class(best: ExamFit) -> ExamEvidence:
    if best.number is Number.EXACT:
        return ExamEvidence.NUMBER
    if best.number in (Number.NEAR, Number.ROW):
        return ExamEvidence.NUMBER_NEAR
    return ExamEvidence.DAY_PART if best.part in (Part.SAME, Part.BOTH) else ExamEvidence.DAY


def _doubt(best: ExamFit, fits: Sequence[ExamFit], possible: bool) -> Reason:
    """Say why the best exam is not sure enough, in a clerk's words."""
    if best.number is Number.EXACT and best.day is Day.OTHER:
        text = "The film's accession number and its date name two exams."
    elif best.part is Part.OTHER:
        text = "The film shows another part than this exam."
    elif best.day is Day.EXACT and best.number in (Number.OTHER, Number.ROW):
        text = "An exam of that day is known, under another accession number."
    elif len(fits) > 1 and fits[1].bits > best.bits - 8:
        text = "Several exams fit the film."
    elif not possible:
        return reason(Code.IMPLAUSIBLE_DATE)
    elif best.number is Number.NONE and best.day in (Day.EXACT, Day.TURNED):
        text = "Only the day tells the exam; there may be another of that day."
    else:
        text = "What the film says of its exam is read too badly."
        return reason(Code.EXAM_UNKNOWN, text)
    return reason(Code.EXAM_AMBIGUOUS, text)


def denies(film: Heard, exam: ExamRecord, exams: Sequence[ExamRecord]) -> Reason | None:
    """Return what on a film speaks against an exam that a person named: its day, part or side."""
    days = days_said(film, exams)
    if days and exam.study_date is not None and exam.study_date not in days:
        days_read = " or ".join(sorted(day.isoformat() for day in days))
        text = f"The film says {days_read}; the exam is of {exam.study_date.isoformat()}."
        return reason(Code.EXAM_AMBIGUOUS, text)
    if other_part(film.said.fields, exam):
        return reason(Code.EXAM_AMBIGUOUS, "The film shows another part or side than this exam.")
    return None


def _another_that_day(exam: ExamRecord, around: Around) -> bool:
    """Tell whether the jacket's log has the day twice, or another film another exam of it."""
    day = exam.study_date.isoformat() if exam.study_date else ""
    if around.label is not None and day and around.label.times(day) > 1:
        return True
    for said in around.films:
        other = Heard(said)
        if said_day(other) == day and (
            other_part(said.fields, exam)
            or (_value(said, FieldName.ACCESSION_NUMBER) and not _near(other, exam))
        ):
            return True
    return False


def _near(film: Heard, exam: ExamRecord) -> bool:
    number = fit(film, exam, set(), "").number
    return number in (Number.EXACT, Number.NEAR, Number.ROW)


def _not_in_index(
    label: Heard | None,
    film: Heard,
    patient: PatientRecord,
    rates: ExamRates,
    least: float,
    caps: Mapping[str, float],
) -> ExamVerdict:
    """Mint a study only on a full date that a second witness, the jacket's log, agrees on.

    What it may get wrong: two exams of one day, both missing in the index, become one study.
    """
    read = said_day(film)
    if not read:
        return _asked(Code.EXAM_UNKNOWN)
    day = date.fromisoformat(read)
    written = label is not None and label.date(read) and not _may_be_born_on(day, patient)
    posterior = min(1 - rates.second * rates.missing, caps[ExamEvidence.MINTED])
    if written and not _value(film.said, FieldName.ACCESSION_NUMBER) and posterior >= least:
        minted = ExamEvidence.MINTED.value
        return ExamVerdict(mint=day, posterior=posterior, evidence=minted)
    return _asked(Code.EXAM_UNKNOWN, f"No exam of {read} is in the index.")


def _one_digit_off(day: date, exam: ExamRecord) -> bool:
    """Tell whether a day may be an exam's day misread; film and log may show one misreading."""
    return exam.study_date is not None and _digits_off(day, exam.study_date.isoformat()) <= 1


def _may_be_born_on(day: date, patient: PatientRecord) -> bool:
    """Tell whether a day may be a birth date whose word was misread, as was a digit, or turned.

    Film and jacket both bear it, so that the one is no witness to the other. Of 104,639 drawn films
    that were filed three got a study of their own on the day of birth, day and month exchanged.
    """
    born = patient.birth_date
    if len(born) != len("YYYY-MM-DD"):
        return born != "" and day.isoformat().startswith(born)
    turned = f"{born[:4]}-{born[8:]}-{born[5:7]}"
    return min(_digits_off(day, born), _digits_off(day, turned)) <= 1


def _digits_off(day: date, other: str) -> int:
    """Count the digits in which two days differ, ISO text both; the century is no digit read."""
    return sum(a != b for a, b in zip(day.isoformat()[2:], other[2:], strict=True))


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
