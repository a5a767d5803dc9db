"""What the archive gives back of an instance, compared with the ledger and the original.

Byte for byte where it came as it was sent. Else it is made again and compared by value, as long as
today's rules make what was sent; else with the original, but for what a rule is noted to have
changed. Where the original is gone, the ledger knows the patient, the UIDs and the picture's hash;
what nothing is known of is said to be not compared.
"""

import hashlib
from dataclasses import dataclass, replace

from digitizer import dicom
from digitizer.errors import BadScan, SourceUnreachable
from digitizer.model.older import Encoded, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.pipeline.older.made import adoption_of, as_placed, study_uid
from digitizer.pipeline.older.picture_exam import has_own_study
from digitizer.pipeline.services import Services

__all__ = ["Proof", "prove", "prove_by_ledger"]

_REST = "the header beyond patient, exam and UIDs: its original is not there any more"
_PICTURE = "the picture: it comes in another encoding, and its original is not there any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One instance of the archive beside what is known of it.

    Attributes
    ----------
    differences : tuple of str
        Attributes that differ, or what else is wrong.
    unseen : tuple of str
        What could not be compared, and why.
    meant_sha256 : str
        Hash of the dataset that was sent, or would be.
    """

    differences: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    meant_sha256: str = ""


def prove(
    services: Services, study: OldStudy, source: Source, row: OldInstance, came: Encoded
) -> Proof:
    """Compare an instance with what was sent, or with its original where rules have changed since.

    Raises
    ------
    BadScan, SourceUnreachable, OSError
        It is not as it was sent to the byte, and the original is not there to compare with.
    """
    if row.sent_sha256 and hashlib.sha256(came.data).hexdigest() == row.sent_sha256:
        return Proof(meant_sha256=row.sent_sha256)
    old = as_placed(services, study, source, row)
    adopted = dicom.adopted(old, adoption_of(study, source, row), services.coercions())
    content = dicom.part10(came)
    try:
        if row.sent_sha256 and adopted.data_sha256 != row.sent_sha256:
            return _beside_original(study, source, row, old, adopted, content)
        if adopted.instance is None:
            return Proof(differences=(adopted.rejected,))
        meant = dicom.examine(dicom.part10(adopted.instance))
        # What was there already was changed by others, or not at all.
        is_ours = bool(row.sent_sha256) and row.code is not Code.ALREADY_THERE
        differences = dicom.compare_old(meant, content, with_originals=is_ours)
    except BadScan as error:
        differences = (f"it cannot be read: {error}",)
    return Proof(differences=differences, meant_sha256=adopted.data_sha256)


def _beside_original(
    study: OldStudy,
    source: Source,
    row: OldInstance,
    old: dicom.OldFile,
    adopted: dicom.Adopted,
    content: bytes,
) -> Proof:
    """Compare with the original: the rules that made what was sent are not in force any more."""
    came = dicom.examine(content)
    ruled = dicom.changed_by_rule(came) | {change.tag for change in adopted.changes}
    differing = dicom.compare_original(old, content)
    wrong = [name for name in differing if name not in ruled]
    decided = {change.tag for change in _undecided(study, source, row, came)}
    known = {*_IDENTITY, *decided}
    unseen = [f"{name}: its rule has changed since" for name in differing
              if name in ruled and name not in known]  # fmt: skip
    return Proof(
        differences=tuple(dict.fromkeys((*wrong, *sorted(decided)))),
        unseen=tuple(unseen),
        meant_sha256=row.sent_sha256,
    )


_IDENTITY = frozenset(
    ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex",
     "AccessionNumber", "StudyDate", "SOPInstanceUID", "SpecificCharacterSet")
)  # fmt: skip


def _undecided(
    study: OldStudy, source: Source, row: OldInstance, came: dicom.OldFile
) -> tuple[dicom.Change, ...]:
    """Return where the copy is not of the patient and exam that were decided."""
    adoption = replace(adoption_of(study, source, row), sop_instance_uid="")
    return dicom.identity_changes(came.header, adoption)


def prove_by_ledger(
    services: Services, study: OldStudy, source: Source, row: OldInstance, came: Encoded
) -> Proof:
    """Compare an instance with all that is known of it, whether its original is there or not."""
    try:
        return prove(services, study, source, row, came)
    except (BadScan, SourceUnreachable, OSError):
        return _without_original(study, source, row, came)


def _without_original(study: OldStudy, source: Source, row: OldInstance, came: Encoded) -> Proof:
    try:
        copy = dicom.examine(dicom.part10(came))
    except BadScan as error:
        return Proof(differences=(f"it cannot be read: {error}",), meant_sha256=row.sent_sha256)
    assert study.decision is not None, "only decided studies are sent"
    series = row.series_instance_uid
    if not has_own_study(source):
        series = study.decision.series_instance_uid
    wanted = {
        "SOPClassUID": row.sop_class_uid,
        "SOPInstanceUID": row.outgoing_uid,
        "StudyInstanceUID": study_uid(study),
        "SeriesInstanceUID": series,
    }
    wrong = [name for name, uid in wanted.items() if dicom.text_of(copy.header, name) != uid]
    wrong += [change.tag for change in _undecided(study, source, row, copy)]
    unseen = [_REST]
    match dicom.same_bulk(copy, row.pixel_sha256, row.transfer_syntax_uid):
        case False:
            wrong.append("PixelData")
        case None:
            unseen.append(_PICTURE)
    return Proof(differences=tuple(wrong), unseen=tuple(unseen), meant_sha256=row.sent_sha256)
