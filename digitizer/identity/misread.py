"""Names that differ from a candidate's: misread ones, and those that are somebody else's."""

from rapidfuzz.distance import OSA

from digitizer.identity.compare import compare_person
from digitizer.identity.heard import Heard, name_said
from digitizer.identity.linkage import GUESSED, Linked
from digitizer.identity.proof import NUMBERS
from digitizer.identity.spelling import plain
from digitizer.model.identity import Agreement, PatientRecord, PersonName
from digitizer.model.reading import FieldName

__all__ = ["letters_off", "plainly_another", "speaking_against"]

_MISREAD_NAME = 0.5
"""Part of a name's characters in common from which it is the name misread, not another."""
_SHAPES = str.maketrans("QDCGU0LTJ1ZHNRPVYXF8526", "OOOOOOIIIISMMBBWWKEBSSO")
"""Signs that engines read for one another, each as one of its kind: O Q D C G, M N H, V W Y."""
_LEAST_MISREAD = 4
"""Shorter names are too often one another in all but a sign or two."""


def speaking_against(best: Linked, film: Heard) -> list[FieldName]:
    """Return what on a film speaks against a candidate, but for one misreading of a sure one.

    Sure is who bears both numbers on the film, record and accession. A misreading is of signs that
    look alike; another name is not.
    """
    against = best.contradictions(best.film)
    numbers = all(best.agrees(name, on_film=True) for name in NUMBERS)
    if not numbers or len(against) != 1:
        return against
    return [] if _looks_misread(against[0], film, best) else against


def _looks_misread(name: FieldName, film: Heard, best: Linked) -> bool:
    """Tell whether the signs that differ in a name are such as engines read for one another.

    JOAN is no misreading of JANE, though half of it is the same; OKQNKVVO is one of OKONKWO. One
    sign more may be lost or be another, where something else says that it is the patient: HANSEN
    is nobody's JANSEN by a number alone.
    """
    more = 1 if _borne_out(best) else 0
    patient = best.patient
    for known in (patient.name, *patient.former_names):
        pair = _parts(name, film, known)
        if pair is None or max(map(len, pair)) < _LEAST_MISREAD:
            continue
        read, true = (one.replace("VV", "W").replace("RN", "M").translate(_SHAPES) for one in pair)
        if OSA.distance(read, true, score_cutoff=more) <= more:
            return True
    return False


def _borne_out(best: Linked) -> bool:
    """Tell whether the film's birth date, or name and number of its jacket, are the patient's."""
    name = (FieldName.FAMILY_NAME, FieldName.GIVEN_NAME, FieldName.PATIENT_ID)
    label = all(one in best.label and best.label[one].agreement is Agreement.AGREES for one in name)
    return label or best.agrees(FieldName.BIRTH_DATE, on_film=True)


def letters_off(best: Linked, film: Heard) -> list[FieldName]:
    """Return the parts of a name that are the patient's but for letters not easily misread."""
    if _borne_out(best):
        return []
    return [
        name
        for name in (FieldName.FAMILY_NAME, FieldName.GIVEN_NAME)
        if name in best.film
        and best.film[name].agreement is Agreement.SIMILAR
        and not _is_initial(name, film, best.patient)
        and not _looks_misread(name, film, best)
    ]


def _is_initial(name: FieldName, film: Heard, patient: PatientRecord) -> bool:
    pair = _parts(name, film, patient.name)
    return pair is not None and min(map(len, pair)) == 1


def plainly_another(film: Heard, owner: PatientRecord) -> bool:
    """Tell whether a film says plainly another name than the jacket's patient bears or bore."""
    fields = film.said.fields
    hows = compare_person(name_said(film.said), [owner.name, *owner.former_names], lambda _: 0.001)
    for name, how in zip((FieldName.FAMILY_NAME, FieldName.GIVEN_NAME), hows, strict=True):
        if how.agreement is Agreement.DISAGREES and fields[name].confidence >= GUESSED:
            likeness = _likeness(name, film, owner)
            return likeness is not None and likeness < _MISREAD_NAME
    return False


def _likeness(name: FieldName, film: Heard, patient: PatientRecord) -> float | None:
    """Return how much the family or given name read is like the patient's; None for others."""
    pair = _parts(name, film, patient.name)
    return None if pair is None else float(OSA.normalized_similarity(*pair))


def _parts(name: FieldName, film: Heard, known: PersonName) -> tuple[str, str] | None:
    """Return the family or given name as read and as known; None for other fields."""
    said = name_said(film.said)
    if name is FieldName.FAMILY_NAME:
        return plain(said.family), plain(known.family)
    if name is FieldName.GIVEN_NAME:
        return plain(said.given), plain(known.given.partition(" ")[0])
    return None
