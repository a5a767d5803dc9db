"""What a reviewer is shown of a film: values for the page, made from the ledger and the index."""

from collections.abc import Mapping
from dataclasses import dataclass

from digitizer.console.doubtful import Piece, pieces
from digitizer.model.film import SheetKind
from digitizer.model.identity import Candidate, ExamRecord, PatientRecord
from digitizer.model.reading import Field, FieldName, FieldSource
from digitizer.model.records import Jacket, Scan, Sheet
from digitizer.model.states import ENDS
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction
from digitizer.reading import CORRECTABLE

__all__ = ["Case", "Choice", "case_of", "choice_of"]

_UNSURE = 0.8
_MOST_CANDIDATES = 9
_MARKS = {"agrees": "✓", "similar": "≈", "disagrees": "✗", "missing": "·"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One field: what film and label say of it."""

    label: str
    film: tuple[Piece, ...]
    film_unsure: bool
    jacket: tuple[Piece, ...]
    jacket_unsure: bool
    said: str
    """What a person says stands there on the film; empty where nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field to be put right: what was read of it, and what holds now."""

    name: str
    label: str
    read: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How a field of film or label compares with a candidate's."""

    field: str
    film: str
    jacket: str
    film_mark: str
    jacket_mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One patient who may be chosen, with the exams to choose from."""

    key: str
    """ISSUER:NUMBER."""
    number: str
    issuer: str
    name: str
    birth_date: str
    sex: str
    death_date: str
    former: str
    others: str
    posterior: float | None
    marks: tuple[Mark, ...]
    exams: tuple[ExamRecord, ...]
    exam: str
    """Accession number of the exam proposed; empty where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One film in review."""

    sheet: Sheet
    scan: Scan
    jacket: Jacket
    rows: tuple[ReadRow, ...]
    edits: tuple[Edit, ...]
    label_sheets: tuple[Sheet, ...]
    choices: tuple[Choice, ...]

    @property
    def is_film(self) -> bool:
        """Whether an exam is to be chosen too."""
        return self.sheet.kind is SheetKind.FILM


def case_of(services: Services, view: Transaction, sheet: Sheet) -> Case:
    """Return everything there is to show of a film in review."""
    scan, jacket = view.get(Scan, sheet.scan_id), view.get(Jacket, sheet.jacket_id)
    labels = tuple(
        one
        for one in view.sheets(jacket_id=sheet.jacket_id)
        if one.kind is SheetKind.LABEL
        and one.id != sheet.id
        and one.state not in ENDS
        and not (one.misfiled or sheet.misfiled)
    )
    first = sheet.candidates[0] if sheet.candidates else None
    return Case(
        sheet=sheet,
        scan=scan,
        jacket=jacket,
        rows=_rows(sheet, labels[0] if labels else None, first),
        edits=_edits(sheet),
        label_sheets=labels,
        choices=tuple(
            choice_of(services, one.patient, sheet, one)
            for one in sheet.candidates[:_MOST_CANDIDATES]
        ),
    )


def choice_of(
    services: Services, patient: PatientRecord, sheet: Sheet, found: Candidate | None = None
) -> Choice:
    """Return a patient to choose, whether found by the machine or by hand."""
    proposed = found.exam.accession_number if found and found.exam else ""
    exams = services.index.exams(patient) if sheet.kind is SheetKind.FILM else ()
    read = _held(sheet, FieldName.STUDY_DATE)
    return Choice(
        key=f"{patient.issuer}:{patient.patient_id}",
        number=patient.patient_id,
        issuer=patient.issuer,
        name=patient.name.text,
        birth_date=patient.birth_date,
        sex=patient.sex,
        death_date=patient.death_date.isoformat() if patient.death_date else "",
        former=", ".join(one.text for one in patient.former_names),
        others=", ".join(f"{issuer}:{number}" for issuer, number in patient.other_ids),
        posterior=found.posterior if found else None,
        marks=_marks(found) if found else (),
        exams=tuple(sorted(exams, key=lambda one: _far(one, read))),
        exam=proposed,
    )


def _far(exam: ExamRecord, read: Field | None) -> tuple[int, str]:
    """Order exams by how little their date differs from the one read, the newest first else."""
    day = exam.study_date.isoformat() if exam.study_date else ""
    if read is None:
        return 0, "".join(chr(255 - ord(one)) for one in day)
    unlike = sum(a != b for a, b in zip(day.ljust(10), read.value.ljust(10), strict=False))
    return unlike, day


def _marks(found: Candidate) -> tuple[Mark, ...]:
    marks = []
    for name, label in CORRECTABLE.items():
        of_film = found.film_agreement.get(name)
        of_label = found.label_agreement.get(name)
        if of_film is None and of_label is None:
            continue
        film, jacket = (one.value if one else "missing" for one in (of_film, of_label))
        if film == jacket == "missing":
            continue
        marks.append(
            Mark(
                field=label,
                film=film,
                jacket=jacket,
                film_mark=_MARKS[film],
                jacket_mark=_MARKS[jacket],
            )
        )
    return tuple(marks)


def _edits(sheet: Sheet) -> tuple[Edit, ...]:
    made = []
    for name, label in CORRECTABLE.items():
        read = sheet.fields[name].value if name in sheet.fields else ""
        value = sheet.corrections.get(name, read)
        made.append(Edit(name=name.value, label=label, read=read, value=value))
    return tuple(made)


def _rows(sheet: Sheet, label: Sheet | None, first: Candidate | None) -> tuple[ReadRow, ...]:
    known = _known(first)
    rows = []
    for name, words in CORRECTABLE.items():
        of_film, said = sheet.fields.get(name), sheet.corrections.get(name, "")
        of_label = _held(label, name) if label else None
        if of_film is None and of_label is None and not said:
            continue
        rows.append(
            ReadRow(
                label=words,
                film=pieces(of_film, known.get(name, ""), sheet.reading),
                film_unsure=of_film is not None and of_film.confidence < _UNSURE,
                jacket=pieces(of_label, known.get(name, ""), label.reading if label else None),
                jacket_unsure=of_label is not None and of_label.confidence < _UNSURE,
                said=said,
            )
        )
    return tuple(rows)


def _held(label: Sheet, name: FieldName) -> Field | None:
    """Return what holds of a label's field: a person's word before the engines'."""
    said = label.corrections.get(name)
    if said is not None:
        return Field(value=said, confidence=1.0, source=FieldSource.PERSON)
    return label.fields.get(name)


def _known(first: Candidate | None) -> Mapping[FieldName, str]:
    """Return what the index says of the first candidate."""
    if first is None:
        return {}
    patient, exam = first.patient, first.exam
    known = {
        FieldName.PATIENT_ID: patient.patient_id,
        FieldName.FAMILY_NAME: patient.name.family,
        FieldName.GIVEN_NAME: patient.name.given,
        FieldName.BIRTH_DATE: patient.birth_date,
        FieldName.SEX: patient.sex,
    }
    if exam is not None:
        known[FieldName.ACCESSION_NUMBER] = exam.accession_number
        known[FieldName.STUDY_DATE] = exam.study_date.isoformat() if exam.study_date else ""
    return known
