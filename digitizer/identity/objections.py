"""Why the best candidate may not be taken without a person: every reason, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from digitizer.identity.compare import OTHER_NUMBER, compare_birth, compare_number, compare_person
from digitizer.identity.evidence import Evidence
from digitizer.identity.heard import Heard, name_said
from digitizer.identity.linkage import Agreements, Linked
from digitizer.identity.misread import letters_off, plainly_another, speaking_against
from digitizer.identity.proof import enough
from digitizer.identity.settings import PolicySettings
from digitizer.identity.spelling import plain
from digitizer.model.identity import Agreement, PatientRecord, PersonName
from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Code, Reason, reason

__all__ = [
    "Sides",
    "apart",
    "is_same",
    "lead",
    "names_others",
    "objections",
    "two_strangers",
]

_CREDIBLE = 0.5
_LABEL_MISREAD_BITS = 10.0
"""Net evidence from which one differing field of a label is a misreading of it."""
_RANK = (Agreement.DISAGREES, Agreement.MISSING, Agreement.SIMILAR, Agreement.AGREES)
_ALONE = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The two bearers and what they say.

    Attributes
    ----------
    film, label : Heard
        ``label`` is None without one.
    owner : PatientRecord or None
        Whose jacket it is, where its label or the jacket list says so clearly.
    linked, alone : list of Linked
        Candidates by film and label together, and by the film alone.
    """

    film: Heard
    label: Heard | None
    owner: PatientRecord | None
    linked: Sequence[Linked]
    alone: Sequence[Linked]


def objections(
    sides: Sides,
    evidence: Evidence,
    policy: PolicySettings,
    posterior: float,
    *,
    dated: bool = False,
) -> tuple[Reason, ...]:
    """Return every reason to ask a person; none when the film may be filed by itself.

    ``dated`` tells that the film's day is that of an exam of the best candidate.
    """
    best = sides.linked[0]
    found: list[Reason] = []
    contradiction = _contradicts_jacket(sides, policy)
    if contradiction is not None:
        found.append(contradiction)
    if names_others(sides.film, best.patient, evidence):
        found.append(reason(Code.SEVERAL_IDENTITIES))
    against = speaking_against(best, sides.film)
    anybody = sum(one.posterior for one in sides.linked)
    if anybody < _CREDIBLE:
        found.append(reason(Code.NOT_IN_INDEX))
    elif against:
        told = ", ".join(name.value.replace("_", " ") for name in against)
        # Two identifiers that differ are another person; one may be misread.
        code = Code.BELOW_THRESHOLD if _outweighed(best.film, against) else Code.NOT_IN_INDEX
        found.append(reason(code, f"The film differs from the best candidate in: {told}."))
    namesake = None if found else _better_named(sides.linked)
    if namesake is not None:
        found.append(
            reason(
                Code.AMBIGUOUS,
                f"The film's numbers are those of {best.patient.name.text}; its name is "
                f"that of {namesake.name.text}.",
            )
        )
    elif anybody >= _CREDIBLE / 2 and lead(sides.linked) < policy.gap_bits:
        found.append(reason(Code.AMBIGUOUS))
    if not found and not enough(best, dated=dated):
        found.append(
            reason(
                Code.BELOW_THRESHOLD,
                "The film itself does not bear enough that agrees: a number and one thing more.",
            )
        )
    off = [] if found else letters_off(best, sides.film)
    if off:
        told = " and ".join(name.value.replace("_", " ") for name in off)
        text = f"The film's {told} is the patient's but for a letter that is not easily misread."
        found.append(reason(Code.BELOW_THRESHOLD, text))
    if not found and posterior < policy.least_posterior:
        found.append(reason(Code.BELOW_THRESHOLD))
    return tuple(found)


def _better_named(linked: Sequence[Linked]) -> PatientRecord | None:
    """Return another candidate who bears just the name on the film where the best one does not.

    Whose birth date agrees less than the best one's is not meant: many bear one name.
    """

    def named(one: Linked) -> bool:
        return all(
            one.agrees(name, on_film=True) for name in (FieldName.FAMILY_NAME, FieldName.GIVEN_NAME)
        )

    def born(one: Linked) -> int:
        how = one.film.get(FieldName.BIRTH_DATE)
        return _RANK.index(how.agreement if how else Agreement.MISSING)

    best = linked[0]
    if named(best):
        return None
    at_least = max(born(best), _RANK.index(Agreement.MISSING))
    return next((one.patient for one in linked[1:] if named(one) and born(one) >= at_least), None)


def _outweighed(side: Agreements, against: list[FieldName]) -> bool:
    """Tell whether what agrees says clearly more than what differs."""
    identifiers = {
        name if name is not FieldName.GIVEN_NAME else FieldName.FAMILY_NAME for name in against
    }
    return len(identifiers) == 1 and sum(one.bits for one in side.values()) > 0


def _contradicts_jacket(sides: Sides, policy: PolicySettings) -> Reason | None:
    """Say so when the film names one patient and its jacket another, in the index or not."""
    best, owner, label = sides.linked[0], sides.owner, sides.label
    mine = name_said(sides.film.said)
    other = owner is not None and not is_same(owner, best.patient)
    if owner and other and best.posterior >= _CREDIBLE and not best.contradictions(best.film):
        return _both(best.patient.name, owner.name)
    if owner and plainly_another(sides.film, owner):
        return _both(mine, owner.name)
    if owner is not None and apart(sides.film.said, owner):
        return _both(mine, owner.name)
    if owner is not None and sides.alone and not is_same(sides.alone[0].patient, owner):
        theirs = next((one.weight for one in sides.alone if is_same(one.patient, owner)), -_ALONE)
        first = sides.alone[0]
        if first.weight - theirs >= policy.gap_bits / 2 and first.posterior >= _CREDIBLE:
            return _both(first.patient.name, owner.name)
    if label is None:
        return None
    if owner is not None and _other_number(sides, label, owner):
        return _both(mine, owner.name)
    against = best.contradictions(best.label)
    if best.posterior >= _CREDIBLE and against and not _misread(best, against, sides):
        return _both(best.patient.name, owner.name if owner else name_said(label.said))
    return two_strangers(sides.film, label) if best.posterior < _CREDIBLE else None


def _other_number(sides: Sides, label: Heard, owner: PatientRecord) -> bool:
    """Tell whether the film's record number is another than the one its jacket's label bears.

    It is where it is just a candidate's, or where it is as long as the owner's and three of its
    signs and more are others: no misreading, though the name may be the same.
    """
    films, labels = _number(sides.film.said), _number(label.said)
    own = {plain(number) for number in (owner.patient_id, *(n for _, n in owner.other_ids))}
    if not films or films in own or labels not in own:
        return False
    if any(plain(one.patient.patient_id) == films for one in (*sides.linked, *sides.alone)):
        return True
    other = compare_number(films, sorted(own)).bits <= OTHER_NUMBER.bits
    return other and len(films) == len(plain(owner.patient_id))


def _number(said: Testimony) -> str:
    field = said.fields.get(FieldName.PATIENT_ID)
    return plain(field.value) if field else ""


def two_strangers(film: Heard, label: Heard) -> Reason | None:
    """Say so when film and label name two people, be either in the index or not."""
    if not apart(film.said, _as_patient(label.said)):
        return None
    return _both(name_said(film.said), name_said(label.said))


def _misread(best: Linked, against: list[FieldName], sides: Sides) -> bool:
    """Tell whether what differs on the label is a misreading rather than another person."""
    side = best.label
    net = sum(one.bits for one in side.values())
    number = side.get(FieldName.PATIENT_ID)
    certain = number is not None and number.agreement is Agreement.AGREES
    if sides.owner is not None and not is_same(sides.owner, best.patient):
        return False
    if certain:
        return net >= _LABEL_MISREAD_BITS
    if number is not None and number.bits <= OTHER_NUMBER.bits:
        # Three signs and more of a number are another number.
        return False
    close = {FieldName.GIVEN_NAME, FieldName.NAME_SUFFIX, FieldName.SEX}
    return len(against) == 1 and not close & set(against) and net >= _LABEL_MISREAD_BITS


def apart(said: Testimony, other: PatientRecord) -> bool:
    """Tell whether identifiers are somebody else's than a person's: on balance, or two of them."""
    value = {name: field.value for name, field in said.fields.items()}
    names = [other.name, *other.former_names]
    family, given = compare_person(name_said(said), names, lambda _: 0.001)
    numbers = [other.patient_id, *(number for _, number in other.other_ids)]
    number = compare_number(value.get(FieldName.PATIENT_ID, ""), numbers)
    birth = compare_birth(value.get(FieldName.BIRTH_DATE, ""), other.birth_date)
    hows = [family, given, number, birth]
    differ = [one for one in (family, given) if one.agreement is Agreement.DISAGREES][:1]
    differ += [one for one in (number, birth) if one.agreement is Agreement.DISAGREES]
    return len(differ) >= 2 or (bool(differ) and sum(one.bits for one in hows) < 0)


def _as_patient(said: Testimony) -> PatientRecord:
    value = {name: field.value for name, field in said.fields.items()}
    return PatientRecord(
        patient_id=value.get(FieldName.PATIENT_ID, ""),
        issuer="",
        name=name_said(said),
        birth_date=value.get(FieldName.BIRTH_DATE, ""),
    )


def _both(film: PersonName, jacket: PersonName) -> Reason:
    if film.differs_from(jacket):
        text = f"This film says {film.text}; the jacket says {jacket.text}."
    else:
        text = "The film and its jacket's label do not agree."
    return reason(Code.FILM_CONTRADICTS_JACKET, text)


def names_others(film: Heard, patient: PatientRecord, evidence: Evidence) -> bool:
    """Tell whether the same sheet bears another patient's exact number or accession number.

    An accession number one character from one of the patient's own is that one misread.
    """
    words = film.numbers
    own = {plain(patient.patient_id), *(plain(number) for _, number in patient.other_ids)}
    own |= {plain(exam.accession_number) for exam in evidence.exams_of(patient)}
    for other in evidence.patients:
        number = plain(other.patient_id)
        if number in words and number not in own and not is_same(other, patient):
            return True
    theirs = {
        plain(exam.accession_number)
        for exam in evidence.accessions
        if exam.patient_id != patient.patient_id
    }
    return any(
        all(OSA.distance(number, one, score_cutoff=1) > 1 for one in own)
        for number in theirs & words - own
    )


def lead(linked: Sequence[Linked]) -> float:
    """Return by how many bits the best candidate leads the next."""
    return linked[0].weight - linked[1].weight if len(linked) > 1 else _ALONE


def is_same(one: PatientRecord, other: PatientRecord) -> bool:
    """Tell whether two records are of one number and issuer."""
    return (one.issuer, one.patient_id) == (other.issuer, other.patient_id)
