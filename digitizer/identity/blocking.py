"""Blocking keys: a patient is found when any key of what was read is a key of the patient.

Numbers and family names are kept with every single character left out (deletion neighbourhood:
Mor and Fraenkel 1982), so that one wrong, missing or added character hides nobody.
"""

import re

from digitizer.identity.spelling import MENDED, plain
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.reading import FieldName, Testimony

__all__ = [
    "keys_of_exam",
    "keys_of_patient",
    "keys_of_study",
    "keys_of_testimony",
    "names_of",
    "numbers_said",
]

_NUMBER = re.compile(r"[A-Z]{0,3}-?[0-9OILSBZQDG][0-9OILSBZQDG\-]{3,13}")
_MOST_TOKENS = 32
_MOST_LINES = 100
_LONGEST_LINE = 200


def _deletions(prefix: str, word: str) -> set[str]:
    return {f"{prefix}{word}"} | {f"{prefix}{word[:at]}{word[at + 1 :]}" for at in range(len(word))}


def _name_keys(family: str, given: str) -> set[str]:
    """Return family and first given name together, one of them with a character left out."""
    word, first = plain(family)[:20], plain(given.split()[0] if given.split() else "")[:20]
    if len(word) < 2 or not first:
        return set()
    keys = {f"{key}:{first}" for key in _deletions("f", word)}
    return keys | {f"f{word}:{key}" for key in _deletions("", first)}


def _birth_keys(birth_date: str, family: str, given: str) -> set[str]:
    if len(birth_date) < 10:
        return set()
    return {
        f"b{birth_date}:{side}{plain(name)[:1]}" for side, name in (("f", family), ("g", given))
    }


def keys_of_patient(patient: PatientRecord) -> set[str]:
    """Return the keys under which a patient is kept."""
    keys: set[str] = set()
    for number in (patient.patient_id, *(number for _, number in patient.other_ids)):
        keys |= _deletions("n", plain(number)[:20])
    for name in (patient.name, *patient.former_names):
        keys |= _name_keys(name.family, name.given)
        keys |= _birth_keys(patient.birth_date, name.family, name.given)
    return keys


def keys_of_exam(exam: ExamRecord) -> set[str]:
    """Return the keys under which an exam is kept."""
    keys = _deletions("a", plain(exam.accession_number)[:20])
    return keys | keys_of_study(exam.study_instance_uid)


def keys_of_study(study_instance_uid: str) -> set[str]:
    """Return the key under which the exam of a study is kept, where its UID is known."""
    return {f"u{study_instance_uid}"} if study_instance_uid else set()


def keys_of_testimony(testimony: Testimony) -> set[str]:
    """Return the keys to look for: of the fields, and of all that looks like a number."""
    said = {name: field.value for name, field in testimony.fields.items()}
    keys: set[str] = set()
    for number in numbers_said(testimony):
        keys |= _deletions("n", number)
    family, given = said.get(FieldName.FAMILY_NAME, ""), said.get(FieldName.GIVEN_NAME, "")
    keys |= _name_keys(family, given)
    # Without comma or caret the order is a guess.
    keys |= _name_keys(given, family)
    keys |= _birth_keys(said.get(FieldName.BIRTH_DATE, ""), family, given)
    return keys


def numbers_said(testimony: Testimony) -> list[str]:
    """Return number-like words of fields, barcodes and lines, as read and mended, each once."""
    words = [plain(field.value) for field in testimony.fields.values()]
    for line in (*testimony.barcodes, *testimony.lines[:_MOST_LINES]):
        for word in _NUMBER.findall(line[:_LONGEST_LINE].upper()):
            words += [plain(word), plain(word).translate(MENDED)]
    likely = [word for word in words if 4 <= len(word) <= 14 and sum(map(str.isdigit, word)) >= 3]
    return list(dict.fromkeys(likely))[:_MOST_TOKENS]


def names_of(patient: PatientRecord) -> set[str]:
    """Return the names whose frequency is counted in the index."""
    names = (patient.name, *patient.former_names)
    return {plain(name.family) for name in names} | {plain(name.given) for name in names} - {""}
