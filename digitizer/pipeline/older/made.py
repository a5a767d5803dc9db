"""An instance of an older archive as it goes into ours, made from the very bytes looked at."""

import hashlib

from digitizer import dicom
from digitizer.errors import BadScan
from digitizer.model.older import OldInstance, OldStudy, Source
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_exam import has_own_study
from digitizer.pipeline.services import Services

__all__ = ["adopt", "adoption_of", "as_placed", "study_uid"]


def study_uid(study: OldStudy) -> str:
    """Return the Study Instance UID under which a decided study is in the archive."""
    assert study.decision is not None, "only decided studies are sent"
    return study.decision.study_instance_uid


def as_placed(
    services: Services, study: OldStudy, source: Source, row: OldInstance
) -> dicom.OldFile:
    """Return the original of an instance, in the study that it goes to.

    Raises
    ------
    BadScan
        The original has changed since it was looked at, or cannot be read any more.
    """
    assert study.decision is not None, "only decided studies are sent"
    content = original(services, source, row)
    if has_own_study(source):
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise BadScan("corrupt_file", "The file has changed since it was looked at.")
        return dicom.examine(content)
    old = dicom.examine(content)
    if old.pixel_sha256 != row.pixel_sha256:
        raise BadScan("corrupt_file", "The vault's copy has changed since it was made.")
    decision = study.decision
    return dicom.placed(old, decision.study_instance_uid, decision.series_instance_uid)


def adoption_of(study: OldStudy, source: Source, row: OldInstance) -> dicom.Adoption:
    """Return under whose name an instance goes into the archive."""
    assert study.decision is not None, "only decided studies are sent"
    own = has_own_study(source)
    return dicom.Adoption(
        patient=study.decision.patient,
        exam=study.decision.exam,
        source=source.name,
        at=study.decision.decided_at,
        sop_instance_uid=row.sent_uid,
        study_date="" if own else study.decision.study_date.replace("-", ""),
    )


def adopt(
    services: Services, study: OldStudy, source: Source, row: OldInstance
) -> tuple[dicom.OldFile, dicom.Adopted]:
    """Make an instance as it goes into the archive, from the very bytes that were looked at.

    Raises
    ------
    BadScan
        The original has changed since it was looked at, or cannot be read any more.
    """
    old = as_placed(services, study, source, row)
    return old, dicom.adopted(old, adoption_of(study, source, row), services.coercions())
