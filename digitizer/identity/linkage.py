"""Weights and posteriors of candidates for one bearer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

from rapidfuzz.distance import OSA

from digitizer.identity.compare import (
    BIRTH_BITS,
    MISSING,
    NUMBER_BITS,
    OTHER_NUMBER,
    Compared,
    compare_birth,
    compare_number,
    compare_person,
    compare_sex,
    compare_suffix,
)
from digitizer.identity.evidence import Evidence
from digitizer.identity.heard import Heard
from digitizer.identity.spelling import plain
from digitizer.identity.weights import BUILT_IN, Shifts
from digitizer.model.identity import Agreement, PatientRecord, PersonName
from digitizer.model.reading import Field, FieldName, FieldSource

__all__ = [
    "GUESSED",
    "Agreements",
    "Linked",
    "compared",
    "compared_all",
    "contradicting",
    "link",
]

Agreements = Mapping[FieldName, Compared]
"""What one bearer says of one candidate, field by field; what says nothing is left out."""

_CONTRADICTING = (
    FieldName.PATIENT_ID,
    FieldName.FAMILY_NAME,
    FieldName.GIVEN_NAME,
    FieldName.BIRTH_DATE,
    FieldName.NAME_SUFFIX,
    FieldName.SEX,
    FieldName.ACCESSION_NUMBER,
)
GUESSED = 0.6
"""Confidence below which a value is the grammar's guess: it may support, and hardly contradict."""
_OTHER_SHEET = 0.8
"""The label is another sheet of paper: its word is believed somewhat less."""
_VERIFIED_BITS = 1.0
"""What a value loses that stands on the sheet, but was not what the grammar took."""
_NEAR_BITS = 9.0
"""What a birth date loses that stands on the sheet with a sign that made it another date."""
_MISREAD_DIGITS = 3
"""Of eight: a date that differs in more is another date on the same sheet."""
_SAME_TEXT = 0.5
"""Share of characters in common above which two spellings are one text read twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """One candidate for one film: what the film says, what its label says, the sum in bits."""

    patient: PatientRecord
    film: Agreements
    label: Agreements
    weight: float
    posterior: float = 0.0

    def agrees(self, name: FieldName, *, on_film: bool = False) -> bool:
        """Tell whether a field agrees exactly, on the film or (unless ``on_film``) its label."""
        sides = (self.film,) if on_film else (self.film, self.label)
        return any(name in side and side[name].agreement is Agreement.AGREES for side in sides)

    def contradictions(self, side: Agreements) -> list[FieldName]:
        """Return the identifiers of one bearer that speak against the candidate."""
        return contradicting(side)


def contradicting(side: Agreements) -> list[FieldName]:
    """Return the identifiers of one bearer that speak against a patient."""
    return [
        name
        for name in _CONTRADICTING
        if name in side and side[name].agreement is Agreement.DISAGREES
    ]


def compared_all(
    bearer: Heard, evidence: Evidence, shifts: Shifts = BUILT_IN.film
) -> list[Agreements]:
    """Compare what one bearer says with every candidate, in their order.

    ``shifts`` is what the site's weights add for such a bearer.
    """
    every = [compared(bearer, patient, evidence) for patient in evidence.patients]
    return [_shifted(one, shifts) for one in every] if shifts else every


def _shifted(said: Agreements, shifts: Shifts) -> Agreements:
    return {
        name: replace(how, bits=how.bits + shifts.get(name, {}).get(how.agreement, 0.0))
        for name, how in said.items()
    }


def compared(bearer: Heard, patient: PatientRecord, evidence: Evidence) -> Agreements:
    """Compare what one bearer says with one patient, field by field."""
    value, read = bearer.values, bearer.name_read
    family, given = _person(bearer, patient, evidence)
    suffix = compare_suffix(read.suffix, patient.name.suffix if read.family else "")
    result = {
        FieldName.PATIENT_ID: _record(bearer, patient),
        FieldName.FAMILY_NAME: family,
        FieldName.GIVEN_NAME: given,
        FieldName.BIRTH_DATE: _birth(bearer, patient.birth_date),
        FieldName.SEX: compare_sex(value.get(FieldName.SEX, ""), patient.sex),
        FieldName.NAME_SUFFIX: suffix,
        FieldName.ACCESSION_NUMBER: _accession(bearer, patient, evidence),
    }
    return {name: one for name, one in result.items() if one is not MISSING}


def _record(bearer: Heard, patient: PatientRecord) -> Compared:
    """Compare the record number; the issuer belongs to every number."""
    fields = bearer.said.fields
    issuer = fields[FieldName.ISSUER].value if FieldName.ISSUER in fields else ""
    pairs = [(patient.issuer, patient.patient_id), *patient.other_ids]
    ours = [number for whose, number in pairs if not issuer or not whose or whose == issuer]
    read = fields[FieldName.PATIENT_ID].value if FieldName.PATIENT_ID in fields else ""
    how = compare_number(read, ours)
    if how.agreement is Agreement.AGREES:
        return how
    if any(bearer.number(one) for one in ours):
        return Compared(Agreement.AGREES, NUMBER_BITS - _VERIFIED_BITS)
    if how.agreement is Agreement.SIMILAR:
        return _as_seen(how, fields[FieldName.PATIENT_ID], ours)
    return OTHER_NUMBER if read and not ours else how


def _as_seen(how: Compared, field: Field, known: Sequence[str]) -> Compared:
    """Weigh a number one sign off by the chance that the engines gave it; it stays one sign off.

    Where they did not think of that sign, it weighs what a misreading does.
    """
    chances = {plain(other): chance for other, chance in field.others}
    best = max((chances.get(plain(one), 0.0) for one in known), default=0.0)
    return replace(how, bits=max(how.bits, NUMBER_BITS + log2(best))) if best else how


def _person(bearer: Heard, patient: PatientRecord, evidence: Evidence) -> tuple[Compared, Compared]:
    """Compare the name; one that the grammar misread is looked for among the words."""
    read = bearer.name_read
    names = [patient.name, *patient.former_names]
    best = compare_person(read, names, evidence.share)
    for name in names:
        if all(one.agreement is Agreement.AGREES for one in best):
            break
        if _one_text(read, name) and bearer.name(name):
            bare = PersonName(family=name.family, given=name.given)
            family, given = compare_person(bare, [name], evidence.share)
            best = replace(family, bits=family.bits - _VERIFIED_BITS), given
    family, given = best
    return _unless_guessed(bearer, FieldName.FAMILY_NAME, family), _unless_guessed(
        bearer, FieldName.GIVEN_NAME, given
    )


def _unless_guessed(bearer: Heard, name: FieldName, how: Compared) -> Compared:
    """Return how a name compares; what the grammar guesses on a label contradicts nobody."""
    field = bearer.said.fields.get(name)
    if field is None or field.source is not FieldSource.LABEL or field.confidence >= GUESSED:
        return how
    return Compared(Agreement.MISSING, -2.0) if how.agreement is Agreement.DISAGREES else how


def _one_text(read: PersonName, known: PersonName) -> bool:
    """Tell whether the name read may be a misreading of the known one, or none was read."""
    mine, theirs = plain(read.family + read.given), plain(known.family + known.given)
    if not mine:
        return True
    return OSA.normalized_similarity(mine, theirs) >= _SAME_TEXT or sorted(mine) == sorted(theirs)


def _birth(bearer: Heard, known: str) -> Compared:
    """Compare the birth date; a guess, or one misread elsewhere right, contradicts nobody."""
    field = bearer.said.fields.get(FieldName.BIRTH_DATE)
    how = compare_birth(field.value if field else "", known)
    if how.agreement is Agreement.AGREES:
        return how
    if known and bearer.date(known):
        doubtful = field is None or field.confidence < GUESSED
        if doubtful or _differing(field.value if field else "", known) <= _MISREAD_DIGITS:
            return Compared(Agreement.AGREES, BIRTH_BITS - _VERIFIED_BITS)
    if field is None or how.agreement is not Agreement.DISAGREES:
        return how
    if bearer.near_date(known):
        return Compared(Agreement.SIMILAR, BIRTH_BITS - _NEAR_BITS)
    return Compared(Agreement.MISSING, -2.0) if field.confidence < GUESSED else how


def _differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=False))


def _accession(bearer: Heard, patient: PatientRecord, evidence: Evidence) -> Compared:
    """Compare an accession number; one that no patient of the index has says nothing."""
    field = bearer.said.fields.get(FieldName.ACCESSION_NUMBER)
    read = field.value if field else ""
    mine = evidence.accessions_of(patient)
    how = compare_number(read, mine)
    if how.agreement is Agreement.AGREES:
        return how
    if any(bearer.number(one) for one in mine):
        return Compared(Agreement.AGREES, NUMBER_BITS - _VERIFIED_BITS)
    if how.agreement is Agreement.SIMILAR and field is not None:
        return _as_seen(how, field, mine)
    if read and plain(read) in evidence.known_accessions:
        return Compared(Agreement.DISAGREES, -10.0)
    return MISSING


def link(
    own: Sequence[Agreements], theirs: Sequence[Agreements], evidence: Evidence, in_index: float
) -> list[Linked]:
    """Return the candidates, the best first; the posteriors leave room for "not in the index".

    A field that film and label both bear counts once, by what the film says.

    Parameters
    ----------
    own, theirs : sequence of mapping
        What film and label say of each candidate, from :func:`compared_all`; ``theirs`` is empty
        without a label.
    in_index : float
        Share of patients met on films who are in the index, before anything is read.
    """
    start = log2(in_index / max(evidence.patient_count, 1))
    weights: list[float] = []
    for number, film in enumerate(own):
        label = theirs[number] if theirs else {}
        weight = start + sum([one.bits for one in film.values()])
        weight += sum([_OTHER_SHEET * one.bits for name, one in label.items() if name not in film])
        weights.append(weight)
    patients = evidence.patients
    order = sorted(
        range(len(weights)),
        key=lambda one: (-weights[one], patients[one].issuer, patients[one].patient_id),
    )
    nobody = log2(1 - in_index)
    top = max([nobody, *weights])
    total = 2 ** (nobody - top) + sum(2 ** (weights[one] - top) for one in order)
    return [
        Linked(
            patient=patients[one],
            film=own[one],
            label=theirs[one] if theirs else {},
            weight=weights[one],
            posterior=2 ** (weights[one] - top) / total,
        )
        for one in order
    ]
