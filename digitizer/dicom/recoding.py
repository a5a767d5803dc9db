"""An old instance under today's identity: header by rule, pixels as they are (PS3.3 C.12.1.1.9).

What is changed, by which rule, and what stood there before is kept in Original Attributes, an item
for each rule. Made again from the same original, decision and rules, it is the same to the byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from digitizer.dicom.header import declared_charsets, text_of, twin_of
from digitizer.dicom.modules import moment, person
from digitizer.dicom.old_file import OldFile, rewritten
from digitizer.dicom.rules import Change, Outcome, RuleTable, apply_rules, put
from digitizer.model.identity import ExamRecord, PatientRecord

__all__ = ["Adoption", "adopted", "identity_changes"]

_SOURCE_LENGTH = 64
_FULL_DATE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Under whose name an instance goes into the archive, and who said so.

    Attributes
    ----------
    patient : PatientRecord
    exam : ExamRecord or None
        None: the instance keeps its accession number.
    source : str
        Name of the older archive.
    at : datetime
        Of the decision; stands in Original Attributes, and makes repeats the same.
    sop_instance_uid : str
        A new UID after a collision; empty: its own.
    study_date : str
        The exam's day (DA) for what was no study of its own; empty: it keeps its own.
    """

    patient: PatientRecord
    exam: ExamRecord | None
    source: str
    at: datetime
    sop_instance_uid: str = ""
    study_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """The instance to send, and what was changed."""

    content: bytes
    changes: tuple[Change, ...]
    rejected: str = ""


def adopted(old: OldFile, adoption: Adoption, tables: Sequence[RuleTable]) -> Adopted:
    """Return an instance as it goes into the archive."""
    ruled = apply_rules(old.header, tables)
    changes = (*ruled.changes, *identity_changes(ruled.header, adoption))
    if ruled.rejected:
        return Adopted(content=b"", changes=ruled.changes, rejected=ruled.rejected)
    if not changes:
        return Adopted(content=rewritten(old), changes=())
    header = _changed(old.header, ruled, changes[len(ruled.changes) :])
    _keep_original(header, old.header, changes, adoption)
    return Adopted(content=rewritten(old, header), changes=changes)


def identity_changes(header: Dataset, adoption: Adoption) -> tuple[Change, ...]:
    """Return how patient, exam and UID of a header differ from what was decided."""
    who = adoption.patient
    wanted = [
        ("PatientID", who.patient_id),
        ("IssuerOfPatientID", who.issuer),
        ("PatientName", person(who.name)),
        ("PatientBirthDate", who.birth_date.replace("-", "")),
        ("PatientSex", who.sex),
    ]
    if len(who.birth_date) != _FULL_DATE:
        wanted.pop(3)
    changes = [
        Change("patient index", keyword, text_of(header, keyword), value)
        for keyword, value in wanted
        if value and not _same(keyword, text_of(header, keyword), value)
    ]
    number = adoption.exam.accession_number if adoption.exam else ""
    if number and text_of(header, "AccessionNumber") != number:
        before = text_of(header, "AccessionNumber")
        changes.append(Change("exam index", "AccessionNumber", before, number))
    if adoption.study_date and text_of(header, "StudyDate") != adoption.study_date:
        before = text_of(header, "StudyDate")
        changes.append(Change("exam index", "StudyDate", before, adoption.study_date))
    if adoption.sop_instance_uid:
        before = text_of(header, "SOPInstanceUID")
        changes.append(Change("UID collision", "SOPInstanceUID", before, adoption.sop_instance_uid))
    return tuple(changes)


def _same(keyword: str, before: str, after: str) -> bool:
    """Tell whether two values are one; a name in small letters is the same name."""
    if keyword == "PatientName":
        return before.split("=")[0].upper().rstrip("^ ") == after.upper()
    return before == after


def _changed(original: Dataset, ruled: Outcome, identity: Sequence[Change]) -> Dataset:
    header = twin_of(original) if ruled.header is original else ruled.header
    for change in identity:
        if not change.after.isascii():
            _speak(header, change.after)
        put(header, change.tag, change.after)
    return header


def _speak(header: Dataset, text: str) -> None:
    """Make a header able to hold a text: where its character set cannot, all text becomes UTF-8."""
    declared = declared_charsets(header)
    if "ISO_IR 192" in declared or (declared == ("ISO_IR 100",) and _is_latin(text)):
        return
    header.decode()
    tag = tag_for_keyword("SpecificCharacterSet")
    assert tag is not None
    header[tag] = DataElement(tag, "CS", "ISO_IR 192")


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _keep_original(
    header: Dataset, original: Dataset, changes: Sequence[Change], adoption: Adoption
) -> None:
    """Append to Original Attributes what stood there, an item for each rule."""
    items = []
    for rule in dict.fromkeys(change.rule for change in changes):
        before = Dataset()
        for change in changes:
            if change.rule == rule:
                tag = tag_for_keyword(change.tag)
                assert tag is not None
                before[tag] = DataElement(
                    tag, dictionary_VR(tag), change.before or None, validation_mode=0
                )
        item = Dataset()
        item.ModifiedAttributesSequence = [before]
        item.AttributeModificationDateTime = moment(adoption.at)
        item.ModifyingSystem = f"digitizer: {rule}"[:64]
        item.SourceOfPreviousValues = adoption.source[:_SOURCE_LENGTH]
        item.ReasonForTheAttributeModification = "COERCE"
        items.append(item)
    told = original.get("OriginalAttributesSequence") or []
    header.OriginalAttributesSequence = Items([*told, *items])
