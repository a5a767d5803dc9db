"""Who is in the patient index, and their exams."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from digitizer.model.identity import ExamDays, ExamRecord, JacketRecord, PatientRecord
from digitizer.model.reading import Testimony

__all__ = ["PatientIndex"]


class PatientIndex(Protocol):
    """The index of patients, exams and jackets."""

    def at_once(self) -> AbstractContextManager[None]:
        """Answer all that this thread asks within from one view of the index."""
        ...

    def candidates(self, testimonies: Sequence[Testimony]) -> tuple[PatientRecord, ...]:
        """Find all patients whom the testimonies may mean.

        Blocking tolerates any single wrong character; at most a few hundred come back.
        """
        ...

    def patient(self, patient_id: str, issuer: str | None = None) -> PatientRecord | None:
        """Look one patient up by number; by issuer too where given; None if absent or several."""
        ...

    def exams(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """List the exams of a patient."""
        ...

    def exam(self, accession_number: str, issuer: str | None = None) -> ExamRecord | None:
        """Look one exam up by its accession number."""
        ...

    def exams_matching(self, accession_numbers: Iterable[str]) -> tuple[ExamRecord, ...]:
        """Find exams whose accession number is one of these, or one character away."""
        ...

    def exams_of_study(self, study_instance_uid: str) -> tuple[ExamRecord, ...]:
        """Find the exams that are known under a Study Instance UID, of whomever."""
        ...

    def exam_days(self) -> ExamDays:
        """Tell how often the index knows several exams of one patient and day."""
        ...

    def jacket(self, name: str, box: str | None = None) -> JacketRecord | None:
        """Look a jacket up by name (and box) or by barcode."""
        ...

    def jackets_of_box(self, box: str) -> tuple[JacketRecord, ...]:
        """List the jackets that the list has in a box, in the order of their names."""
        ...

    def named(self, beginnings: Sequence[str], limit: int) -> tuple[PatientRecord, ...]:
        """Find patients who bear a name that begins so, for each of the beginnings.

        Names are asked for as they are counted (:meth:`name_counts`); former names count too.
        """
        ...

    def patient_count(self) -> int:
        """Count the patients of the index."""
        ...

    def name_counts(self, names: Iterable[str]) -> dict[str, int]:
        """Count how many patients bear each of these family or given names."""
        ...
