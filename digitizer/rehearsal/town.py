"""An invented town's patients and exams, with the look-alikes an index of real size holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import CITY, MERCY, Person, name_lists

__all__ = ["Shares", "Town", "kin_of", "town", "townspeople"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of the town's people are hard to tell apart, as parts of all."""

    twins: float = 0.01
    namesakes: float = 0.01
    juniors: float = 0.01
    near_numbers: float = 0.02
    siblings: float = 0.04
    former_names: float = 0.03
    merged: float = 0.02
    foreign_numbers: float = 0.02
    """Numbers that another issuer gave to somebody else as well."""
    unknown_people: float = 0.05
    """Not in the patient index."""
    unknown_exams: float = 0.15
    """Not in the exam index."""
    two_a_day: float = 0.0
    """Exam days that hold a second exam of the same patient."""


@dataclass(frozen=True, slots=True)
class Town:
    """The people, whether the index has them, and the exams of each.

    Attributes
    ----------
    people : list of Person
        A look-alike stands right behind the one it resembles, with ``kin`` set.
    known : list of bool
        Whether the patient index has each.
    exams : list of list of Exam
        Of each, in order of time; ``indexed`` tells whether the exam index has it.
    """

    people: list[Person]
    known: list[bool]
    exams: list[list[Exam]]


_STARTS = "BA BE BRA CA CRO DA DU FA FEN GAR GO HA HOL KA KEL LA LIN MA MOR NA NOR PA PRI RO SA STO TA TUR VA WE YA ZI"  # fmt: skip  # noqa: E501
_MIDDLES = "BER CHO DER DON FI GEN HAM KO LAN LI MAN MO NE RA RI SEN TA TI VER WIN"
_ENDS = "BACH DALE DER ESCU FORD GA KIN LEY LUND MANN MORE NER OVA RIDGE SKI SON STEIN TON VEZ WOOD"
_PARTS = (
    ("ABDOMEN KUB", "ABDOMEN", ""),
    ("LEFT KNEE AP LAT", "KNEE", "L"),
    ("RIGHT HAND 3 VIEWS", "HAND", "R"),
    ("LUMBAR SPINE", "LSPINE", ""),
    ("SKULL AP LATERAL", "SKULL", ""),
    ("RIGHT ANKLE", "ANKLE", "R"),
    ("PELVIS AP", "PELVIS", ""),
    ("CHEST PA", "CHEST", ""),
    ("CHEST PA AND LATERAL", "CHEST", ""),
    ("CHEST PA", "CHEST", ""),
    ("CHEST AP PORTABLE", "CHEST", ""),
)
_EPOCH = date(1898, 1, 1)


class _Names:
    """Family and given names, the common ones common: the n-th is borne by 1/(n + some)."""

    def __init__(self, rng: Random) -> None:
        families, self.men, self.women = name_lists()
        made = [a + b + c for a in _STARTS.split() for b in _MIDDLES.split() for c in _ENDS.split()]
        rng.shuffle(made)
        self.families = [*families, *made[:6000]]
        self._families = list(accumulate(1 / (n + 12) for n in range(len(self.families))))
        self._given = list(accumulate(1 / (n + 4) for n in range(max(len(self.men), 80))))

    def family(self, rng: Random) -> str:
        return rng.choices(self.families, cum_weights=self._families)[0]

    def given(self, rng: Random, sex: str) -> str:
        names = self.women if sex == "F" else self.men
        return rng.choices(names, cum_weights=self._given[: len(names)])[0]


def town(seed: int, count: int, shares: Shares = Shares()) -> Town:
    """Invent a town.

    Parameters
    ----------
    seed : int
    count : int
        People, at least; those of :attr:`Shares.unknown_people` are not in the index.
    shares : Shares

    Returns
    -------
    Town
    """
    rng = Random(seed)
    people = _people(rng, count, shares)
    numbers = _Accessions(rng)
    exams = [_exams(rng, person, numbers, shares) for person in people]
    return Town(people, [rng.random() >= shares.unknown_people for _ in people], exams)


def townspeople(seed: int, count: int, shares: Shares = Shares()) -> list[Person]:
    """Invent the people of :func:`town` without their exams."""
    return _people(Random(seed), count, shares)


def _people(rng: Random, count: int, shares: Shares) -> list[Person]:
    names, numbers = _Names(rng), _Numbers(rng)
    people: list[Person] = []
    while len(people) < count:
        person = _anyone(rng, names, numbers, shares)
        people.append(person)
        people += _beside(rng, person, names, numbers, shares)
    return people


class _Numbers:
    """Record numbers: seven digits in the City; a letter and six digits, or seven, at Mercy."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.taken: set[tuple[str, str]] = set()

    def new(self, issuer: str) -> str:
        while True:
            number = f"{self.rng.randrange(1_000_000, 10_000_000)}"
            if issuer == MERCY and self.rng.random() < 0.5:
                number = self.rng.choice("ABCHMR") + number[1:]
            if self.take(issuer, number):
                return number

    def take(self, issuer: str, number: str) -> bool:
        """Give a number out if nobody has it."""
        free = (issuer, number) not in self.taken
        self.taken.add((issuer, number))
        return free

    def near(self, issuer: str, number: str) -> str:
        """Give out a number one digit away, or with two neighbouring digits swapped."""
        for _ in range(30):
            digits = list(number)
            place = self.rng.randrange(1, len(digits) - 1)
            if self.rng.random() < 0.3:
                digits[place], digits[place + 1] = digits[place + 1], digits[place]
            else:
                digits[place] = str((int(digits[place]) + self.rng.randrange(1, 10)) % 10)
            if self.take(issuer, "".join(digits)):
                return "".join(digits)
        return self.new(issuer)


def _anyone(rng: Random, names: _Names, numbers: _Numbers, shares: Shares) -> Person:
    issuer = CITY if rng.random() < 0.75 else MERCY
    sex = rng.choice("FM")
    number = numbers.new(issuer)
    family, given = names.family(rng), names.given(rng, sex)
    born = _EPOCH + timedelta(days=rng.randrange(365 * 90))
    return Person(
        patient_id=number,
        issuer=issuer,
        family=family,
        given=given,
        middle=rng.choice("ABCDEFGHJKLMNPRSTW") if rng.random() < 0.6 else "",
        suffix="",
        birth=born,
        sex=sex,
        former=(f"{names.family(rng)}^{given}",) if rng.random() < shares.former_names else (),
        other_ids=(f"{issuer}:{numbers.new(issuer)}",) if rng.random() < shares.merged else (),
        death=date(rng.randrange(2000, 2012), 6, 15) if born.year < 1930 else None,
    )


def _beside(
    rng: Random, person: Person, names: _Names, numbers: _Numbers, shares: Shares
) -> list[Person]:
    """Return who resembles a person, if anybody does."""
    kinds = {
        "twin": shares.twins,
        "namesake": shares.namesakes,
        "junior": shares.juniors,
        "number": shares.near_numbers,
        "sibling": shares.siblings,
        "foreign": shares.foreign_numbers,
    }
    kind = rng.choices([*kinds, ""], [*kinds.values(), 1 - sum(kinds.values())])[0]
    bare = replace(person, former=(), other_ids=(), death=None, kin=kind)
    later = person.birth + timedelta(days=rng.randrange(330, 2500))
    if kind == "twin":
        given = _other(rng, names, person)
        return [replace(bare, patient_id=numbers.near(person.issuer, person.patient_id),
                        given=given, middle="")]  # fmt: skip
    if kind == "sibling":
        given = _other(rng, names, person)
        return [replace(bare, patient_id=numbers.new(person.issuer), given=given, birth=later)]
    if kind == "namesake":
        born = later if rng.random() < 0.3 else _EPOCH + timedelta(days=rng.randrange(365 * 90))
        return [replace(bare, patient_id=numbers.new(person.issuer), birth=born)]
    if kind == "junior":
        born = person.birth + timedelta(days=365 * rng.randrange(19, 38) + rng.randrange(365))
        return [replace(bare, patient_id=numbers.new(person.issuer), suffix="JR", birth=born)]
    if kind == "number":
        near = numbers.near(person.issuer, person.patient_id)
        other = _anyone(rng, names, numbers, shares)
        return [replace(other, patient_id=near, issuer=person.issuer, other_ids=(), kin=kind)]
    if kind == "foreign" and person.patient_id.isdigit():
        issuer = MERCY if person.issuer == CITY else CITY
        if numbers.take(issuer, person.patient_id):
            other = _anyone(rng, names, numbers, shares)
            own = person.patient_id
            return [replace(other, patient_id=own, issuer=issuer, other_ids=(), kin=kind)]
    return []


def _other(rng: Random, names: _Names, person: Person) -> str:
    while True:
        given = names.given(rng, person.sex)
        if given != person.given:
            return given


class _Accessions:
    """Accession numbers; those of one patient's day stand in a row."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.taken: set[str] = set()

    def new(self, issuer: str, day: date, after: str = "") -> str:
        while True:
            if after:
                stem, tail = after[:-4], int(after[-4:])
                number = f"{stem}{(tail + self.rng.randrange(1, 9)) % 10_000:04d}"
            elif issuer == CITY:
                number = f"X{day.year % 100:02d}-{self.rng.randrange(100, 99_999):05d}"
            else:
                number = f"{day.year % 100:02d}{self.rng.randrange(1000, 999_999):06d}"
            if number not in self.taken:
                self.taken.add(number)
                return number
            after = ""


def _exams(rng: Random, person: Person, numbers: _Accessions, shares: Shares) -> list[Exam]:
    first = max(date(1955, 1, 1), person.birth + timedelta(days=10))
    span = max(60, (date(2000, 1, 1) - first).days)
    days = sorted({rng.randrange(span) for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 6)))})
    found: list[Exam] = []
    for one in days:
        day, last = first + timedelta(days=one), ""
        for _ in range(2 if rng.random() < shares.two_a_day else 1):
            description, part, side = rng.choice(_PARTS)
            last = numbers.new(person.issuer, day, last)
            found.append(
                Exam(
                    last, person, day, "CR", description, part, side,
                    films=rng.choice((1, 1, 2, 2, 3)), indexed=rng.random() >= shares.unknown_exams,
                )
            )  # fmt: skip
    return found


def kin_of(made: Town, at: int) -> Sequence[int]:
    """Return who in the town resembles somebody: the look-alike behind or before."""
    near = []
    if at + 1 < len(made.people) and made.people[at + 1].kin:
        near.append(at + 1)
    if made.people[at].kin:
        near.append(at - 1)
    return near
