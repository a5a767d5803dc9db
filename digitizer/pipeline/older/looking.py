"""One file or instance of an older archive looked at: what it is, and whether it is whole."""

import hashlib
from dataclasses import dataclass

from digitizer import dicom
from digitizer.errors import BadScan
from digitizer.model.older import OldHeader, OldInstance, Source
from digitizer.model.reasons import CODES, Code, Hold
from digitizer.model.states import State

__all__ = ["DAMAGED_LIST", "DISC_LIST", "Looked", "look", "unusable"]

DISC_LIST = "The disc's own list."
"""Note at the row of a DICOMDIR."""
DAMAGED_LIST = "The disc's own list is damaged: it names a part of the files alone."
"""Note at the row of a DICOMDIR that ends too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A row for the ledger, and what the header says; ``listed`` is what a disc's list names."""

    instance: OldInstance
    study_instance_uid: str = ""
    header: OldHeader | None = None
    listed: tuple[dicom.Listed, ...] = ()


def look(source: Source, place: str, content: bytes) -> Looked:
    """Look at one file.

    What is no instance is ``rejected`` with ``no_instance``; what is damaged is ``quarantined``.
    """
    row = OldInstance(
        source_id=source.id,
        place=place,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    try:
        if dicom.is_directory(content):
            return _of_list(row, content, dicom.listed_files(content, place))
        old = dicom.examine(content)
    except BadScan as error:
        return Looked(instance=unusable(row, error))
    header = old.header
    return Looked(
        instance=OldInstance(
            source_id=row.source_id,
            place=row.place,
            size=row.size,
            sha256=row.sha256,
            sop_instance_uid=dicom.text_of(header, "SOPInstanceUID"),
            sop_class_uid=dicom.text_of(header, "SOPClassUID"),
            series_instance_uid=dicom.text_of(header, "SeriesInstanceUID"),
            transfer_syntax_uid=str(old.syntax),
            state=State.READ,
            data_sha256=old.data_sha256,
            pixel_sha256=old.pixel_sha256,
        ),
        study_instance_uid=dicom.text_of(header, "StudyInstanceUID"),
        header=dicom.header_of(header),
    )


def _of_list(row: OldInstance, content: bytes, listed: tuple[dicom.Listed, ...]) -> Looked:
    """Return a disc's own list; of a damaged one, what it still names counts."""
    if dicom.is_whole_directory(content):
        return Looked(instance=_aside(row, Code.NO_INSTANCE, DISC_LIST), listed=listed)
    return Looked(instance=unusable(row, BadScan("truncated_file", DAMAGED_LIST)), listed=listed)


def unusable(row: OldInstance, error: BadScan) -> OldInstance:
    """Return the row of what cannot be taken: no instance at all, a link, or a damaged file."""
    code = Code(error.code)
    if code is Code.UNSUPPORTED_FORMAT:
        return _aside(row, Code.NO_INSTANCE, error.message)
    if CODES[code].hold is Hold.NOTE:
        return _aside(row, code, error.message)
    assert CODES[code].hold is Hold.QUARANTINED
    return OldInstance(
        source_id=row.source_id,
        place=row.place,
        size=row.size,
        sha256=row.sha256,
        state=State.QUARANTINED,
        code=code,
        note=error.message,
    )


def _aside(row: OldInstance, code: Code, note: str) -> OldInstance:
    return OldInstance(
        source_id=row.source_id,
        place=row.place,
        size=row.size,
        sha256=row.sha256,
        state=State.REJECTED,
        code=code,
        note=note,
    )
