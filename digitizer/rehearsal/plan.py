"""What a room shall hold: whose jackets, which films, which hazards; nothing drawn yet."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from digitizer.rehearsal.block import Block, write_block
from digitizer.rehearsal.exams import (
    Accessions,
    Exam,
    JacketRow,
    chest_exams,
    mammography,
    other_exams,
    pictures_exam,
)
from digitizer.rehearsal.people import Person, people, sibling
from digitizer.rehearsal.slices import KINDS
from digitizer.rehearsal.sources import MAMMOGRAMS, RADIOGRAPHS

__all__ = ["HAZARDS", "MANY_PICTURES", "Film", "Item", "Jacket", "Plan", "draw_plan"]

Kind = Literal["film", "label", "document", "separator", "blank", "unreadable"]

HAZARDS: tuple[str, ...] = (
    "misfiled_stranger",
    "byte_duplicate",
    "truncated",
    "misfiled_sibling",
    "same_film_twice",
    "empty",
    "not_in_index",
    "blank",
    "garbage",
    "misfiled_run",
    "document",
    "jacket_not_in_index",
    "separator",
    "dpi_wrong",
    "two_on_bed",
)
"""What ``--hazards`` puts into a room, each at least once; a run needs two jackets."""

MANY_PICTURES = "many_pictures"
"""Planted with them, behind all else, so that what a seed makes besides stays as it is."""

_CHILD_DAYS = 365 * 8
_MISSING_EXAMS = 0.08
_LOOK_ALIKE_JACKETS = 0.45


@dataclass(frozen=True, slots=True)
class Film:
    """One sheet to be made; ``number`` seeds its drawing, so that it can be scanned twice."""

    number: int
    exam: Exam
    block: Block
    source: int
    mammogram: int | None = None
    known: bool = True
    pictures: str | None = None
    """What is on a sheet of many pictures (:data:`digitizer.rehearsal.slices.KINDS`)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One scan to be made."""

    kind: Kind
    films: tuple[Film, ...] = ()
    hazard: str | None = None
    exam: Exam | None = None
    repeats: int | None = None
    """Number of the film whose scan is copied or made again."""


@dataclass(slots=True)
class Jacket:
    """One jacket: a person, its label, what lies in it in order."""

    name: str
    box: str
    barcode: str
    person: Person
    known: bool
    exams: list[Exam]
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """A whole room: index tables and jackets."""

    people: list[Person]
    exams: list[Exam]
    jackets: list[Jacket]
    rows: list[JacketRow]


class _Draft:
    def __init__(self, rng: np.random.Generator, wear: float) -> None:
        self.rng = rng
        self.wear = wear
        self.numbers = Accessions()
        self.films = 0
        self.bags: dict[bool, list[int]] = {True: [], False: []}
        self.jacket: set[int] = set()

    def evidence(self) -> str:
        """Draw how much a film says: less with wear."""
        full = 0.72 - 0.3 * self.wear
        faint = 0.04 + 0.14 * self.wear
        none = 0.08 + 0.12 * self.wear
        shares = [full, 1 - full - faint - none, faint, none]
        return str(self.rng.choice(["full", "partial", "faint", "none"], p=shares))

    def source(self, exam: Exam) -> int:
        """Draw a picture of a patient of that age, none twice in a jacket while others are left."""
        child = (exam.day - exam.person.birth).days < _CHILD_DAYS
        bag = self.bags[child]
        if not set(bag) - self.jacket:
            fitting = [at for at, one in enumerate(RADIOGRAPHS) if one.child is child]
            bag += [fitting[int(one)] for one in self.rng.permutation(len(fitting))]
        number = next((one for one in bag if one not in self.jacket), bag[0])
        bag.remove(number)
        self.jacket.add(number)
        return number

    def keep_apart(self, jacket: "Jacket") -> None:
        """Draw no picture next that a jacket already has."""
        self.jacket = {film.source for item in jacket.items for film in item.films}

    def film(self, exam: Exam, *, evidence: str | None = None, known: bool = True) -> Film:
        self.films += 1
        block = write_block(self.rng, exam, evidence or self.evidence())
        if evidence == "full":
            block = replace(block, style="flashed" if self.rng.random() < 0.7 else "sticker")
        return Film(self.films, exam, block, self.source(exam), known=known)


def draw_plan(
    rng: np.random.Generator,
    *,
    jackets: int,
    hazards: bool,
    wear: float,
    most_films: int = 5,
    mammograms: bool = True,
    rng_of_pictures: np.random.Generator | None = None,
) -> Plan:
    """Plan a room.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    jackets : int
        How many.
    hazards : bool
        Whether to plant :data:`HAZARDS`, each at least once.
    wear : float
        0 to 1.
    most_films : int
        At most so many films of its own in a jacket.
    mammograms : bool
        Whether to put the real mammograms into one jacket.
    rng_of_pictures : numpy.random.Generator, optional
        Source of chance for sheets of many pictures, which come with the hazards.
    """
    draft = _Draft(rng, wear)
    index = people(rng, max(300, 40 * jackets))
    strangers = people(rng, 40)
    taken = {one.number for one in index}
    strangers = [
        one for one in strangers if one.number not in taken and not _like_someone(one, index)
    ]
    owners = _owners(rng, index, jackets, mammograms=mammograms)
    exams: list[Exam] = []
    made: list[Jacket] = []
    for number, owner in enumerate(owners):
        made.append(_jacket(draft, number, owner, most_films))
        exams.extend(made[-1].exams)
        exams.extend(other_exams(rng, owner, draft.numbers, made[-1].exams))
    if mammograms:
        _add_mammograms(draft, made, exams)
    if hazards:
        _plant(draft, made, index, strangers, exams)
    _fill_index(draft, index, {jacket.person.number for jacket in made}, exams)
    if hazards and rng_of_pictures is not None:
        _add_pictures(draft, made, exams, rng_of_pictures)
    rows = [_row(rng, jacket) for jacket in made]
    return Plan(index, exams, made, rows)


def _like_someone(person: Person, index: list[Person]) -> bool:
    return any(
        one.family == person.family and (one.given == person.given or one.birth == person.birth)
        for one in index
    )


def _owners(
    rng: np.random.Generator, index: list[Person], count: int, *, mammograms: bool
) -> list[Person]:
    """Choose whose jackets these are; many have a look-alike in the index."""
    alike = [number for number, one in enumerate(index) if one.kin]
    plain = [number for number, one in enumerate(index) if not one.kin]
    alike = [number - int(rng.integers(2)) for number in rng.permutation(alike)]
    plain = [int(number) for number in rng.permutation(plain)]
    chosen: list[int] = []
    while len(chosen) < count:
        pool = alike if alike and rng.random() < _LOOK_ALIKE_JACKETS else plain
        number = int(pool.pop())
        if number not in chosen:
            chosen.append(number)
    owners = [index[number] for number in chosen]
    if mammograms and not any(_adult_woman(one) for one in owners):
        others = [index[number] for number in plain if _adult_woman(index[number])]
        owners[-1] = others[0]
    return owners


def _adult_woman(person: Person) -> bool:
    return person.sex == "F" and 1910 < person.birth.year < 1952


def _jacket(draft: _Draft, number: int, person: Person, most_films: int) -> Jacket:
    rng = draft.rng
    draft.jacket.clear()
    count = int(rng.integers(1, 4))
    exams = chest_exams(rng, person, count, draft.numbers, missing=_MISSING_EXAMS)
    box = f"BOX-{1 + number // 6:03d}"
    name = f"{'ABCDEFGHK'[int(rng.integers(9))]}{int(rng.integers(10, 99))}-{number + 1:04d}"
    jacket = Jacket(name, box, f"JK{100000 + number * 37 + 11}", person, True, exams)
    jacket.items.append(Item("label"))
    for exam in exams:
        for _ in range(exam.films):
            if len(jacket.items) <= most_films:
                jacket.items.append(Item("film", (draft.film(exam),)))
    return jacket


def _add_mammograms(draft: _Draft, made: list[Jacket], exams: list[Exam]) -> None:
    """Put the real mammograms, on which nothing names a patient, into one woman's jacket."""
    jacket = next(one for one in reversed(made) if _adult_woman(one.person))
    exam = mammography(draft.rng, jacket.person, draft.numbers)
    exams.append(exam)
    jacket.exams.append(exam)
    for number in range(len(MAMMOGRAMS)):
        draft.films += 1
        film = Film(draft.films, exam, Block(()), 0, mammogram=number)
        jacket.items.append(Item("film", (film,)))


def _add_pictures(
    draft: _Draft, made: list[Jacket], exams: list[Exam], rng: np.random.Generator
) -> None:
    """Put a CT, MR or ultrasound sheet behind all else in a jacket, one for six jackets."""
    known = [jacket for jacket in made if jacket.known]
    for number in range(max(1, round(len(known) / 6))):
        jacket = known[int(rng.integers(len(known)))]
        kind = str(rng.choice(list(KINDS)))
        exam = pictures_exam(rng, jacket.person, draft.numbers, kind, KINDS[kind])
        exams.append(exam)
        block = replace(write_block(rng, exam, "full"), turn_deg=0, style="flashed")
        film = Film(draft.films + 1 + number, exam, block, 0, pictures=kind)
        jacket.items.append(Item("film", (film,), MANY_PICTURES))


def _fill_index(
    draft: _Draft, index: list[Person], owners: set[tuple[str, str]], exams: list[Exam]
) -> None:
    """Give the rest of the index its exams, so that look-alikes have films of their own."""
    have = {exam.person.number for exam in exams}
    for person in index:
        if person.number in owners or person.number in have or draft.rng.random() < 0.25:
            continue
        count = int(draft.rng.integers(1, 3))
        own = chest_exams(draft.rng, person, count, draft.numbers, missing=_MISSING_EXAMS)
        exams.extend(own)
        exams.extend(other_exams(draft.rng, person, draft.numbers, own))


def _row(rng: np.random.Generator, jacket: Jacket) -> JacketRow:
    told = jacket.known and rng.random() < 0.6
    films = sum(len(item.films) for item in jacket.items if item.repeats is None)
    return JacketRow(
        jacket.name,
        jacket.box,
        jacket.barcode,
        jacket.person.patient_id if told else "",
        jacket.person.issuer if told else "",
        films if rng.random() < 0.7 else None,
    )


def _plant(
    draft: _Draft,
    made: list[Jacket],
    index: list[Person],
    strangers: list[Person],
    exams: list[Exam],
) -> None:
    """Plant every hazard at least once, spread over the jackets."""
    rng = draft.rng
    order = [int(one) for one in rng.permutation(len(made))]
    rounds = max(1, round(len(made) / len(HAZARDS)))
    for place, hazard in enumerate(HAZARDS * rounds):
        jacket = made[order[place % len(order)]]
        if hazard == "jacket_not_in_index":
            _unknown_jacket(draft, made, jacket, strangers.pop())
        elif hazard == "misfiled_run":
            _shift_run(draft, made, jacket)
        else:
            items = _hazard_items(draft, hazard, jacket, made, index, strangers, exams)
            for item in items:
                at = int(rng.integers(2, len(jacket.items) + 1)) if len(jacket.items) > 1 else 1
                if item.hazard == "separator":
                    at = len(jacket.items)
                if item.repeats is not None:
                    at = 1 + max(
                        number
                        for number, one in enumerate(jacket.items)
                        if any(film.number == item.repeats for film in one.films)
                    )
                    at = int(rng.integers(at, len(jacket.items) + 1))
                jacket.items.insert(at, item)


def _hazard_items(
    draft: _Draft,
    hazard: str,
    jacket: Jacket,
    made: list[Jacket],
    index: list[Person],
    strangers: list[Person],
    exams: list[Exam],
) -> list[Item]:
    draft.keep_apart(jacket)
    own = next((one.films[0] for one in jacket.items if one.films and not one.hazard), None)
    if hazard in ("truncated", "empty", "garbage"):
        return [Item("unreadable", hazard=hazard)]
    if hazard == "blank":
        return [Item("blank", hazard=hazard)]
    if hazard == "separator":
        return [Item("separator", hazard=hazard)]
    if hazard == "document":
        return [Item("document", hazard=hazard, exam=jacket.exams[0])]
    if hazard in ("misfiled_stranger", "misfiled_sibling"):
        other = _other_person(draft, hazard, jacket, made, index)
        theirs = chest_exams(draft.rng, other, 1, draft.numbers, missing=0.0)
        exams.extend(theirs)
        return [Item("film", (draft.film(theirs[0], evidence="full"),), hazard)]
    if hazard == "not_in_index":
        theirs = chest_exams(draft.rng, strangers.pop(), 1, draft.numbers, missing=1.0)
        return [Item("film", (draft.film(theirs[0], evidence="full", known=False),), hazard)]
    if hazard == "dpi_wrong":
        return [Item("film", (draft.film(jacket.exams[0], evidence="full"),), hazard)]
    if hazard == "two_on_bed":
        pair = (draft.film(jacket.exams[0]), draft.film(jacket.exams[0]))
        return [Item("film", pair, hazard)]
    if own is None or own.mammogram is not None:
        own = draft.film(jacket.exams[0], evidence="full")
        jacket.items.append(Item("film", (own,)))
    return [Item("film", (own,), hazard, repeats=own.number)]


def _other_person(
    draft: _Draft, hazard: str, jacket: Jacket, made: list[Jacket], index: list[Person]
) -> Person:
    """Choose whose film was misfiled: one of the family, or a stranger."""
    owner = jacket.person
    if hazard == "misfiled_sibling":
        kin = [
            one
            for one in index
            if one.family == owner.family
            and one.number != owner.number
            and (one.given, one.suffix) != (owner.given, owner.suffix)
            and abs(one.birth.year - owner.birth.year) < 12
        ]
        if kin:
            return kin[0]
        brother = sibling(draft.rng, owner, {one.number for one in index})
        index.append(brother)
        return brother
    others = [one.person for one in made if one.person.family != owner.family]
    if others and draft.rng.random() < 0.5:
        return others[int(draft.rng.integers(len(others)))]
    rest = [one for one in index if one.family != owner.family]
    return rest[int(draft.rng.integers(len(rest)))]


def _unknown_jacket(
    draft: _Draft,
    made: list[Jacket],
    beside: Jacket,
    person: Person,
) -> None:
    """Add a jacket whose patient the index lacks, behind the given one."""
    jacket = _jacket(draft, len(made), person, 2)
    jacket.box, jacket.known = beside.box, False
    jacket.items = [
        replace(
            item,
            films=tuple(replace(film, known=False) for film in item.films),
            hazard="jacket_not_in_index",
        )
        for item in jacket.items
    ]
    made.append(jacket)


def _shift_run(draft: _Draft, made: list[Jacket], jacket: Jacket) -> None:
    """Let a film of this jacket and one of the next slip one jacket on."""
    first = made.index(jacket) % max(1, len(made) - 1)
    for number in range(first, min(first + 2, len(made) - 1)):
        here, there = made[number], made[number + 1]
        if not (here.known and there.known):
            continue
        draft.keep_apart(there)
        film = draft.film(here.exams[0], evidence="full")
        there.items.insert(1, Item("film", (film,), "misfiled_run"))
