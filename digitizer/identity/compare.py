"""Comparing what was read with what the index says, in bits of evidence.

Fellegi and Sunter (1969): the weight of an observation is log2(m / u), m its chance when the
candidate is right and u when another patient is. Reading errors belong to m: one confused character
costs the bits of one misreading, not those of a different value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2

from rapidfuzz.distance import OSA

from digitizer.identity.spelling import MENDED, plain, words_of
from digitizer.model.identity import Agreement, PersonName

__all__ = [
    "BIRTH_BITS",
    "MISSING",
    "NUMBER_BITS",
    "OTHER_NUMBER",
    "Compared",
    "compare_birth",
    "compare_number",
    "compare_person",
    "compare_sex",
    "compare_suffix",
    "plain",
]

Share = Callable[[str], float]
"""Share of the patients of the index who bear a name: SMITH says less than OKONKWO."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How a value agrees, and what that says in bits."""

    agreement: Agreement
    bits: float


MISSING = Compared(Agreement.MISSING, 0.0)
_MISREAD_BITS = 6.0
"""One character misread: about one number in sixty."""
NUMBER_BITS = 20.0
"""An exact record number: a million numbers of that form."""
BIRTH_BITS = 14.0
"""An exact birth date: some 60 years of days."""
_ORDER_BITS = 2.0
"""Day and month the other way round: clerks of two countries, one in a few."""
_RARE_FAMILY, _RARE_GIVEN = 13.0, 8.0
"""Most that a name may say: counts of rarer ones are too small to trust."""
_DAMAGED = Compared(Agreement.MISSING, -1.0)
"""Read too badly to speak for or against."""
OTHER_NUMBER = Compared(Agreement.DISAGREES, -7.0)
_OTHER_FAMILY, _OTHER_GIVEN = (
    Compared(Agreement.DISAGREES, -8.0),
    Compared(Agreement.DISAGREES, -6.0),
)


def compare_number(read: str, candidates: Sequence[str]) -> Compared:
    """Compare a record or accession number with those of the candidate; the best counts."""
    if not read or not candidates:
        return MISSING
    word = plain(read)
    best = min((_number_distance(word, plain(one)) for one in candidates if one), default=None)
    if best is None:
        return MISSING
    if best == 0:
        return Compared(Agreement.AGREES, NUMBER_BITS)
    if best <= 1:
        return Compared(Agreement.SIMILAR, NUMBER_BITS - _MISREAD_BITS)
    if best == 2:
        return Compared(Agreement.DISAGREES, NUMBER_BITS - 3 * _MISREAD_BITS)
    return OTHER_NUMBER


def _number_distance(read: str, known: str) -> int:
    """Return edits (with transpositions); letters that stand for digits count one, not none."""
    if read == known:
        return 0
    mended = OSA.distance(read.translate(MENDED), known.translate(MENDED), score_cutoff=2)
    return max(1, min(int(mended), int(OSA.distance(read, known, score_cutoff=2))))


def compare_person(
    read: PersonName, names: Sequence[PersonName], share: Share
) -> tuple[Compared, Compared]:
    """Compare family and given name with the present and former ones; the best pair counts.

    Which words are the family name is often the grammar's guess (``THOMAS NANCY``, ``JAN VAN DER
    BERG``), so the words are also compared as a whole.
    """
    if not read.family and not read.given:
        return MISSING, MISSING
    pairs = [_pair(read, known, share) for known in names]
    return max(pairs, key=lambda pair: pair[0].bits + pair[1].bits)


def _pair(read: PersonName, known: PersonName, share: Share) -> tuple[Compared, Compared]:
    family = _family(read.family, known.family, share)
    given = _given(read.given, known.given, share)
    if Agreement.DISAGREES not in (family.agreement, given.agreement):
        return family, given
    if read.family and read.given and known.given:
        wrong = _regrouped(read, known)
        # Grouped otherwise, both parts differ; where one agrees, the other is another name.
        both = family.agreement is given.agreement
        if wrong == 0 or (wrong and both):
            commonest = max(share(read.family), share(read.given), share(known.family))
            how = Agreement.SIMILAR if wrong else Agreement.AGREES
            return (
                Compared(how, _rare(commonest, _RARE_FAMILY) - 5.0 * wrong),
                Compared(how, _rare(commonest, _RARE_GIVEN) - 1.0),
            )
    return family, given


def _regrouped(read: PersonName, known: PersonName) -> int | None:
    """Return how many characters differ, 0 or 1, when the words are grouped otherwise."""
    words = [*words_of(read.family), *words_of(read.given), *words_of(read.middle)]
    family, given = words_of(known.family), words_of(known.given)[:1]
    if given and set(family) <= set(words) and given[0] in words:
        return 0
    last, first = "".join(family), "".join(given)
    if len(last + first) < 7:
        return None
    mine = "".join([*words_of(read.family), *words_of(read.given)])
    full = "".join(words)
    middle = "".join(words_of(known.middle))
    targets = {last + first, first + last, last + first + middle, first + middle + last}
    distances = [
        int(OSA.distance(one, target, score_cutoff=1)) for one in (mine, full) for target in targets
    ]
    return min(distances) if min(distances) <= 1 else None


def _family(read: str, known: str, share: Share) -> Compared:
    if not read:
        return MISSING
    word, theirs = _sounds(read), _sounds(known)
    distance = int(OSA.distance(word, theirs, score_cutoff=2))
    rare = _rare(share(read), _RARE_FAMILY)
    if distance == 0:
        return Compared(Agreement.AGREES, rare)
    if distance == 1 and len(word) >= 4:
        return Compared(Agreement.SIMILAR, rare - 5.0)
    if distance == 2 and len(word) >= 7:
        return Compared(Agreement.SIMILAR, rare - 9.0)
    return _DAMAGED if _cut(word, theirs) else _OTHER_FAMILY


def _given(read: str, known: str, share: Share) -> Compared:
    """Compare a given name; an initial alone says little."""
    if not read or not known:
        return MISSING
    word, theirs = _sounds(read), _sounds(known)
    rare = _rare(share(read), _RARE_GIVEN)
    first = _sounds(known.split()[0])
    if word in (theirs, first):
        return Compared(Agreement.AGREES, rare)
    if len(word) == 1:
        alike = theirs.startswith(word)
        return Compared(Agreement.SIMILAR, 3.0) if alike else _OTHER_GIVEN
    if len(theirs) == 1:
        return Compared(Agreement.SIMILAR, 2.0) if word.startswith(theirs) else _OTHER_GIVEN
    distance = min(int(OSA.distance(word, one, score_cutoff=2)) for one in (theirs, first))
    if _cut(word, theirs) and not (len(word) >= 4 and distance == 1):
        return _DAMAGED
    # ANN and ANNE, ERIC and ERICA are two people; a character misread is mostly another one.
    if len(word) >= 4 and distance == 1:
        return Compared(Agreement.SIMILAR, rare - 4.0)
    if len(word) >= 6 and distance == 2:
        return _DAMAGED
    return _OTHER_GIVEN


def _cut(word: str, known: str) -> bool:
    """Tell whether a word is what is left of a name whose beginning or end was not read."""
    # LI is a name of its own, not what is left of LIEBERMANN.
    short = 2 <= len(word) < len(known) <= 2 * len(word)
    return short and (known.startswith(word) or known.endswith(word))


@lru_cache(maxsize=50_000)
def _sounds(name: str) -> str:
    """Return a name without the signs, and with umlauts written in one way."""
    word = plain(name)
    return word.replace("AE", "A").replace("OE", "O").replace("UE", "U")


def _rare(share: float, most: float) -> float:
    return min(most, -log2(max(share, 1e-9)))


def compare_birth(read: str, known: str) -> Compared:
    """Compare birth dates; the index may know only a year or a month."""
    if not read or not known:
        return MISSING
    if len(known) < 10:
        same = read.startswith(known)
        return Compared(Agreement.SIMILAR, 5.0) if same else Compared(Agreement.DISAGREES, -6.0)
    if read == known:
        return Compared(Agreement.AGREES, BIRTH_BITS)
    if read[:4] == known[:4] and read[5:7] == known[8:] and read[8:] == known[5:7]:
        return Compared(Agreement.AGREES, BIRTH_BITS - _ORDER_BITS)
    wrong = sum(a != b for a, b in zip(read, known, strict=False))
    if wrong == 1 or (read[2:] == known[2:] and wrong == 2):
        return Compared(Agreement.SIMILAR, BIRTH_BITS - _MISREAD_BITS - 2)
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
