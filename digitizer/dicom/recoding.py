"""An old instance under today's identity: header by rule, pixels as they are (PS3.3 C.12.1.1.9).

What is changed, by which rule, and what stood there before is kept in Original Attributes, an item
for each rule. Made again from the same original, decision and rules, it is the same to the byte.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from digitizer.dicom.header import TEXT_VRS, codecs_of, declared_charsets, text_of, twin_of
from digitizer.dicom.modules import moment, person
from digitizer.dicom.old_file import OldFile, check_changed, encoded, spliced, with_header
from digitizer.dicom.rules import Change, Outcome, RuleTable, apply_rules, put
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.older import Encoded

__all__ = ["Adoption", "adopted", "identity_changes"]

_SOURCE_LENGTH = 64
_FULL_DATE = 10
_FORMER = ("OtherPatientIDs", "OtherPatientNames", "OtherPatientIDsSequence")
"""What names the patient of the former number once more: an archive would find the study by it."""
_TOO_NARROW = "declared set too narrow"
"""Rule by which all text of a header is written in UTF-8: it must hold what its own set cannot."""


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
    """The instance to send, and what was changed.

    Attributes
    ----------
    instance : Encoded or None
        None: a rule rejects it, with the words of ``rejected``.
    data_sha256 : str
        Hash of its dataset, before it is deflated.
    """

    instance: Encoded | None
    data_sha256: str
    changes: tuple[Change, ...]
    rejected: str = ""


def adopted(old: OldFile, adoption: Adoption, tables: Sequence[RuleTable]) -> Adopted:
    """Return an instance as it goes into the archive.

    Raises
    ------
    BadScan
        ``corrupt_file``: with what is changed it could not be read through any more.
    """
    ruled = apply_rules(old.header, tables)
    changes = (*ruled.changes, *identity_changes(ruled.header, adoption))
    if ruled.rejected:
        return Adopted(
            instance=None, data_sha256="", changes=ruled.changes, rejected=ruled.rejected
        )
    data = old.data
    if changes:
        data = _changed(old, ruled, changes, adoption)
        check_changed(old, data)
    return Adopted(
        instance=encoded(old, data, adoption.sop_instance_uid),
        data_sha256=hashlib.sha256(data).hexdigest(),
        changes=changes,
    )


def _changed(old: OldFile, ruled: Outcome, changes: Sequence[Change], adoption: Adoption) -> bytes:
    """Return the dataset with what is changed."""
    items = _originals(old.header, changes, adoption)
    if any(change.rule == _TOO_NARROW for change in changes):
        return _all_anew(old, ruled, changes, items)
    patch, removed = Dataset(), set[int]()
    for change in changes:
        tag = tag_for_keyword(change.tag)
        assert tag is not None, "rules are validated"
        if change.tag in _FORMER:
            removed.add(int(tag))
        elif change.after or tag in ruled.header:
            put(patch, change.tag, change.after)
        else:
            removed.add(int(tag))
    patch.OriginalAttributesSequence = items
    return spliced(old, patch, frozenset(removed), codecs_of(ruled.header))


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
    if any(change.tag == "PatientID" and change.before for change in changes):
        changes += [
            Change("former patient", keyword, _all_of(header, keyword), "")
            for keyword in _FORMER
            if keyword in header
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
    return (*changes, *_widened(header, changes))


def _widened(header: Dataset, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the change of the character set, where the declared one cannot hold what is new.

    What rules have set before stands in the header as text; what came with it is raw.
    """
    raw = (header.get_item(tag) for tag in tuple(header.keys()))
    ruled = (str(one.value) for one in raw if isinstance(one, DataElement) and one.VR in TEXT_VRS)
    if all(_can_hold(header, text) for text in chain(ruled, (one.after for one in changes))):
        return ()
    declared = "\\".join(declared_charsets(header))
    return (Change(_TOO_NARROW, "SpecificCharacterSet", declared, "ISO_IR 192"),)


def _all_of(header: Dataset, keyword: str) -> str:
    """Return an element in words, for the plan."""
    if keyword == "OtherPatientIDsSequence":
        items = twin_of(header).OtherPatientIDsSequence or []
        return "; ".join(text_of(item, "PatientID") for item in items)
    return text_of(header, keyword)


def _same(keyword: str, before: str, after: str) -> bool:
    """Tell whether two values are one; a name in small letters is the same name."""
    if keyword == "PatientName":
        return before.split("=")[0].upper().rstrip("^ ") == after.upper()
    return before == after


def _can_hold(header: Dataset, text: str) -> bool:
    """Tell whether the declared character set of a header can hold a text."""
    declared = declared_charsets(header)
    return (
        text.isascii()
        or "ISO_IR 192" in declared
        or (declared == ("ISO_IR 100",) and _is_latin(text))
    )


def _all_anew(old: OldFile, ruled: Outcome, changes: Sequence[Change], items: Items) -> bytes:
    """Return the dataset with all text of its header in UTF-8: it must hold a name it cannot."""
    header = twin_of(ruled.header)
    header.decode()
    tag = tag_for_keyword("SpecificCharacterSet")
    assert tag is not None
    header[tag] = DataElement(tag, "CS", "ISO_IR 192")
    for change in changes:
        if change.tag in _FORMER:
            put(header, change.tag, None)
        elif change.tag != "SpecificCharacterSet":
            put(header, change.tag, change.after)
    header.OriginalAttributesSequence = items
    return with_header(old, header)


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _originals(original: Dataset, changes: Sequence[Change], adoption: Adoption) -> Items:
    """Return Original Attributes: what it held before, and what stood there, by rule."""
    items = []
    for rule in dict.fromkeys(change.rule for change in changes):
        before = Dataset()
        for change in changes:
            if change.rule == rule:
                tag = tag_for_keyword(change.tag)
                assert tag is not None
                if change.tag in _FORMER and tag in original:
                    before[tag] = twin_of(original)[tag]
                    continue
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
    if "OriginalAttributesSequence" in original:
        items = [*(twin_of(original).OriginalAttributesSequence or []), *items]
    return Items(items)
