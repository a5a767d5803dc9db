"""Whose each study is, what its header says, and what is wrong with it on purpose."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.old.kinds import KINDS, Kind
from digitizer.rehearsal.people import CITY, Person
from digitizer.rehearsal.town import Shares, Town, town

__all__ = ["FAULTS", "Planned", "Says", "plan_studies"]

_SHARES = Shares(merged=0.6, former_names=0.6, unknown_people=0.03)
"""Far more people with merged numbers and former names than live anywhere: else hardly a study of
theirs has that fault."""
_WITH_LETTERS = 0.6
"""Of the people whose name lends itself to it, how many have letters that ASCII lacks."""
FAULTS = {
    "merged_number": 0.02,
    "former_name": 0.02,
    "missing_issuer": 0.03,
    "foreign_issuer": 0.02,
    "reused_number": 0.02,
    "other_birth_date": 0.01,
    "other_accession": 0.02,
    "two_patients": 0.02,
    "undeclared_latin": 0.02,
    "undeclared_utf8": 0.02,
    "burned_in": 0.04,
    "no_date": 0.02,
}
"""Faults of studies, and how many of all have each; at most one."""
_GOES_BY_ITSELF = frozenset(
    ("", "merged_number", "former_name", "undeclared_latin", "undeclared_utf8", "no_date")
)
_ASKED = {
    "foreign_issuer": "foreign_issuer",
    "reused_number": "header_differs",
    "other_birth_date": "header_differs",
    "other_accession": "several_identities",
    "two_patients": "several_identities",
}


@dataclass(frozen=True, slots=True)
class Says:
    """What the header of an instance says of the patient."""

    patient_id: str
    issuer: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One study.

    Attributes
    ----------
    owner : Person or None
        Whose it is; None where the index has nobody.
    others : Says or None
        What half of its instances say, where two patients are in one study.
    expect : str
        ``auto``, ``review``, or ``either`` where a careful rule may do one or the other.
    code : str
        The first reason it should be held for.
    """

    number: int
    uid: str
    kind: Kind
    exam: Exam
    owner: Person | None
    says: Says
    accession: str
    study_date: str
    fault: str = ""
    charset: str | None = "ISO_IR 192"
    written: str = "utf-8"
    others: Says | None = None
    expect: str = "auto"
    code: str = ""
    beside: tuple[Kind, ...] = field(default=())


def plan_studies(
    rng: Random, count: int, seed: int
) -> tuple[list[Planned], list[Person], list[Exam]]:
    """Plan studies; returns them with the patients and exams of the index.

    Parameters
    ----------
    rng : random.Random
    count : int
        How many studies.
    seed : int
        Of the town.
    """
    made = _with_umlauts(town(seed, max(20, count // 2), _SHARES), rng)
    exams = [(one, known) for known, own in zip(made.known, made.exams, strict=True) for one in own]
    rng.shuffle(exams)
    while len(exams) < count:
        exams += exams[: count - len(exams)]
    planned, indexed = [], []
    for number, (exam, known) in enumerate(exams[:count]):
        kind = rng.choices(KINDS, [one.weight for one in KINDS])[0]
        mine = replace(exam, modality=kind.modality)
        one = _plain(rng, number, kind, mine, known)
        planned.append(_spoilt(rng, one, made))
        indexed.append(replace(mine, indexed=mine.indexed and known))
    rest = [exam for exam, known in exams[count:] if known]
    people = [one for one, known in zip(made.people, made.known, strict=True) if known]
    unique = {one.accession: one for one in [*rest, *indexed]}
    return planned, people, list(unique.values())


def _with_umlauts(made: Town, rng: Random) -> Town:
    """Give some people letters that ASCII lacks, in the index as in the headers."""
    people = [
        replace(one, family=one.family.replace("U", "Ü").replace("O", "Ö"))
        if rng.random() < _WITH_LETTERS
        else one
        for one in made.people
    ]
    exams = [
        [replace(exam, person=person) for exam in own]
        for person, own in zip(people, made.exams, strict=True)
    ]
    return Town(people, made.known, exams)


def _says(person: Person) -> Says:
    name = f"{person.family}^{person.given}^{person.middle}^^{person.suffix}".rstrip("^")
    birth = person.birth.isoformat().replace("-", "")
    return Says(person.patient_id, person.issuer, name, birth, person.sex)


def _plain(rng: Random, number: int, kind: Kind, exam: Exam, known: bool) -> Planned:
    beside = []
    if kind in KINDS[:8] and rng.random() < 0.15:
        beside.append(rng.choice(KINDS[-4:]))
    return Planned(
        number=number,
        uid=f"2.25.{rng.getrandbits(120)}",
        kind=kind,
        exam=exam,
        owner=exam.person if known else None,
        says=_says(exam.person),
        accession=exam.accession,
        study_date=exam.day.isoformat().replace("-", ""),
        expect="auto" if known else "review",
        beside=tuple(beside),
    )


def _spoilt(rng: Random, one: Planned, made: Town) -> Planned:
    """Put a fault into a study of somebody whom the index has, by chance."""
    kinds = [*FAULTS, ""]
    fault = rng.choices(kinds, [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
    if one.owner is None or not fault:
        return one
    changed = _with_fault(rng, one, one.owner, fault, made)
    if changed is None:
        return one
    expect = "auto" if fault in _GOES_BY_ITSELF else "either"
    if fault in _ASKED:
        expect = "review"
    return replace(changed, fault=fault, expect=expect, code=_ASKED.get(fault, ""))


def _with_fault(rng: Random, one: Planned, owner: Person, fault: str, made: Town) -> Planned | None:
    """Return a study with a fault; None where its patient does not lend themselves to it."""
    says = one.says
    other = rng.choice([each for each in made.people if each.number != owner.number])
    match fault:
        case "merged_number" if owner.other_ids:
            issuer, _, number = owner.other_ids[0].partition(":")
            return replace(one, says=replace(says, patient_id=number, issuer=issuer))
        case "former_name" if owner.former:
            return replace(one, says=replace(says, name=owner.former[0]))
        case "missing_issuer" if owner.issuer == CITY:
            return replace(one, says=replace(says, issuer=""))
        case "foreign_issuer":
            number = f"{rng.randrange(10_000_000, 99_999_999)}"
            return replace(one, says=replace(says, patient_id=number, issuer="FARAWAY"))
        case "reused_number":
            born = date(1991, 2, 3).isoformat().replace("-", "")
            stranger = replace(says, name="QVIST^ZOLTAN", birth_date=born)
            return replace(one, says=stranger, owner=None)
        case "other_birth_date":
            year = int(says.birth_date[:4]) - 11
            return replace(one, says=replace(says, birth_date=f"{year}{says.birth_date[4:]}"))
        case "other_accession":
            theirs = [exam for exam in _exams_of(made, other) if exam.indexed]
            return replace(one, accession=theirs[0].accession) if theirs else None
        case "two_patients" if one.kind.count[0] > 1:
            return replace(one, others=_says(other), owner=None)
        case "undeclared_latin" if not says.name.isascii():
            return replace(one, charset=None, written="latin-1")
        case "undeclared_utf8" if not says.name.isascii():
            return replace(one, charset="ISO_IR 100", written="utf-8")
        case "no_date":
            return replace(one, study_date="")
    return one if fault == "burned_in" and one.kind.modality == "US" else None


def _exams_of(made: Town, person: Person) -> Sequence[Exam]:
    at = next(place for place, one in enumerate(made.people) if one.number == person.number)
    return made.exams[at] if made.known[at] else ()
