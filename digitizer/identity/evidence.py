"""What the index knows that bears on one jacket, fetched at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from digitizer.identity.compare import plain
from digitizer.model.identity import ExamRecord, JacketCase, PatientRecord
from digitizer.model.reading import FieldName, Testimony
from digitizer.ports import PatientIndex

__all__ = ["Evidence", "gather"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Candidates with their exams, and how common names are."""

    patients: tuple[PatientRecord, ...]
    exams: Mapping[tuple[str, str], tuple[ExamRecord, ...]]
    accessions: tuple[ExamRecord, ...]
    """Exams whose accession number was read, or one character from it; of any patient."""
    patient_count: int
    name_counts: Mapping[str, int]

    def share(self, name: str) -> float:
        """Return the share of patients who bear a name."""
        count = self.name_counts.get(plain(name), 0)
        floor = 1 / max(self.patient_count, 1000)
        return max(count / max(self.patient_count, 1), floor) if count else floor

    def exams_of(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """Return the exams of a candidate."""
        return self.exams.get((patient.issuer, patient.patient_id), ())


def gather(case: JacketCase, index: PatientIndex) -> Evidence:
    """Ask the index for everyone whom the jacket or its films may mean."""
    bearers: list[Testimony] = [film.testimony for film in case.films]
    if case.label is not None:
        bearers.append(case.label)
    return gather_for(bearers, case.record.patient_id if case.record else "", index)


def gather_for(bearers: list[Testimony], listed: str, index: PatientIndex) -> Evidence:
    """Ask the index for everyone whom some testimonies may mean."""
    found = {(one.issuer, one.patient_id): one for one in index.candidates(bearers)}
    accessions = index.exams_matching(_said(bearers, FieldName.ACCESSION_NUMBER))
    wanted = [(exam.patient_id, exam.issuer) for exam in accessions]
    wanted += [(listed, "")] if listed else []
    for number, issuer in wanted:
        one = index.patient(number, issuer or None)
        if one is not None:
            found.setdefault((one.issuer, one.patient_id), one)
    names = _said(bearers, FieldName.FAMILY_NAME) | _said(bearers, FieldName.GIVEN_NAME)
    return Evidence(
        patients=tuple(found.values()),
        exams={key: index.exams(one) for key, one in found.items()},
        accessions=accessions,
        patient_count=index.patient_count(),
        name_counts=index.name_counts({plain(name) for name in names}),
    )


def _said(bearers: list[Testimony], name: FieldName) -> set[str]:
    return {one.fields[name].value for one in bearers if name in one.fields}
