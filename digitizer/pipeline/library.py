"""Looking people up in the index by what somebody types."""

import re
from dataclasses import dataclass

from digitizer.identity.spelling import plain
from digitizer.model.identity import PatientRecord
from digitizer.model.reading import Field, FieldName, FieldSource, Testimony
from digitizer.pipeline.services import Services

__all__ = ["find_patients"]

_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_LEAST = 2
_MOST_NAMESAKES = 500


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a query says: words of a name, numbers, a date of birth."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]
    birth_date: str


def find_patients(
    services: Services, query: str, *, limit: int = 20, after: tuple[str, str] | None = None
) -> tuple[PatientRecord, ...]:
    """Find patients by number (exact or nearly), accession number, or name; a date of birth ranks.

    Parameters
    ----------
    query : str
        Any of them in any order: ``SMITH JOHN``, ``SMITH, JOHN 1931-04-02``, ``H0040961``.
    limit : int
    after : (str, str), optional
        Issuer and number of the last one seen; those behind are returned. One who is not found any
        more begins anew.

    Returns
    -------
    tuple of PatientRecord
        Those first in whom the most of what was typed is found.
    """
    asked = _asked(query)
    if not asked.words and not asked.numbers:
        return ()
    exact = [one for number in asked.numbers if (one := services.index.patient(number))]
    for number in asked.numbers:
        exam = services.index.exam(number)
        of_exam = services.index.patient(exam.patient_id, exam.issuer) if exam else None
        if of_exam is not None:
            exact.append(of_exam)
    found = [
        *services.index.candidates(_testimonies(asked)),
        *services.index.named([plain(word) for word in asked.words], _MOST_NAMESAKES),
    ]
    ranked = sorted(found, key=lambda one: (-_found_in(one, asked), *_order(one)))
    fit = [one for one in ranked if _found_in(one, asked) >= _enough(asked)]
    whole = list(dict.fromkeys([*exact, *fit]))
    keys = [(one.issuer, one.patient_id) for one in whole]
    start = keys.index(after) + 1 if after in keys else 0
    return tuple(whole[start : start + limit])


def _order(one: PatientRecord) -> tuple[str, ...]:
    """Return what patients who fit alike are put in order by: the same each time."""
    return one.name.family, one.name.given, one.birth_date, one.issuer, one.patient_id


def _enough(asked: _Asked) -> float:
    """Return what must be found of a query: half a name for each word, or one number."""
    return max(0.5 * len(asked.words), 0.5)


def _asked(query: str) -> _Asked:
    date = _DATE.search(query)
    rest = _DATE.sub(" ", query)
    parts = [part for part in re.split(r"[\s,;^]+", rest.upper()) if len(part) >= _LEAST]
    numbers = tuple(part for part in parts if any(sign.isdigit() for sign in part))
    words = tuple(part for part in parts if part not in numbers)
    return _Asked(words, numbers, date[0] if date else "")


def _testimonies(asked: _Asked) -> tuple[Testimony, ...]:
    """Say the numbers as labels would."""
    return tuple(
        Testimony(
            fields={
                FieldName.PATIENT_ID: Field(value=number, confidence=1.0, source=FieldSource.LABEL)
            }
        )
        for number in asked.numbers
    )


def _found_in(patient: PatientRecord, asked: _Asked) -> float:
    """Count what of the query a patient bears; a beginning of a name counts half."""
    names = [patient.name, *patient.former_names]
    known = {
        part.upper()
        for one in names
        for text in (one.family, one.given, one.middle)
        for part in text.split()
    }
    numbers = {patient.patient_id.upper(), *(number.upper() for _, number in patient.other_ids)}
    score = 0.0
    for word in asked.words:
        whole = word in known
        score += 1.0 if whole else 0.5 * any(one.startswith(word) for one in known)
    score += sum(2.0 for number in asked.numbers if number in numbers)
    score += sum(
        1.0
        for number in asked.numbers
        if number not in numbers and any(_near(number, one) for one in numbers)
    )
    return score + (1.0 if asked.birth_date and asked.birth_date == patient.birth_date else 0.0)


def _near(one: str, other: str) -> bool:
    """Tell whether two numbers differ in one character at most."""
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= 1
