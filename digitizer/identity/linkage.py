"""Weights and posteriors of candidates for one bearer."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from digitizer.identity.compare import (
    Compared,
    compare_birth,
    compare_family,
    compare_given,
    compare_number,
    compare_sex,
    compare_suffix,
    numbers_of,
)
from digitizer.identity.evidence import Evidence
from digitizer.model.identity import Agreement, PatientRecord
from digitizer.model.reading import FieldName, Testimony

__all__ = ["Linked", "compared", "link"]

_CONTRADICTING = (
    FieldName.PATIENT_ID,
    FieldName.FAMILY_NAME,
    FieldName.GIVEN_NAME,
    FieldName.BIRTH_DATE,
    FieldName.NAME_SUFFIX,
    FieldName.SEX,
    FieldName.ACCESSION_NUMBER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """One candidate for one film: what the film says, what its label says, the sum in bits."""

    patient: PatientRecord
    film: Mapping[FieldName, Compared]
    label: Mapping[FieldName, Compared]
    weight: float
    posterior: float = 0.0

    def agrees(self, name: FieldName, *, on_film: bool = False) -> bool:
        """Tell whether a field agrees exactly, on the film or (unless ``on_film``) its label."""
        sides = (self.film,) if on_film else (self.film, self.label)
        return any(name in side and side[name].agreement is Agreement.AGREES for side in sides)

    def contradictions(self, side: Mapping[FieldName, Compared]) -> list[FieldName]:
        """Return the identifiers of one bearer that speak against the candidate."""
        return [
            name
            for name in _CONTRADICTING
            if name in side and side[name].agreement is Agreement.DISAGREES
        ]


def compared(
    said: Testimony, patient: PatientRecord, evidence: Evidence
) -> dict[FieldName, Compared]:
    """Compare what one bearer says with one patient, field by field."""
    value = {name: field.value for name, field in said.fields.items()}
    names = [patient.name, *patient.former_names]
    family = value.get(FieldName.FAMILY_NAME, "")
    given = value.get(FieldName.GIVEN_NAME, "")
    result = {
        FieldName.PATIENT_ID: compare_number(
            value.get(FieldName.PATIENT_ID, ""), numbers_of(patient)
        ),
        FieldName.FAMILY_NAME: compare_family(family, names, evidence.share(family)),
        FieldName.GIVEN_NAME: compare_given(given, names, evidence.share(given)),
        FieldName.BIRTH_DATE: compare_birth(
            value.get(FieldName.BIRTH_DATE, ""), patient.birth_date
        ),
        FieldName.SEX: compare_sex(value.get(FieldName.SEX, ""), patient.sex),
        FieldName.NAME_SUFFIX: compare_suffix(
            value.get(FieldName.NAME_SUFFIX, ""), patient.name.suffix if family else ""
        ),
        FieldName.ACCESSION_NUMBER: _accession(
            value.get(FieldName.ACCESSION_NUMBER, ""), patient, evidence
        ),
    }
    return {
        name: one
        for name, one in result.items()
        if one.agreement is not Agreement.MISSING or one.bits != 0
    }


def _accession(read: str, patient: PatientRecord, evidence: Evidence) -> Compared:
    """Compare an accession number; one that no patient of the index has says nothing."""
    mine = [exam.accession_number for exam in evidence.exams_of(patient)]
    how = compare_number(read, mine)
    if how.agreement is not Agreement.DISAGREES:
        return how
    others = [exam.accession_number for exam in evidence.accessions]
    if compare_number(read, others).agreement is Agreement.AGREES:
        return Compared(Agreement.DISAGREES, -10.0)
    return Compared(Agreement.MISSING, 0.0)


def link(
    film: Testimony, label: Testimony | None, evidence: Evidence, in_index: float
) -> list[Linked]:
    """Return the candidates, the best first; the posteriors leave room for "not in the index".

    A field that film and label both bear counts once, by what the film says.
    """
    linked: list[Linked] = []
    start = log2(in_index / max(evidence.patient_count, 1))
    for patient in evidence.patients:
        own = compared(film, patient, evidence)
        theirs = compared(label, patient, evidence) if label is not None else {}
        weight = start + sum(one.bits for one in own.values())
        # The label is another sheet of paper: its word is believed somewhat less.
        weight += sum(0.8 * one.bits for name, one in theirs.items() if name not in own)
        linked.append(Linked(patient=patient, film=own, label=theirs, weight=weight))
    linked.sort(key=lambda one: (-one.weight, one.patient.issuer, one.patient.patient_id))
    nobody = log2(1 - in_index)
    top = max([nobody, *(one.weight for one in linked)])
    total = 2 ** (nobody - top) + sum(2 ** (one.weight - top) for one in linked)
    return [
        Linked(
            patient=one.patient,
            film=one.film,
            label=one.label,
            weight=one.weight,
            posterior=2 ** (one.weight - top) / total,
        )
        for one in linked
    ]
