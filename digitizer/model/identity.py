"""Who a film may belong to: records of the index, candidates, decisions."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique
from typing import Generic, TypeVar

from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Reason

__all__ = [
    "Agreement",
    "Candidate",
    "ExamDays",
    "ExamRecord",
    "FileRow",
    "FilmCase",
    "JacketCase",
    "JacketLabel",
    "JacketRecord",
    "Neighbour",
    "Outcome",
    "PatientRecord",
    "PersonName",
    "Verdict",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A person's name in its parts, upper case."""

    family: str
    given: str = ""
    middle: str = ""
    suffix: str = ""

    @property
    def text(self) -> str:
        """The name as a clerk reads it: ``FAMILY, GIVEN MIDDLE SUFFIX``."""
        given = " ".join(part for part in (self.given, self.middle, self.suffix) if part)
        return ", ".join(part for part in (self.family, given) if part)

    def differs_from(self, other: "PersonName") -> bool:
        """Tell whether a part that both have is another; what one of them lacks says nothing."""
        parts = (
            (self.family, other.family),
            (self.given, other.given),
            (self.middle, other.middle),
            (self.suffix, other.suffix),
        )
        return any(mine and theirs and mine != theirs for mine, theirs in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """One row of the patient index.

    ``birth_date`` is ISO text of full or partial precision (``1931-04-02``, ``1931-04``, ``1931``)
    or empty. ``other_ids`` are (issuer, number) pairs, merged and foreign numbers alike.
    """

    patient_id: str
    issuer: str
    name: PersonName
    birth_date: str = ""
    sex: str = ""
    death_date: date | None = None
    former_names: tuple[PersonName, ...] = ()
    other_ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRecord:
    """One row of the historical exam index."""

    accession_number: str
    patient_id: str
    issuer: str
    study_date: date | None = None
    modality: str = ""
    description: str = ""
    body_part: str = ""
    laterality: str = ""
    study_instance_uid: str = ""
    expected_films: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamDays:
    """How often patients of the exam index had several exams on one day, counted on a sample.

    Attributes
    ----------
    days : int
        Days of patients that hold an exam.
    second : int
        Exams beyond the first of a day.
    same_part : int
        Those of them that are of the same part and side as another of that day.
    """

    days: int = 0
    second: int = 0
    same_part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JacketRecord:
    """One row of the jacket list."""

    jacket: str
    box: str = ""
    barcode: str = ""
    patient_id: str = ""
    issuer: str = ""
    expected_films: int | None = None


@dataclass(frozen=True, slots=True)
class FileRow(Generic[T]):
    """A record as it stands in a file: the line, counted from 1 with the header, is for errors."""

    line: int
    record: T


@dataclass(frozen=True, slots=True, kw_only=True)
class JacketLabel:
    """A label for a jacket: the content of its barcode, and what stands below it."""

    code: str
    text: str


@unique
class Agreement(StrEnum):
    """How a field read compares with the same field of a candidate."""

    AGREES = "agrees"
    SIMILAR = "similar"
    DISAGREES = "disagrees"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A patient (and exam) with its evidence.

    Attributes
    ----------
    patient : PatientRecord
    exam : ExamRecord or None
    weight : float
        Sum of the Fellegi-Sunter weights in bits.
    posterior : float
        Over all candidates and "not in the index".
    film_agreement, label_agreement : dict
        Field by field, what the film itself and what the jacket's label say.
    """

    patient: PatientRecord
    exam: ExamRecord | None
    weight: float
    posterior: float
    film_agreement: dict[FieldName, Agreement]
    label_agreement: dict[FieldName, Agreement]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmCase:
    """One film to be decided: its id and what the film itself says."""

    id: str
    testimony: Testimony


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The jacket fed before or behind another: its name, its label, what its films say."""

    name: str
    before: bool
    label: Testimony | None
    films: tuple[Testimony, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JacketCase:
    """A closed jacket, decided together; ``neighbours`` are those already read."""

    label: Testimony | None
    record: JacketRecord | None
    films: tuple[FilmCase, ...]
    neighbours: tuple[Neighbour, ...] = ()


@unique
class Outcome(StrEnum):
    """What is done with a film."""

    AUTO = "auto"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What identity says of one film: file it, or ask a person and why.

    ``patient`` and ``exam`` are set only when ``outcome`` is AUTO; proposals stand in
    ``candidates``. ``mint_study`` is the exam's date when the index has no exam and two witnesses
    agree on a full, plausible date (DESIGN §5). ``evidence_class`` and ``exam_evidence`` name the
    class of evidence for the patient and for the exam, for which errors are counted. ``weights``
    names the adopted weights that it was weighed with; empty for the built-in ones.
    """

    film_id: str
    outcome: Outcome
    patient: PatientRecord | None = None
    exam: ExamRecord | None = None
    mint_study: date | None = None
    posterior: float = 0.0
    exam_posterior: float | None = None
    reasons: tuple[Reason, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    evidence_class: str = ""
    exam_evidence: str = ""
    weights: str = ""
