"""Where films that contradict their jacket come from: the jacket before it, or the one behind.

Hands slip by one: a film falls into the next jacket, a run of jackets is shifted, two are swapped.
What this changes is words; whether a film is filed is decided without it.
"""

from collections.abc import Sequence
from dataclasses import replace

from digitizer.identity.compare import MISSING, compare_birth, compare_number, compare_person
from digitizer.identity.heard import name_said
from digitizer.model.identity import Agreement, JacketCase, Neighbour, Verdict
from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Code, Reason

__all__ = ["name_neighbours", "same_person"]

_ENOUGH_BITS = 15.0
"""A name and a birth date, or a number: what two bearers have in common of one person."""


def name_neighbours(verdicts: Sequence[Verdict], case: JacketCase) -> tuple[Verdict, ...]:
    """Say of films that contradict their jacket which neighbouring jacket they belong to.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of the case's films, in order.
    case : JacketCase
        With its neighbours in feeding order.
    """
    told = list(verdicts)
    for neighbour in case.neighbours:
        theirs = [
            number
            for number, film in enumerate(case.films)
            if _is_theirs(film.testimony, case.label, neighbour)
        ]
        speaking = sum(_speaks(film.testimony) for film in case.films)
        words = _words(neighbour, case.label, everything=len(theirs) == speaking > 1)
        for number in theirs:
            told[number] = _with_words(told[number], words)
    return tuple(told)


def _is_theirs(film: Testimony, label: Testimony | None, neighbour: Neighbour) -> bool:
    if neighbour.label is None or not same_person(film, neighbour.label):
        return False
    return label is None or not same_person(film, label)


def _speaks(said: Testimony) -> bool:
    return FieldName.FAMILY_NAME in said.fields or FieldName.PATIENT_ID in said.fields


def _words(neighbour: Neighbour, label: Testimony | None, *, everything: bool) -> str:
    where = f"the {'previous' if neighbour.before else 'next'} jacket"
    where += f" {neighbour.name}" if neighbour.name else ""
    if not everything:
        return f"It belongs to {where}, as that one's label says."
    if label is not None and any(same_person(film, label) for film in neighbour.films):
        return f"The films of this and of {where} are swapped."
    return f"All films here belong to {where}: they lie one jacket off."


def _with_words(verdict: Verdict, words: str) -> Verdict:
    reasons = tuple(
        Reason(one.code, f"{one.text} {words}") if one.code is Code.FILM_CONTRADICTS_JACKET else one
        for one in verdict.reasons
    )
    return replace(verdict, reasons=reasons)


def same_person(one: Testimony, other: Testimony) -> bool:
    """Tell whether two bearers name one person, whoever that is: in the index or not.

    A name that differs is another person; of number and birth date one may be misread.
    """
    mine, theirs = (
        {name: field.value for name, field in said.fields.items()} for said in (one, other)
    )
    family, given = compare_person(name_said(one), [name_said(other)], lambda _: 0.001)
    if not theirs.get(FieldName.FAMILY_NAME):
        family = given = MISSING
    if Agreement.DISAGREES in (family.agreement, given.agreement):
        return False
    number = compare_number(
        mine.get(FieldName.PATIENT_ID, ""), [theirs.get(FieldName.PATIENT_ID, "")]
    )
    birth = compare_birth(mine.get(FieldName.BIRTH_DATE, ""), theirs.get(FieldName.BIRTH_DATE, ""))
    if number.agreement is birth.agreement is Agreement.DISAGREES:
        return False
    return family.bits + given.bits + number.bits + birth.bits >= _ENOUGH_BITS
