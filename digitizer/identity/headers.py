"""Whose an older study is: its header is a reading like any other, and easier to hold to account.

A header was typed or came over an interface, so nothing of it is excused as misread: it files by
itself when the exact number, of the right issuer, the name and the birth date are one patient's of
the index and nothing speaks against it. All else is a person's to decide, with the header's words
beside the index's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from digitizer.identity.classes import Caps, EvidenceClass
from digitizer.identity.compare import compare_suffix
from digitizer.identity.evidence import Evidence, gather_for
from digitizer.identity.heard import Heard
from digitizer.identity.linkage import Linked, compared_all, link
from digitizer.identity.objections import is_same, lead
from digitizer.identity.settings import PolicySettings
from digitizer.identity.spelling import plain
from digitizer.model.identity import (
    Agreement,
    Candidate,
    ExamRecord,
    Outcome,
    PatientRecord,
    PersonName,
    Verdict,
)
from digitizer.model.older import OldHeader
from digitizer.model.reading import Field, FieldName, FieldSource, Testimony
from digitizer.model.reasons import Code, Reason, reason
from digitizer.ports import PatientIndex

__all__ = ["decide_header", "exam_of_header", "names", "person_of", "testimony_of_header"]

_BETWEEN = re.compile(r"[\s.-]+")
_MOST_CANDIDATES = 5
_LONGEST = 64
_NEUTRAL = frozenset(("OT", "SC", "DOC", "PR", "KO", "SR"))
"""Modalities that say nothing of how the exam was made."""
_PLAIN_FILM = frozenset(("CR", "DX", "RG", "DR", "XR"))
"""Radiographs, by whichever name."""


def decide_header(
    header: OldHeader, study_uid: str, issuer: str, index: PatientIndex, policy: PolicySettings
) -> Verdict:
    """Decide whose a study is by its header alone.

    Parameters
    ----------
    header : OldHeader
        After the rules.
    study_uid : str
        Study Instance UID; empty: it has none of its own, and goes to the study of its exam.
    issuer : str
        Who issued numbers that come without an issuer; empty: unknown.
    index : PatientIndex
    policy : PolicySettings
    """
    said = testimony_of_header(header)
    if FieldName.PATIENT_ID not in said.fields and FieldName.FAMILY_NAME not in said.fields:
        return _asked((reason(Code.NO_IDENTIFIER, "The header names no patient."),))
    evidence = gather_for([said], "", index)
    linked = link(compared_all(Heard(said), evidence), [], evidence, policy.in_index)
    holders = _holders(header, issuer, evidence.patients)
    if len(holders) != 1:
        return _asked(_no_holder(header, issuer, holders, evidence), _candidates(linked))
    patient = holders[0]
    found = exam_of_header(header, study_uid, patient, index)
    reasons = (*_against(header, patient, linked, policy), *found.reasons)
    own = next((one for one in linked if is_same(one.patient, patient)), None)
    posterior = min(own.posterior if own else 0.0, Caps.measured().patient[EvidenceClass.NUMBER])
    if not reasons and posterior < policy.least_posterior:
        reasons = (reason(Code.BELOW_THRESHOLD),)
    if policy.shadow:
        reasons += (reason(Code.SHADOW_MODE),)
    first = sorted(linked, key=lambda one: not is_same(one.patient, patient))
    verdict = _asked(reasons, _candidates(first, found.exam))
    if reasons:
        return replace(verdict, posterior=posterior)
    return replace(
        verdict,
        outcome=Outcome.AUTO,
        patient=patient,
        exam=found.exam,
        posterior=posterior,
        evidence_class=EvidenceClass.NUMBER.value,
    )


def names(header: OldHeader, issuer: str, patient: PatientRecord) -> bool:
    """Tell whether a header names a patient, and nothing in it names another.

    Number and issuer, name and birth date, as far as it has them; number or name it must have. Of a
    birth date the index may know the year alone.
    """
    if not header.patient_id and not header.name:
        return False
    if header.patient_id and not _holders(header, issuer, (patient,)):
        return False
    said, born = person_of(header.name), _iso(header.birth_date)
    known = any(_is_name(said, one) for one in (patient.name, *patient.former_names))
    suffix = compare_suffix(said.suffix, patient.name.suffix)
    known &= suffix.agreement is not Agreement.DISAGREES
    return (known or not header.name) and (not born or born.startswith(patient.birth_date))


def testimony_of_header(header: OldHeader) -> Testimony:
    """Return what a header says as a testimony."""
    name = person_of(header.name)
    values = {
        FieldName.PATIENT_ID: header.patient_id,
        FieldName.ISSUER: header.issuer,
        FieldName.FAMILY_NAME: name.family,
        FieldName.GIVEN_NAME: name.given,
        FieldName.MIDDLE_NAME: name.middle,
        FieldName.NAME_SUFFIX: name.suffix,
        FieldName.BIRTH_DATE: _iso(header.birth_date),
        FieldName.SEX: header.sex if header.sex in ("M", "F", "O") else "",
        FieldName.STUDY_DATE: _iso(header.study_date),
        FieldName.ACCESSION_NUMBER: header.accession_number,
        FieldName.DESCRIPTION: header.description,
        FieldName.MODALITY: header.modality,
    }
    fields = {
        key: Field(value=value[:_LONGEST], confidence=1.0, source=FieldSource.HEADER)
        for key, value in values.items()
        if value
    }
    words = f"{name.family} {name.given} {name.middle} {name.suffix}".strip()
    lines = (words, header.patient_id, _iso(header.birth_date), header.accession_number)
    return Testimony(lines=tuple(line for line in lines if line), fields=fields)


def person_of(name: str) -> PersonName:
    """Return the parts of a person's name as DICOM writes it (PS3.5 6.2, PN), upper case.

    Only the alphabetic group counts. A name without carets is taken as ``LAST, FIRST`` where it
    has a comma, else as a family name alone: which word is which would be a guess.
    """
    first = name.split("=")[0].upper()
    if "^" not in first and "," in first:
        first = "^".join(part.strip() for part in first.split(",", 1))
    parts = [part.strip() for part in first.split("^")] + [""] * 5
    return PersonName(family=parts[0], given=parts[1], middle=parts[2], suffix=parts[4])


def _iso(value: str) -> str:
    """Return a DICOM date as ISO text; empty where it is none."""
    digits = value.replace("-", "").replace(".", "")
    if len(digits) != 8 or not digits.isdecimal():
        return ""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        return ""


def _holders(
    header: OldHeader, issuer: str, patients: Sequence[PatientRecord]
) -> list[PatientRecord]:
    """Return who bears the header's number, of its issuer, now or before a merge."""
    number, whose = plain(header.patient_id), plain(header.issuer or issuer)
    found = []
    for patient in patients:
        pairs = ((patient.issuer, patient.patient_id), *patient.other_ids)
        if number and any(
            plain(theirs) == number and (not whose or plain(by or patient.issuer) == whose)
            for by, theirs in pairs
        ):
            found.append(patient)
    return found


def _no_holder(
    header: OldHeader, issuer: str, holders: Sequence[PatientRecord], evidence: Evidence
) -> tuple[Reason, ...]:
    """Say why no patient, or more than one, bears the number."""
    if len(holders) > 1:
        return (reason(Code.AMBIGUOUS, "Several patients of the index bear the header's number."),)
    if not header.patient_id:
        return (reason(Code.BELOW_THRESHOLD, "The header bears no record number."),)
    others = _holders(replace(header, issuer=""), "", evidence.patients)
    if others:
        mine, theirs = header.issuer or issuer, others[0].issuer
        text = f"The number was issued by {mine}; the index knows it as one of {theirs}."
        return (reason(Code.FOREIGN_ISSUER, text),)
    known = {issuer, *(one.issuer for one in evidence.patients)}
    if header.issuer and header.issuer not in known:
        text = f"The index does not have this number of {header.issuer}."
        return (reason(Code.FOREIGN_ISSUER, text),)
    code = Code.NOT_IN_INDEX if evidence.patients else Code.NO_CANDIDATE
    return (reason(code, "The index does not have the header's record number."),)


def _against(
    header: OldHeader, patient: PatientRecord, linked: Sequence[Linked], policy: PolicySettings
) -> tuple[Reason, ...]:
    """Return all that speaks against the bearer of the number."""
    found: list[Reason] = []
    name = person_of(header.name)
    suffix = compare_suffix(name.suffix, patient.name.suffix)
    known = any(_is_name(name, one) for one in (patient.name, *patient.former_names))
    if not known or suffix.agreement is Agreement.DISAGREES:
        words = name.text or "no name"
        text = f"The header says {words}; the index says {patient.name.text} for this number."
        found.append(reason(Code.HEADER_DIFFERS, text))
    born = _iso(header.birth_date)
    if born != patient.birth_date or len(patient.birth_date) < len("YYYY-MM-DD"):
        mine, theirs = born or "no birth date", patient.birth_date or "none"
        text = f"The header says {mine}; the index says {theirs} for the birth date."
        found.append(reason(Code.HEADER_DIFFERS, text))
    sexes = {header.sex, patient.sex}
    if sexes == {"M", "F"}:
        found.append(reason(Code.HEADER_DIFFERS, "Header and index differ in the sex."))
    day = _iso(header.study_date)
    if day and (day < patient.birth_date or (patient.death_date and day > str(patient.death_date))):
        found.append(
            reason(Code.IMPLAUSIBLE_DATE, "The study is of a day outside the patient's life.")
        )
    first = linked[0].patient if linked else patient
    if not found and not (is_same(first, patient) and lead(linked) >= policy.gap_bits):
        found.append(reason(Code.AMBIGUOUS))
    return tuple(found)


def _is_name(said: PersonName, known: PersonName) -> bool:
    """Tell whether a name that was typed is a name of the index, part by part.

    Signs, accents and capitals do not count. Further given names may be missing on one side, or be
    initials; where both have them they are the same.
    """
    mine, theirs = _given_names(said), _given_names(known)
    return (
        plain(said.family) == plain(known.family) != ""
        and mine[:1] == theirs[:1] != []
        and all(
            one == other or _is_initial(one, other)
            for one, other in zip(mine, theirs, strict=False)
        )
    )


def _given_names(name: PersonName) -> list[str]:
    words = (plain(word) for word in _BETWEEN.split(f"{name.given} {name.middle}"))
    return [word for word in words if word]


def _is_initial(one: str, other: str) -> bool:
    return one[0] == other[0] and 1 in (len(one), len(other))


@dataclass(frozen=True, slots=True, kw_only=True)
class _FoundExam:
    exam: ExamRecord | None = None
    reasons: tuple[Reason, ...] = ()


def exam_of_header(
    header: OldHeader, study_uid: str, patient: PatientRecord, index: PatientIndex
) -> _FoundExam:
    """Find the exam of the index that a study is: by UID, accession number, or day and modality.

    A study whose accession number or UID is another patient's is nobody's until a person has
    looked. One that the index knows under another UID would part what was made in one exam, and is
    asked about. One that the index does not have keeps the number it has.
    """
    exams = index.exams(patient)
    for exam in exams:
        if exam.study_instance_uid and exam.study_instance_uid == study_uid:
            return _FoundExam(exam=exam)
    if study_uid and any(not _is_of(one, patient) for one in index.exams_of_study(study_uid)):
        text = "The exam index knows this study as another patient's."
        return _FoundExam(reasons=(reason(Code.SEVERAL_IDENTITIES, text),))
    found = _by_number_or_day(header, study_uid, patient, index, exams)
    named = found.exam.study_instance_uid if found.exam else ""
    if study_uid and named:
        text = "The exam index names another Study Instance UID for the exam that this study is of."
        return replace(found, reasons=(*found.reasons, reason(Code.EXAM_AMBIGUOUS, text)))
    return found


def _by_number_or_day(
    header: OldHeader,
    study_uid: str,
    patient: PatientRecord,
    index: PatientIndex,
    exams: Sequence[ExamRecord],
) -> _FoundExam:
    day = _iso(header.study_date)
    number = plain(header.accession_number)
    if number:
        same = [exam for exam in exams if plain(exam.accession_number) == number]
        if len(same) == 1:
            off = day and same[0].study_date and str(same[0].study_date) != day
            text = (
                f"The header says {day}; the exam index says {same[0].study_date} for its number."
            )
            return _FoundExam(
                exam=same[0], reasons=(reason(Code.EXAM_AMBIGUOUS, text),) if off else ()
            )
        bearers = [
            exam
            for exam in index.exams_matching([number])
            if plain(exam.accession_number) == number
        ]
        if any(not _is_of(exam, patient) for exam in bearers):
            text = "The header's accession number is another patient's."
            return _FoundExam(reasons=(reason(Code.SEVERAL_IDENTITIES, text),))
        return _FoundExam()
    same_day = [exam for exam in exams if day and str(exam.study_date) == day]
    if not study_uid:
        return _exam_of_day(header, day, same_day)
    fitting = [exam for exam in same_day if _same_kind(header.modality, exam.modality)]
    return _FoundExam(exam=fitting[0] if len(fitting) == 1 else None)


def _exam_of_day(header: OldHeader, day: str, exams: Sequence[ExamRecord]) -> _FoundExam:
    """Find the exam that pictures without a study of their own were made in, by their day.

    One that the index does not have is an exam all the same, of that patient and day.
    """
    if not day:
        return _FoundExam(reasons=(reason(Code.EXAM_UNKNOWN),))
    fitting = [exam for exam in exams if _may_be_of(header, exam)]
    if len(fitting) == 1:
        return _FoundExam(exam=fitting[0])
    if exams:
        text = f"The exam index has {len(exams)} of this day; which one it is the row does not say."
        return _FoundExam(reasons=(reason(Code.EXAM_AMBIGUOUS, text),))
    return _FoundExam()


def _may_be_of(header: OldHeader, exam: ExamRecord) -> bool:
    kinds = header.modality in ("", *_NEUTRAL) or not exam.modality
    parts = {header.body_part.upper(), exam.body_part.upper()} - {""}
    return (kinds or _same_kind(header.modality, exam.modality)) and len(parts) < 2


def _is_of(exam: ExamRecord, patient: PatientRecord) -> bool:
    """Tell whether an exam is a patient's, by number and issuer, now or before a merge."""
    pairs = ((patient.issuer, patient.patient_id), *patient.other_ids)
    return any(
        exam.patient_id == number and (not exam.issuer or not by or exam.issuer == by)
        for by, number in pairs
    )


def _same_kind(one: str, other: str) -> bool:
    """Tell whether two modalities may be of one exam; what says nothing fits nothing."""
    if not one or not other or one in _NEUTRAL:
        return False
    return one == other or {one, other} <= _PLAIN_FILM


def _candidates(linked: Sequence[Linked], exam: ExamRecord | None = None) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            patient=one.patient,
            exam=exam if rank == 0 else None,
            weight=one.weight,
            posterior=one.posterior,
            film_agreement={name: how.agreement for name, how in one.film.items()},
            label_agreement={},
        )
        for rank, one in enumerate(linked[:_MOST_CANDIDATES])
    )


def _asked(reasons: tuple[Reason, ...], candidates: tuple[Candidate, ...] = ()) -> Verdict:
    return Verdict(film_id="", outcome=Outcome.REVIEW, reasons=reasons, candidates=candidates)
