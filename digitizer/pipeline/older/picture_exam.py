"""Study and series of pictures that have none of their own: those of the exam (DESIGN §4, §6)."""

from datetime import date

from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.ports import Transaction

__all__ = ["decided_uids", "has_own_study", "own_study_uid", "parted_from"]


def has_own_study(source: Source) -> bool:
    """Tell whether what comes from a source has UIDs of its own."""
    return source.kind is not SourceKind.PICTURES


def own_study_uid(source: Source, study: OldStudy) -> str:
    """Return the Study Instance UID that a study came with; empty where it came with none."""
    return study.study_instance_uid if has_own_study(source) else ""


def decided_uids(
    tx: Transaction,
    source: Source,
    study: OldStudy,
    patient: PatientRecord,
    exam: ExamRecord | None,
) -> tuple[str, str]:
    """Return the Study and Series Instance UID under which a study goes into the archive.

    Those of DICOM studies are their own; films of such an exam that are wrapped later join the
    study that is there. Pictures join the study of the exam, which films join too: the index's, or
    one that is minted once for patient and exam.
    """
    key = f"{patient.issuer}|{patient.patient_id}"
    if has_own_study(source):
        if exam is not None and not exam.study_instance_uid:
            tx.bind_uid(f"study:{key}|{exam.accession_number}", study.study_instance_uid)
        return study.study_instance_uid, ""
    number = exam.accession_number if exam else study.header.accession_number
    if exam is not None and exam.study_instance_uid:
        uid = exam.study_instance_uid
    elif number:
        uid = tx.uid(f"study:{key}|{number}")
    else:
        uid = tx.uid(f"study:{key}|date:{_day(study) or 'unknown:' + study.id}")
    return uid, tx.uid(f"series:{uid}:pictures:{source.id}")


def parted_from(
    tx: Transaction,
    source: Source,
    study: OldStudy,
    patient: PatientRecord | None,
    exam: ExamRecord | None,
) -> str:
    """Return the study of films or pictures that a DICOM study's exam has already; else empty.

    The exam would be in two studies. Several studies of one exam that the older archive itself had
    are its own affair.
    """
    if patient is None or exam is None or not has_own_study(source):
        return ""
    key = f"{patient.issuer}|{patient.patient_id}"
    uid = tx.known_uid(f"study:{key}|{exam.accession_number}")
    if uid is None or uid == study.study_instance_uid or tx.old_studies(uids=(uid,)):
        return ""
    return uid


def _day(study: OldStudy) -> str:
    digits = study.header.study_date
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        return ""
