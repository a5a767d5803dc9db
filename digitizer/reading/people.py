"""How many people a sheet names: a label stuck over an older one names two."""

from collections.abc import Callable, Sequence

from rapidfuzz.distance import OSA

from digitizer.model.reading import FieldName
from digitizer.reading.hearing import SHAPED
from digitizer.reading.looks import Heard, plain
from digitizer.reading.voting import one_number

__all__ = ["alike", "people_named"]


def people_named(witnesses: Sequence[Heard]) -> int:
    """Count the different people whom any one engine's lines name; 0 when they name nobody.

    Conservative: only names with caption, comma or caret count, and two spellings within two
    characters, or one with more given names than the other, are one person; of record numbers only
    those as plainly such, and not two that differ in a few characters.
    """
    counts = [0]
    for heard in witnesses:
        names = [
            plain(one.name.family + one.name.given)
            for one in heard.witness.names
            if one.confidence >= SHAPED
        ]
        numbers = [
            one.value
            for one in heard.witness.claims.get(FieldName.PATIENT_ID, [])
            if one.confidence >= SHAPED
        ]
        counts += [_different(names, alike), _different(numbers, one_number)]
    return max(counts)


def alike(one: str, other: str) -> bool:
    """Tell whether two spellings may be of one name."""
    short, long = sorted((one, other), key=len)
    return OSA.distance(one, other) <= 2 or long.startswith(short) or sorted(one) == sorted(other)


def _different(values: Sequence[str], same: Callable[[str, str], bool]) -> int:
    apart: list[str] = []
    for value in values:
        if not any(same(value, one) for one in apart):
            apart.append(value)
    return len(apart)
