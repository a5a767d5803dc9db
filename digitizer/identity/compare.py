"""Comparing what was read with what the index says, in bits of evidence.

Fellegi and Sunter (1969): the weight of an observation is log2(m / u), m its chance when the
candidate is right and u when another patient is. Reading errors belong to m: one confused character
costs the bits of one misreading, not those of a different value.
"""

from dataclasses import dataclass
from math import log2

from rapidfuzz.distance import OSA

from digitizer.model.identity import Agreement, PatientRecord, PersonName

__all__ = [
    "Compared",
    "compare_birth",
    "compare_family",
    "compare_given",
    "compare_number",
    "plain",
]

_CONFUSED = str.maketrans("OQDILZSBG", "000112586")


@dataclass(frozen=True, slots=True)
class Compared:
    """How a value agrees, and what that says in bits."""

    agreement: Agreement
    bits: float


MISSING = Compared(Agreement.MISSING, 0.0)
_MISREAD_BITS = 6.0
"""One character misread: about one number in sixty."""
_NUMBER_BITS = 20.0
"""An exact record number: a million numbers of that form."""
_BIRTH_BITS = 14.0
"""An exact birth date: some 60 years of days."""


def plain(text: str) -> str:
    """Return a name or number without what is written now so, now otherwise."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def compare_number(read: str, candidates: list[str]) -> Compared:
    """Compare a record or accession number with those of the candidate; the best counts."""
    if not read or not candidates:
        return MISSING
    distances = [_number_distance(plain(read), plain(one)) for one in candidates if one]
    if not distances:
        return MISSING
    best = min(distances)
    if best == 0:
        return Compared(Agreement.AGREES, _NUMBER_BITS)
    if best <= 1:
        return Compared(Agreement.SIMILAR, _NUMBER_BITS - _MISREAD_BITS)
    if best == 2:
        return Compared(Agreement.DISAGREES, _NUMBER_BITS - 3 * _MISREAD_BITS)
    return Compared(Agreement.DISAGREES, -7.0)


def _number_distance(read: str, known: str) -> int:
    """Return edits (with transpositions); letters that stand for digits count one, not none."""
    if read == known:
        return 0
    mended = OSA.distance(read.translate(_CONFUSED), known.translate(_CONFUSED))
    return max(1, min(int(mended), int(OSA.distance(read, known))))


def compare_family(read: str, names: list[PersonName], share: float) -> Compared:
    """Compare a family name with the present and former ones.

    Parameters
    ----------
    share : float
        Share of the patients of the index who bear the name read: SMITH says less than OKONKWO.
    """
    if not read:
        return MISSING
    rare = min(13.0, -log2(max(share, 1e-4)))
    distance = min(_name_distance(read, name.family) for name in names)
    if distance == 0:
        return Compared(Agreement.AGREES, rare)
    if distance == 1 and len(plain(read)) >= 4:
        return Compared(Agreement.SIMILAR, rare - 5.0)
    if distance == 2 and len(plain(read)) >= 7:
        return Compared(Agreement.SIMILAR, rare - 9.0)
    return Compared(Agreement.DISAGREES, -8.0)


def compare_given(read: str, names: list[PersonName], share: float) -> Compared:
    """Compare a given name; an initial alone says little."""
    if not read:
        return MISSING
    rare = min(8.0, -log2(max(share, 4e-3)))
    given = [plain(name.given) for name in names]
    word = plain(read)
    if word in given:
        return Compared(Agreement.AGREES, rare)
    if len(word) == 1 and any(one.startswith(word) for one in given):
        return Compared(Agreement.SIMILAR, 3.0)
    if len(word) >= 4 and min(OSA.distance(word, one) for one in given) == 1:
        return Compared(Agreement.SIMILAR, rare - 4.0)
    return Compared(Agreement.DISAGREES, -6.0)


def _name_distance(read: str, known: str) -> int:
    return int(OSA.distance(plain(read), plain(known)))


def compare_birth(read: str, known: str) -> Compared:
    """Compare birth dates; the index may know only a year or a month."""
    if not read or not known:
        return MISSING
    if len(known) < 10:
        same = read.startswith(known)
        return Compared(Agreement.SIMILAR, 5.0) if same else Compared(Agreement.DISAGREES, -6.0)
    if read == known:
        return Compared(Agreement.AGREES, _BIRTH_BITS)
    wrong = sum(a != b for a, b in zip(read, known, strict=False))
    swapped = read[:4] == known[:4] and read[5:7] == known[8:] and read[8:] == known[5:7]
    if wrong == 1 or swapped:
        return Compared(Agreement.SIMILAR, _BIRTH_BITS - _MISREAD_BITS - 2)
    return Compared(Agreement.DISAGREES, -9.0)


def compare_suffix(read: str, known: str) -> Compared:
    """Compare JR and SR: two that differ are father and son."""
    if read and known:
        agrees = read == known
        return Compared(Agreement.AGREES, 3.0) if agrees else Compared(Agreement.DISAGREES, -10.0)
    if read or known:
        return Compared(Agreement.MISSING, -1.0)
    return MISSING


def compare_sex(read: str, known: str) -> Compared:
    """Compare sex where both tell M or F."""
    if read in ("M", "F") and known in ("M", "F"):
        agrees = read == known
        return Compared(Agreement.AGREES, 1.0) if agrees else Compared(Agreement.DISAGREES, -6.0)
    return MISSING


def numbers_of(patient: PatientRecord) -> list[str]:
    """Return the patient's number with merged ones of any issuer."""
    return [patient.patient_id, *(number for _, number in patient.other_ids)]
