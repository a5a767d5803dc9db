"""An invented patient index with the look-alikes that make filing hard."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

__all__ = ["CITY", "MERCY", "Person", "check_digit", "name_lists", "people", "sibling"]

CITY = "CITYGEN"
"""Issuer of seven-digit record numbers, the last a check digit; dates month first."""
MERCY = "MERCY"
"""Issuer of a letter and six digits; dates day first or with the month's name."""


def _words(text: str) -> list[str]:
    return text.split()


_FAMILIES = _words(
    """SMITH JOHNSON WILLIAMS BROWN JONES GARCIA MILLER DAVIS RODRIGUEZ MARTINEZ HERNANDEZ
LOPEZ WILSON ANDERSON THOMAS TAYLOR MOORE JACKSON MARTIN LEE THOMPSON WHITE HARRIS SANCHEZ CLARK
RAMIREZ LEWIS ROBINSON WALKER YOUNG ALLEN KING WRIGHT SCOTT TORRES NGUYEN HILL FLORES GREEN ADAMS
NELSON BAKER HALL RIVERA CAMPBELL MITCHELL CARTER ROBERTS OBRIEN O'NEILL MCDONALD MACLEOD
FITZGERALD VAN-DYKE SCHMIDT MUELLER SCHNEIDER KOWALSKI NOWAK IVANOV PETROV ROSSI BIANCHI FERRARI
DUBOIS LEFEBVRE MOREAU SILVA SANTOS OLIVEIRA KHAN PATEL SINGH KAUR CHEN WANG TANAKA SUZUKI KIM PARK
ANDERSSON JOHANSSON HANSEN NIELSEN VIRTANEN DE-VRIES JANSEN PAPADOPOULOS YILMAZ HORVAT NAGY
SMYTHE BROWNE CLARKE THOMSON JONSON MARTINS REID READ STEWART STUART PHILIPS PHILLIPS"""
)
_MEN = _words(
    """JAMES JOHN ROBERT MICHAEL WILLIAM DAVID RICHARD JOSEPH THOMAS CHARLES DANIEL MATTHEW
ANTHONY DONALD MARK PAUL STEVEN ANDREW GEORGE KENNETH EDWARD BRIAN RONALD FRANK WALTER HAROLD
HENRY CARL ARTHUR ALBERT LOUIS PETER HANS JORGE JUAN LUIS GIOVANNI PIERRE IVAN OLAF HIROSHI WEI
RAJESH AHMED MEHMET STEPHEN ERIC ERNEST"""
)
_WOMEN = _words(
    """MARY PATRICIA LINDA BARBARA ELIZABETH JENNIFER MARIA SUSAN MARGARET DOROTHY LISA NANCY
KAREN BETTY HELEN SANDRA DONNA CAROL RUTH SHARON MICHELLE LAURA SARAH KIMBERLY DEBORAH JESSICA
SHIRLEY CYNTHIA ANGELA MELISSA ANNA VIRGINIA ALICE FLORENCE ROSE EDITH INGRID HEIDI CARMEN LUCIA
FRANCESCA CLAIRE OLGA YUKI MEI PRIYA FATIMA AYSE CATHERINE KATHERINE ANN ANNE"""
)
_MIDDLE = [*"ABCDEFGHJKLMNPRSTW", "", "", "", ""]


def name_lists() -> tuple[list[str], list[str], list[str]]:
    """Return family names, men's and women's given names."""
    return list(_FAMILIES), list(_MEN), list(_WOMEN)


@dataclass(frozen=True, slots=True)
class Person:
    """A row of ``patients.csv``; ``kin`` names why it resembles another, if made so."""

    patient_id: str
    issuer: str
    family: str
    given: str
    middle: str
    suffix: str
    birth: date
    sex: str
    former: tuple[str, ...] = ()
    other_ids: tuple[str, ...] = ()
    death: date | None = None
    kin: str | None = None

    @property
    def number(self) -> tuple[str, str]:
        """Issuer and record number: unique in the index."""
        return self.issuer, self.patient_id


def check_digit(digits: str) -> str:
    """Return the check digit of a record number: modulo 11, weights 2 to 7 from the right."""
    total = sum(int(one) * (2 + place % 6) for place, one in enumerate(reversed(digits)))
    return str((11 - total % 11) % 11 % 10)


def _fresh_number(rng: np.random.Generator, issuer: str, taken: set[tuple[str, str]]) -> str:
    while True:
        if issuer == CITY:
            stem = f"{int(rng.integers(100000, 999999)):06d}"
            number = stem + check_digit(stem)
        else:
            number = f"{rng.choice(list('ABCHMR'))}{int(rng.integers(10000, 999999)):06d}"
        if (issuer, number) not in taken:
            taken.add((issuer, number))
            return number


def _near_number(
    rng: np.random.Generator, issuer: str, number: str, taken: set[tuple[str, str]]
) -> str | None:
    """Return a free number one digit away from, or with two digits swapped against, the given."""
    first = 1 if issuer == MERCY else 0
    for _ in range(20):
        digits = list(number)
        place = int(rng.integers(first, len(digits) - 1))
        if rng.random() < 0.5:
            digits[place], digits[place + 1] = digits[place + 1], digits[place]
        else:
            digits[place] = str((int(digits[place]) + int(rng.integers(1, 10))) % 10)
        near = "".join(digits)
        if (issuer, near) not in taken:
            taken.add((issuer, near))
            return near
    return None


def _birth(rng: np.random.Generator) -> date:
    """Draw a birth date; the young are many, as in any hospital's film library."""
    if rng.random() < 0.4:
        return date(1958, 1, 1) + timedelta(days=int(rng.integers(0, 365 * 32)))
    return date(1898, 1, 1) + timedelta(days=int(rng.integers(0, 365 * 60)))


def _anyone(rng: np.random.Generator, taken: set[tuple[str, str]]) -> Person:
    issuer = CITY if rng.random() < 0.65 else MERCY
    sex = "F" if rng.random() < 0.5 else "M"
    given = str(rng.choice(_WOMEN if sex == "F" else _MEN))
    birth = _birth(rng)
    death = None
    if birth.year < 1935 and rng.random() < 0.3:
        death = date(int(rng.integers(2000, 2012)), int(rng.integers(1, 13)), 15)
    other = MERCY if issuer == CITY else CITY
    others = (f"{other}:{_fresh_number(rng, other, taken)}",) if rng.random() < 0.06 else ()
    return Person(
        _fresh_number(rng, issuer, taken),
        issuer,
        str(rng.choice(_FAMILIES)),
        given,
        str(rng.choice(_MIDDLE)),
        "",
        birth,
        sex,
        other_ids=others,
        death=death,
    )


def _like(
    rng: np.random.Generator, person: Person, kind: str, taken: set[tuple[str, str]]
) -> tuple[Person, Person]:
    """Return the person (changed where needed) and a look-alike of the given kind."""
    fresh = _fresh_number(rng, person.issuer, taken)
    names = _WOMEN if person.sex == "F" else _MEN
    if kind == "namesake":
        birth = _birth(rng)
        if rng.random() < 0.3:
            birth = person.birth.replace(year=person.birth.year + 1, day=min(person.birth.day, 28))
        return person, replace(
            person, patient_id=fresh, birth=birth, kin=kind, other_ids=(), former=(), death=None
        )
    if kind == "twin":
        near = _near_number(rng, person.issuer, person.patient_id, taken) or fresh
        given = str(rng.choice([name for name in names if name != person.given]))
        return person, replace(
            person,
            patient_id=near,
            given=given,
            middle="",
            kin=kind,
            other_ids=(),
            former=(),
            death=None,
        )
    if kind == "junior":
        birth = person.birth.replace(
            year=person.birth.year + int(rng.integers(20, 35)), day=min(person.birth.day, 28)
        )
        birth = birth + timedelta(days=int(rng.integers(-150, 150)))
        son = replace(
            person,
            patient_id=fresh,
            birth=birth,
            suffix="JR",
            kin=kind,
            other_ids=(),
            former=(),
            death=None,
        )
        return replace(person, suffix="SR" if rng.random() < 0.5 else ""), son
    if kind == "sibling":
        given = str(rng.choice([name for name in names if name != person.given]))
        birth = person.birth + timedelta(days=int(rng.integers(400, 1800)))
        return person, replace(
            person,
            patient_id=fresh,
            given=given,
            birth=birth,
            kin=kind,
            middle=str(rng.choice(_MIDDLE)),
            other_ids=(),
            former=(),
            death=None,
        )
    near = _near_number(rng, person.issuer, person.patient_id, taken) or fresh
    return person, replace(_anyone(rng, taken), patient_id=near, issuer=person.issuer, kin="number")


def sibling(rng: np.random.Generator, person: Person, taken: set[tuple[str, str]]) -> Person:
    """Invent a brother or sister with a number of their own, which is then ``taken``."""
    names = _WOMEN if person.sex == "F" else _MEN
    return replace(
        person,
        patient_id=_fresh_number(rng, person.issuer, taken),
        given=str(rng.choice([name for name in names if name != person.given])),
        middle="",
        suffix="",
        birth=person.birth.replace(year=person.birth.year + 2, day=min(28, person.birth.day)),
        kin="sibling",
        other_ids=(),
        former=(),
        death=None,
    )


_KINDS = ("namesake", "twin", "junior", "sibling", "number")


def people(rng: np.random.Generator, count: int) -> list[Person]:
    """Invent at least ``count`` people; about every fourth has a look-alike beside it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    count : int
        How many, at least.

    Returns
    -------
    list of Person
        A look-alike follows the person it resembles, with ``kin`` set.
    """
    taken: set[tuple[str, str]] = set()
    out: list[Person] = []
    while len(out) < count:
        person = _anyone(rng, taken)
        if person.sex == "F" and rng.random() < 0.15:
            former = str(rng.choice([name for name in _FAMILIES if name != person.family]))
            person = replace(person, former=(f"{former}^{person.given}",))
        if rng.random() < 0.26:
            kind = str(rng.choice(_KINDS))
            if kind == "junior" and person.sex != "M":
                kind = "namesake"
            out.extend(_like(rng, person, kind, taken))
        else:
            out.append(person)
    return out
