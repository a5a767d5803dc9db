"""What is told only once all lines are heard: which date is whose birth, which number is what."""

from dataclasses import replace
from datetime import date

from digitizer.model.reading import FieldName, FieldSource
from digitizer.reading.dates import FoundDate
from digitizer.reading.hearing import SHAPED, Hearing

__all__ = ["settle_dates", "settle_exams", "settle_numbers"]

_ACCESSION = FieldName.ACCESSION_NUMBER
_LIKELY = 0.65
"""A number that fits both forms is a record number more often: every film has one."""


def settle_dates(hearing: Hearing, source: FieldSource) -> None:
    """Tell birth dates from dates of exams, by caption and then by plausibility."""
    loose = list(dict.fromkeys(hearing.dates))
    births, exams = list(hearing.births), list(hearing.exam_dates)
    # The year in an accession number (R78-01234) tells the exam's date.
    numbered = {
        claim.value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[:2]
        for claim in hearing.witness.claims.get(FieldName.ACCESSION_NUMBER, [])
        if "-" in claim.value
    }
    if not births and not hearing.birth_captioned:
        bare = sorted(
            (one for one in loose if not one.with_exam and one.found.value[2:4] not in numbered),
            key=lambda one: one.found.value,
        )
        others = {one.found.value for one in (*loose, *exams)}
        others -= {one.found.value for one in bare[:1]}
        enough = source is FieldSource.LABEL or bool(others)
        if bare and enough and all(bare[0].found.value[:4] < other[:4] for other in others):
            births = [replace(bare[0], confidence=bare[0].confidence * 0.75)]
    perhaps = {one.found.value for one in loose if one.perhaps_birth}
    hearing.witness.perhaps_births |= perhaps
    born = {one.found.value for one in births} | perhaps
    exams = exams or [one for one in loose if one.found.value not in born]
    days = {one.found.value for one in exams}
    earliest = min(days, default="")
    for one in births:
        value = _century_back(one.found, earliest)
        hearing.witness.add_date(FieldName.BIRTH_DATE, value, one)
    if len(days) == 1:
        for one in exams:
            hearing.witness.add_date(FieldName.STUDY_DATE, one.found.value, one)


def _century_back(found: FoundDate, exam: str) -> str:
    """Put a two-digit birth year a century back where the exam would lie before the birth."""
    if found.full_year or not exam or found.value <= exam:
        return found.value
    day = date.fromisoformat(found.value)
    try:
        return day.replace(year=day.year - 100).isoformat()
    except ValueError:
        return found.value


def settle_numbers(hearing: Hearing, source: FieldSource) -> None:
    """Tell what a number is that fits both forms: by its neighbours, its year, what is missing.

    A label always bears its patient's number, and the date beside it is the birth date.
    """
    witness = hearing.witness
    years = {one.value[2:4] for one in witness.claims.get(FieldName.STUDY_DATE, [])}
    for value, beside_date, score in hearing.unclear:
        records = {one.value for one in witness.claims.get(FieldName.PATIENT_ID, [])}
        dated = source is FieldSource.FILM and (beside_date or value[:2] in years)
        told = bool(records) and value not in records
        # With the accession number known, what is left is the patient's.
        known = any(one.value != value for one in witness.claims.get(_ACCESSION, []))
        if dated or told:
            witness.add(_ACCESSION, value, (SHAPED - 0.1) * (0.4 + 0.6 * score))
        else:
            sure = SHAPED if known else _LIKELY
            witness.add(FieldName.PATIENT_ID, value, sure * (0.4 + 0.6 * score))


def settle_exams(hearing: Hearing, source: FieldSource) -> None:
    """Note the exam; a jacket that lists several bears none of them as its own."""
    days = {one.found.value for one in hearing.dates if one.with_exam}
    if max(len(hearing.exams), len(days)) > 1 and source is FieldSource.LABEL:
        return
    for told in list(hearing.exams.values())[:1]:
        for name, value in told.items():
            hearing.witness.add(name, value, SHAPED)
