"""Jackets as texts: what engines might have read of their labels and films, with known truth."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from digitizer.rehearsal.block import write_block
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.label import write_label
from digitizer.rehearsal.misreading import LEVELS, Wear, misread
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.town import Town, kin_of
from digitizer.rehearsal.wording import exam_line

__all__ = ["FilmText", "Misfiles", "Spoilt", "jackets_of", "tells_exam"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfiles:
    """How often films lie wrong, as parts of all jackets; more than a library holds."""

    stranger: float = 0.03
    kin: float = 0.03
    """A film of somebody who resembles the jacket's patient, where there is one."""
    shifted: float = 0.01
    """A run of jackets whose films lie one jacket further on."""
    swapped: float = 0.01
    """Two neighbours whose films lie in each other's jacket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """What is taken from films beside what is misread by chance, as parts of all films.

    So that evidence which is rare by itself can be measured as often as the usual one.
    """

    record: float = 0.0
    """Record numbers read wrong in a place or two, or not at all."""
    lost: float = 0.0
    """Blocks that bear no record number."""
    accession: float = 0.0
    """Accession numbers read wrong in one place."""
    unnumbered: float = 0.0
    """Blocks that bear no accession number."""
    full: bool = False
    """Whether all films bear a full block, and all labels a log of the exams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmText:
    """One film as read, and the truth about it.

    Attributes
    ----------
    row : dict
        The line that ``digitizer match`` takes.
    person : Person
        Whose film it is.
    exam : Exam
    known : bool
        Whether the patient index has the person.
    owner : Person
        Whose jacket it lies in.
    misfile : str
        Empty, or ``stranger``, ``twin``, ``namesake`` ..., ``shifted``, ``swapped``.
    evidence : str
        ``full``, ``partial``, ``faint`` or ``none``; the first two are legible to a person.
    tells_exam : bool
        Whether the block bears what tells the exam from the person's others.
    wear : str
    """

    row: dict[str, Any]
    person: Person
    exam: Exam
    known: bool
    owner: Person
    misfile: str
    evidence: str
    tells_exam: bool
    wear: str

    @property
    def legible(self) -> bool:
        """Whether a person can read the block."""
        return self.evidence in ("full", "partial")

    @property
    def fileable(self) -> bool:
        """Whether it should go by itself: all there, in its place, nothing ambiguous about it."""
        there = self.known and self.exam.indexed and not self.misfile
        return there and self.evidence == "full" and self.tells_exam


@dataclass(slots=True)
class _Jacket:
    at: int
    owner: Person
    films: list[tuple[int, Exam, str]] = field(default_factory=list)


_ON_FILMS = ("KVP 80", "MAS 12", "TABLE 2", "PORTABLE", "ROOM 3", "TECH JM", "UPRIGHT", "R", "L")
_ON_LABELS = ("COPY", "VOL 2", "LOANED", "DO NOT DESTROY", "FILM LIBRARY")
_BOX = 12


def jackets_of(
    made: Town,
    seed: int,
    films: int,
    misfiles: Misfiles = Misfiles(),
    levels: tuple[str, ...] = ("fresh", "worn", "bad"),
    *,
    spoilt: Spoilt = Spoilt(),
) -> Iterator[FilmText]:
    """Write films jacket by jacket, in feeding order, until there are enough.

    Parameters
    ----------
    made : Town
    seed : int
    films : int
        How many, at least; jackets are not broken off.
    misfiles : Misfiles
    levels : tuple of str
        Keys of :data:`digitizer.rehearsal.misreading.LEVELS`, each as often.
    spoilt : Spoilt
    """
    rng, draw = Random(seed), np.random.default_rng(seed)
    number = 0
    while number < films:
        box = [_jacket(made, rng) for _ in range(_BOX)]
        _misfile(made, box, misfiles, rng)
        for jacket in box:
            level = rng.choice(levels)
            for one in _texts(made, jacket, level, number, rng, draw, spoilt):
                number += 1
                yield one


def _jacket(made: Town, rng: Random) -> _Jacket:
    at = rng.randrange(len(made.people))
    jacket = _Jacket(at, made.people[at])
    for exam in made.exams[at]:
        if rng.random() < 0.8:
            jacket.films += [(at, exam, "")] * min(exam.films, 2)
    return jacket


def _misfile(made: Town, box: list[_Jacket], misfiles: Misfiles, rng: Random) -> None:
    """Lay some films of a box wrong."""
    for here, jacket in enumerate(box):
        if rng.random() < misfiles.stranger:
            _slip(made, jacket, rng.randrange(len(made.people)), "stranger", rng)
        kin = kin_of(made, jacket.at)
        if kin and rng.random() < misfiles.kin / 0.12:
            other = rng.choice(kin)
            kind = made.people[max(other, jacket.at)].kin or "stranger"
            _slip(made, jacket, other, kind, rng)
        if here + 1 < len(box) and rng.random() < misfiles.swapped:
            _exchange(box[here : here + 2], "swapped")
        if here + 3 < len(box) and rng.random() < misfiles.shifted:
            _exchange(box[here : here + rng.choice((3, 4))], "shifted")


def _slip(made: Town, jacket: _Jacket, other: int, kind: str, rng: Random) -> None:
    if made.exams[other]:
        film = (other, rng.choice(made.exams[other]), kind)
        jacket.films.insert(rng.randrange(len(jacket.films) + 1), film)


def _exchange(run: list[_Jacket], kind: str) -> None:
    """Lay each jacket's films one jacket further on."""
    if any(mark for jacket in run for _, _, mark in jacket.films):
        return
    moved = [[(at, exam, kind) for at, exam, _ in jacket.films] for jacket in run]
    for jacket, films in zip(run, moved[1:] + moved[:1], strict=True):
        jacket.films = films


def _texts(
    made: Town,
    jacket: _Jacket,
    level: str,
    number: int,
    rng: Random,
    draw: np.random.Generator,
    spoilt: Spoilt,
) -> Iterator[FilmText]:
    wear = LEVELS[level]
    own = [exam for exam in made.exams[jacket.at] if rng.random() < 0.95]
    label = write_label(draw, jacket.owner, own, None, 0.5)
    lines = [label.heading] if label.heading else []
    log = label.log
    if spoilt.full and not log:
        log = tuple(exam_line(draw, exam) for exam in own)
    lines += [*label.lines, *log]
    if rng.random() < 0.2:
        lines.append(rng.choice(_ON_LABELS))
    coded = [jacket.owner.patient_id] if rng.random() < 0.1 else []
    bearer = {"lines": misread(lines, wear, rng), "barcodes": coded}
    for offset, (at, exam, misfile) in enumerate(jacket.films):
        chances = (1.0, 0.0, 0.0, 0.0) if spoilt.full else (0.72, 0.1, 0.08, 0.1)
        evidence = rng.choices(("full", "partial", "faint", "none"), chances)[0]
        block = write_block(draw, exam, evidence)
        texts, fields = list(block.lines), dict(block.fields)
        if rng.random() < spoilt.record:
            texts = [_spoilt(text, exam.person.patient_id, rng) for text in texts]
        if spoilt.lost and rng.random() < spoilt.lost:
            texts = [_without(text, exam.person.patient_id) for text in texts]
        if spoilt.unnumbered and rng.random() < spoilt.unnumbered:
            texts = [_without(text, exam.accession) for text in texts]
            fields.pop("accession_number", None)
        elif spoilt.accession and rng.random() < spoilt.accession:
            texts = [_one_wrong(text, exam.accession, rng) for text in texts]
        yield FilmText(
            row={
                "id": f"{number + offset}",
                "group": f"{number}",
                "jacket": bearer,
                "film": {"lines": _read(texts, evidence, wear, rng), "barcodes": []},
            },
            person=made.people[at],
            exam=exam,
            known=made.known[at],
            owner=jacket.owner,
            misfile=misfile,
            evidence=evidence,
            tells_exam=tells_exam(fields, exam, made.exams[at]),
            wear=level,
        )


def _spoilt(text: str, number: str, rng: Random) -> str:
    """Return a line with the record number read wrong in one place, in two, or not at all."""
    for _ in range(rng.choice((1, 1, 1, 2))):
        at = rng.randrange(len(number))
        wrong = number[:at] + rng.choice("0123456789BSOIZ") + number[at + 1 :]
        if rng.random() < 0.25:
            wrong = ""
        text, number = text.replace(number, wrong), wrong
        if not number:
            break
    return text


_CAPTIONS = r"(?:ACC#?|ACCESSION:|FILM NO\.|MRN:?|NO\.|HOSP NO:|ID:|UNIT NO\.|X-RAY NO\.) "


def _without(text: str, number: str) -> str:
    """Return a line without a number and its caption."""
    return re.sub(rf"(?:(?<![A-Z]){_CAPTIONS})?{re.escape(number)}", "", text).strip()


def _one_wrong(text: str, accession: str, rng: Random) -> str:
    """Return a line with one digit of the accession number wrong."""
    at = rng.choice([place for place, sign in enumerate(accession) if sign.isdigit()])
    wrong = accession[:at] + rng.choice("0123456789BSOIZ") + accession[at + 1 :]
    return text.replace(accession, wrong)


def _read(lines: list[str], evidence: str, wear: Wear, rng: Random) -> list[str]:
    if rng.random() < 0.3:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(_ON_FILMS))
    if evidence == "faint":
        # Beyond a person's eyes an engine reads bits of it at best.
        wear = Wear(sign=0.3, dropped=0.5, merged=0.1, cut=0.3, space=0.2, junk=0.3)
    return misread(lines, wear, rng)


def tells_exam(fields: dict[str, str], exam: Exam, others: list[Exam]) -> bool:
    """Tell whether a block says which exam it is of: by number, or by the day if there is one."""
    if "accession_number" in fields:
        return True
    same_day = [one for one in others if one.day == exam.day]
    if "study_date" not in fields:
        return False
    parts = {one.body_part for one in same_day}
    return len(same_day) == 1 or ("description" in fields and len(parts) == len(same_day))
