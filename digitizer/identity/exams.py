"""Which exam a film belongs to, once its patient is sure (DESIGN §5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from digitizer.identity.compare import compare_number
from digitizer.model.identity import Agreement, ExamRecord, PatientRecord
from digitizer.model.reading import FieldName, Fields, Testimony
from digitizer.model.reasons import Code, Reason, reason

__all__ = ["ExamVerdict", "choose_exam"]

_SURE = 0.99999
_LIKELY = 0.9999


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamVerdict:
    """The exam, or the date of one to be minted, or why neither can be told."""

    exam: ExamRecord | None = None
    mint: date | None = None
    posterior: float | None = None
    reasons: tuple[Reason, ...] = ()


def choose_exam(
    film: Testimony, label: Testimony | None, patient: PatientRecord, exams: tuple[ExamRecord, ...]
) -> ExamVerdict:
    """Choose by accession number first, then by date with body part and side; the film leads."""
    read = _value(film, FieldName.ACCESSION_NUMBER)
    day = _day(_value(film, FieldName.STUDY_DATE))
    if day is not None and not plausible(day, patient):
        return _asked(Code.IMPLAUSIBLE_DATE)
    by_number = [one for one in exams if _same_number(read, one, Agreement.AGREES)]
    by_date = [one for one in exams if day is not None and one.study_date == day]
    if len(by_number) == 1:
        only = by_number[0]
        if day is not None and only.study_date is not None and only.study_date != day:
            return _asked(
                Code.EXAM_AMBIGUOUS, "The film's accession number and its date name two exams."
            )
        if _other_part(film.fields, only):
            return _asked(Code.EXAM_AMBIGUOUS, "The film shows another part than this exam.")
        return ExamVerdict(exam=only, posterior=_SURE)
    if by_date:
        return _by_date(film, read, by_date)
    return _not_in_index(label, read, day)


def _by_date(film: Testimony, read: str, found: list[ExamRecord]) -> ExamVerdict:
    fitting = [one for one in found if not _other_part(film.fields, one)]
    near = [one for one in fitting if _same_number(read, one, Agreement.SIMILAR)]
    if len(near) == 1:
        return ExamVerdict(exam=near[0], posterior=_SURE)
    if read:
        # Another number on the same day is another exam, which the index may lack.
        return _asked(
            Code.EXAM_AMBIGUOUS, "An exam of that day is known, under another accession number."
        )
    if len(fitting) == 1 and len(found) == 1:
        return ExamVerdict(exam=fitting[0], posterior=_LIKELY)
    if len(fitting) == 1 and _value(film, FieldName.BODY_PART):
        return ExamVerdict(exam=fitting[0], posterior=_LIKELY)
    return _asked(Code.EXAM_AMBIGUOUS if fitting else Code.EXAM_UNKNOWN)


def _not_in_index(label: Testimony | None, read: str, day: date | None) -> ExamVerdict:
    """Mint a study only on a full date that a second witness, the jacket's log, agrees on."""
    if day is None:
        return _asked(Code.EXAM_UNKNOWN)
    written = _value(label, FieldName.STUDY_DATE) if label is not None else ""
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


def _other_part(fields: Fields | Mapping[FieldName, object], exam: ExamRecord) -> bool:
    """Tell whether film and exam name different parts of the body, or different sides."""
    for name, known in (
        (FieldName.BODY_PART, exam.body_part),
        (FieldName.LATERALITY, exam.laterality),
    ):
        field = fields.get(name)
        said = getattr(field, "value", "")
        if said and known and said.upper() != known.upper() and "B" not in (said, known):
            return True
    return False
