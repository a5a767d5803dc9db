"""What the index knows that bears on one jacket, fetched at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from digitizer.identity.blocking import numbers_said
from digitizer.identity.spelling import plain
from digitizer.identity.weights import BUILT_IN, Weights
from digitizer.model.identity import ExamDays, ExamRecord, JacketCase, PatientRecord
from digitizer.model.reading import FieldName, Testimony
from digitizer.ports import PatientIndex

__all__ = ["Evidence", "gather", "gather_for"]

Key = tuple[str, str]
_MOST_BEARERS = 12
"""Bearers of an accession number read, or of like ones, who become candidates."""


@dataclass(frozen=True)
class _Exams(Mapping[Key, tuple[ExamRecord, ...]]):
    """Exams of candidates, fetched when asked for: those of the best candidates only."""

    patients: Mapping[Key, PatientRecord]
    index: PatientIndex
    fetched: dict[Key, tuple[ExamRecord, ...]] = field(default_factory=dict)

    def __getitem__(self, key: Key) -> tuple[ExamRecord, ...]:
        if key not in self.fetched:
            self.fetched[key] = self.index.exams(self.patients[key])
        return self.fetched[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.patients)

    def __len__(self) -> int:
        return len(self.patients)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Candidates with their exams, and how common names are."""

    patients: tuple[PatientRecord, ...]
    exams: Mapping[Key, tuple[ExamRecord, ...]]
    accessions: tuple[ExamRecord, ...]
    """Exams whose accession number was read, or one character from it; of any patient."""
    patient_count: int
    name_counts: Mapping[str, int]
    exam_days: ExamDays = field(default_factory=ExamDays)
    weights: Weights = BUILT_IN
    """By which the site has candidates weighed."""

    def share(self, name: str) -> float:
        """Return the share of patients who bear a name."""
        count = self.name_counts.get(plain(name), 0)
        floor = 1 / max(self.patient_count, 1000)
        return max(count / max(self.patient_count, 1), floor) if count else floor

    def exams_of(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """Return the exams of a candidate."""
        return self.exams.get((patient.issuer, patient.patient_id), ())

    def accessions_of(self, patient: PatientRecord) -> Sequence[str]:
        """Return a candidate's accession numbers among those read."""
        return self._by_patient.get((patient.issuer, patient.patient_id), ())

    @cached_property
    def _by_patient(self) -> Mapping[Key, list[str]]:
        found: dict[Key, list[str]] = {}
        for exam in self.accessions:
            found.setdefault((exam.issuer, exam.patient_id), []).append(exam.accession_number)
        return found

    @cached_property
    def known_accessions(self) -> frozenset[str]:
        """Accession numbers read that somebody bears."""
        return frozenset(plain(exam.accession_number) for exam in self.accessions)


def gather(case: JacketCase, index: PatientIndex, weights: Weights = BUILT_IN) -> Evidence:
    """Ask the index for everyone whom the jacket or its films may mean."""
    bearers: list[Testimony] = [film.testimony for film in case.films]
    if case.label is not None:
        bearers.append(case.label)
    return gather_for(bearers, case.record.patient_id if case.record else "", index, weights)


def gather_for(
    bearers: list[Testimony], listed: str, index: PatientIndex, weights: Weights = BUILT_IN
) -> Evidence:
    """Ask the index for everyone whom some testimonies may mean."""
    with index.at_once():
        return _gathered(bearers, listed, index, weights)


def _gathered(
    bearers: list[Testimony], listed: str, index: PatientIndex, weights: Weights
) -> Evidence:
    found = {(one.issuer, one.patient_id): one for one in index.candidates(bearers)}
    numbers = {number for one in bearers for number in numbers_said(one)}
    accessions = index.exams_matching(numbers) if numbers else ()
    exact = [exam for exam in accessions if plain(exam.accession_number) in numbers]
    wanted = [(exam.patient_id, exam.issuer) for exam in (exact or accessions)[:_MOST_BEARERS]]
    wanted += [(listed, "")] if listed else []
    for number, issuer in wanted:
        if (issuer, number) in found:
            continue
        one = index.patient(number, issuer or None)
        if one is not None:
            found.setdefault((one.issuer, one.patient_id), one)
    names = _said(bearers, FieldName.FAMILY_NAME) | _said(bearers, FieldName.GIVEN_NAME)
    return Evidence(
        patients=tuple(found.values()),
        exams=_Exams(found, index),
        accessions=accessions,
        patient_count=index.patient_count(),
        name_counts=index.name_counts({plain(name) for name in names}),
        exam_days=index.exam_days(),
        weights=weights,
    )


def _said(bearers: list[Testimony], name: FieldName) -> set[str]:
    return {one.fields[name].value for one in bearers if name in one.fields}
