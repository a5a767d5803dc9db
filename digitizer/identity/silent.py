"""Films that name nobody, once a person has said whose they are: may they be, and of which exam.

What this never does: choose between exams that fit alike, or make an exam up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from digitizer.identity.evidence import gather_for
from digitizer.identity.exam_evidence import said_day
from digitizer.identity.exams import (
    Around,
    ExamRates,
    ExamVerdict,
    choose_exam,
    days_said,
    denies,
    plausible,
)
from digitizer.identity.heard import Heard, name_said
from digitizer.identity.linkage import compared, contradicting
from digitizer.identity.objections import apart, names_others
from digitizer.model.identity import ExamRecord, FilmCase, PatientRecord
from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Code, Reason, reason
from digitizer.ports import PatientIndex

__all__ = ["SilentFilms", "day_of", "exam_of", "label_denies", "place_silent", "speaks_against"]

_LEAST = 0.999
"""Posterior of an exam that is proposed to a person who has the film before them."""
_PLAIN = 0.8
"""Confidence of a date that is taken where a person named the patient and no exam."""
_MOST_NAMED = 6
"""Exams that one reason names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentFilms:
    """The silent films of one jacket, looked at together.

    Attributes
    ----------
    films : tuple of FilmCase
    label : Testimony or None
        What the jacket says.
    others : tuple of Testimony
        What the jacket's other films say.
    exams : tuple of ExamRecord
        All exams of the patient in the index.
    filed : mapping of str to int
        Films filed already, by accession number.
    complete : bool
        Whether all other films of the jacket are decided, so that what an exam still lacks can
        only be among these.
    rates : ExamRates
        How often an index like this lacks exams.
    """

    films: tuple[FilmCase, ...]
    label: Testimony | None
    others: tuple[Testimony, ...]
    exams: tuple[ExamRecord, ...]
    filed: Mapping[str, int]
    complete: bool
    rates: ExamRates


def place_silent(
    silent: SilentFilms, patient: PatientRecord, named: ExamRecord | None = None
) -> dict[str, ExamVerdict]:
    """Say of each silent film which exam it is of, or why a person must say so.

    A film's own day, part and side choose its exam. Where it bears none, the one exam that still
    lacks films takes them, if it lacks exactly so many and nothing else may be of it.

    Parameters
    ----------
    silent : SilentFilms
    patient : PatientRecord
        Whose they are, as a person said.
    named : ExamRecord, optional
        The exam that the person named; taken unless the film's own day or part denies it.

    Returns
    -------
    dict of str to ExamVerdict
        By the film's id.
    """
    if named is not None:
        return {film.id: _named(film, named, silent.exams) for film in silent.films}
    label = Heard(silent.label) if silent.label is not None else None
    chosen: dict[str, ExamVerdict] = {}
    mute: list[FilmCase] = []
    for film in silent.films:
        heard = Heard(film.testimony)
        if days_said(heard, silent.exams):
            around = Around(label=label, films=silent.others)
            chosen[film.id] = choose_exam(
                heard, around, patient, silent.exams, silent.rates, _LEAST
            )
        else:
            mute.append(film)
    return chosen | _by_what_lacks(silent, mute, chosen)


def _named(film: FilmCase, exam: ExamRecord, exams: Sequence[ExamRecord]) -> ExamVerdict:
    denied = denies(Heard(film.testimony), exam, exams)
    return ExamVerdict(exam=exam) if denied is None else ExamVerdict(reasons=(denied,))


def _by_what_lacks(
    silent: SilentFilms, mute: Sequence[FilmCase], chosen: Mapping[str, ExamVerdict]
) -> dict[str, ExamVerdict]:
    """Place films without a day: all of them in the one exam that lacks just so many."""
    taken = Counter(silent.filed)
    taken.update(one.exam.accession_number for one in chosen.values() if one.exam is not None)
    lacking = [
        exam
        for exam in silent.exams
        if exam.expected_films is None or taken[exam.accession_number] < exam.expected_films
    ]
    settled = silent.complete and all(one.exam is not None for one in chosen.values())
    only = lacking[0] if len(lacking) == 1 else None
    if (
        settled
        and only is not None
        and only.expected_films == taken[only.accession_number] + len(mute)
    ):
        return {film.id: _named(film, only, silent.exams) for film in mute}
    asked = ExamVerdict(reasons=(_which(lacking),))
    return {film.id: asked for film in mute}


def _which(lacking: Sequence[ExamRecord]) -> Reason:
    """Ask for the exam, and name those that may still lack films."""
    if not lacking:
        return reason(Code.EXAM_UNKNOWN)
    named = ", ".join(
        f"{one.accession_number} ({one.study_date or 'no date'} {one.description})".strip()
        for one in lacking[:_MOST_NAMED]
    )
    more = " and others" if len(lacking) > _MOST_NAMED else ""
    return reason(Code.EXAM_AMBIGUOUS, f"The film may be of {named}{more}; choose the exam.")


def speaks_against(film: Testimony, patient: PatientRecord, index: PatientIndex) -> str | None:
    """Return in a clerk's words what a film itself says against being a patient's, if anything.

    Parameters
    ----------
    film : Testimony
    patient : PatientRecord
        Whose it is said to be.
    index : PatientIndex
        Tells whether a number on the film is another patient's.
    """
    evidence = gather_for([film], patient.patient_id, index)
    heard = Heard(film)
    against = contradicting(compared(heard, patient, evidence))
    others = names_others(heard, patient, evidence)
    said = name_said(film)
    if (against or others) and said.differs_from(patient.name):
        return f"This film says {said.text}; the patient named is {patient.name.text}."
    if others:
        return "The film bears another patient's number."
    if not against:
        return None
    told = ", ".join(name.value.replace("_", " ") for name in against)
    return f"The film differs from {patient.name.text} in: {told}."


def label_denies(label: Testimony, patient: PatientRecord) -> str | None:
    """Return what a jacket's label says against being a patient's, where it is somebody else's.

    One field that differs may be misread; on balance a label is its owner's or another's.
    """
    if not apart(label, patient):
        return None
    owner = name_said(label).text or "another patient"
    return f"The jacket says {owner}, not {patient.name.text}."


def day_of(film: Testimony, patient: PatientRecord) -> date | None:
    """Return the day that a film plainly bears, where the patient can have been filmed on it."""
    field = film.fields.get(FieldName.STUDY_DATE)
    sure = field is not None and field.confidence >= _PLAIN
    said = said_day(Heard(film)) if sure else ""
    day = date.fromisoformat(said) if said else None
    return day if day is not None and plausible(day, patient) else None


def exam_of(
    film: Testimony, patient: PatientRecord, index: PatientIndex, missing: float
) -> ExamVerdict:
    """Choose the exam of a film whose patient a person has named, by what the film says."""
    rates = ExamRates.of(index.exam_days(), missing)
    return choose_exam(Heard(film), Around(), patient, index.exams(patient), rates, _LEAST)
