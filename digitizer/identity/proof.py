"""Whether what agrees is proof enough to file a film without a person (DESIGN §5)."""

from collections.abc import Sequence

from digitizer.identity.linkage import Agreements, Linked
from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName

__all__ = ["IDENTIFIERS", "NUMBERS", "agreeing", "enough"]

IDENTIFIERS = (
    FieldName.PATIENT_ID,
    FieldName.FAMILY_NAME,
    FieldName.BIRTH_DATE,
    FieldName.ACCESSION_NUMBER,
)
"""What is independent of each other (DESIGN §5)."""
NUMBERS = (FieldName.PATIENT_ID, FieldName.ACCESSION_NUMBER)


def agreeing(best: Linked) -> list[FieldName]:
    """Return the independent identifiers that agree, on film or label; a field counts once."""
    return [name for name in IDENTIFIERS if _counts(best, name, on_film=False)]


def _counts(best: Linked, name: FieldName, *, on_film: bool) -> bool:
    if name is not FieldName.FAMILY_NAME:
        return best.agrees(name, on_film=on_film)
    sides = (best.film,) if on_film else (best.film, best.label)
    return any(_name_agrees(side) for side in sides)


def _name_agrees(side: Agreements) -> bool:
    """Tell whether family and given name agree, one of them read with one wrong character.

    The given name may also be an initial, not another one.
    """
    family, given = side.get(FieldName.FAMILY_NAME), side.get(FieldName.GIVEN_NAME)
    if family is None or given is None:
        return False
    hows = {family.agreement, given.agreement}
    return Agreement.AGREES in hows and hows <= {Agreement.AGREES, Agreement.SIMILAR}


def enough(best: Linked, *, dated: bool) -> bool:
    """Apply DESIGN §5: the film bears one, two independent in all, one of them a number.

    A number that only the label bears does not file a film by a name alone: the film must tie
    itself to it, by a number of its own or by name and birth date. A number on the film with one
    wrong character does where name and birth date are exact there: nobody else fits all three. So
    does an exact name with the day of one of the patient's exams: a namesake's film that slipped
    into this jacket is of such a day in three of ten thousand cases.
    """
    on_film = [name for name in IDENTIFIERS if _counts(best, name, on_film=True)]
    all_of_them = agreeing(best)
    number = any(name in NUMBERS for name in on_film)
    tied = len(on_film) >= 2 and any(name in NUMBERS for name in all_of_them)
    if bool(on_film) and (number or tied) and len(all_of_them) >= 2:
        return True
    name = (FieldName.FAMILY_NAME, FieldName.GIVEN_NAME)
    if dated and best.agrees(FieldName.PATIENT_ID) and _all_agree(best, name):
        return True
    near = best.film.get(FieldName.PATIENT_ID)
    return (
        _all_agree(best, (*name, FieldName.BIRTH_DATE))
        and near is not None
        and near.agreement is Agreement.SIMILAR
    )


def _all_agree(best: Linked, names: Sequence[FieldName]) -> bool:
    """Tell whether all these fields agree exactly on the film itself."""
    return all(best.agrees(name, on_film=True) for name in names)
