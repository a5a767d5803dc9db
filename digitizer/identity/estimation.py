"""What agreement is worth, estimated from decisions themselves: no truth is needed.

Expectation and maximisation on patterns of agreement (Fellegi and Sunter 1969; Jaro 1989): each
pair of a film and a candidate is a match with some probability; m is how often a field agrees,
nearly agrees or differs among matches, u among the rest. Fields are taken as independent of each
other given the match, and what was not read as missing by chance. Candidates were found by their
likeness: u is that of look-alikes, not of anybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName

__all__ = ["Estimate", "Pattern", "estimate"]

Pattern = Mapping[FieldName, Agreement]
"""How one film and one candidate agree, field by field; missing fields are left out."""

_LEVELS = (Agreement.AGREES, Agreement.SIMILAR, Agreement.DISAGREES)
_ROUNDS = 200
_STILL = 1e-7
_PRIOR = 0.5
"""Counted before anything is seen, of each level (Jeffreys)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What was estimated.

    Attributes
    ----------
    share : float
        Of the pairs that are matches.
    m, u : mapping
        Chance of each level of each field, among matches and among the rest, where it was read.
    pairs : int
        On which it rests.
    """

    share: float
    m: Mapping[FieldName, Mapping[Agreement, float]]
    u: Mapping[FieldName, Mapping[Agreement, float]]
    pairs: int

    def bits(self, name: FieldName, how: Agreement) -> float:
        """Return log2(m / u) of a level of a field."""
        return log2(self.m[name][how] / self.u[name][how])


def estimate(pairs: Iterable[tuple[Pattern, bool | None]], *, share: float = 0.5) -> Estimate:
    """Estimate m and u.

    Parameters
    ----------
    pairs : iterable of (mapping, bool or None)
        Films and candidates, right ones and wrong ones among them; True or False where a decision
        says which they are.
    share : float
        Of matches, to begin with.

    Raises
    ------
    ValueError
        There are no pairs.
    """
    counted = _counted(pairs)
    if not counted:
        raise ValueError("nothing to estimate from")
    total = sum(counted.values())
    fields = sorted({name for pattern, _ in counted for name, _ in pattern})
    m = {name: {how: (0.9, 0.07, 0.03)[at] for at, how in enumerate(_LEVELS)} for name in fields}
    u = {name: {how: (0.1, 0.1, 0.8)[at] for at, how in enumerate(_LEVELS)} for name in fields}
    for _ in range(_ROUNDS):
        matched = {
            one: _chance(one[0], m, u, share) if one[1] is None else float(one[1])
            for one in counted
        }
        sure = sum(matched[one] * count for one, count in counted.items())
        new_m = _shares(fields, counted, matched, match=True)
        new_u = _shares(fields, counted, matched, match=False)
        moved = abs(sure / total - share) + sum(
            abs(new_m[name][how] - m[name][how]) for name in fields for how in _LEVELS
        )
        m, u, share = new_m, new_u, sure / total
        if moved < _STILL:
            break
    return Estimate(share=share, m=m, u=u, pairs=total)


_Levels = tuple[tuple[FieldName, Agreement], ...]
_Key = tuple[_Levels, bool | None]


def _counted(pairs: Iterable[tuple[Pattern, bool | None]]) -> dict[_Key, int]:
    counted: dict[_Key, int] = {}
    for pattern, known in pairs:
        levels = tuple(sorted((name, how) for name, how in pattern.items() if how in _LEVELS))
        if levels:
            counted[levels, known] = counted.get((levels, known), 0) + 1
    return counted


def _chance(
    one: _Levels,
    m: Mapping[FieldName, Mapping[Agreement, float]],
    u: Mapping[FieldName, Mapping[Agreement, float]],
    share: float,
) -> float:
    """Return the chance that a pair is a match."""
    yes, no = share, 1 - share
    for name, how in one:
        yes *= m[name][how]
        no *= u[name][how]
    return yes / (yes + no) if yes + no > 0 else 0.0


def _shares(
    fields: Sequence[FieldName],
    counted: Mapping[_Key, int],
    matched: Mapping[_Key, float],
    *,
    match: bool,
) -> dict[FieldName, dict[Agreement, float]]:
    """Return how the levels of each field share out among matches, or among the rest."""
    sums = {name: dict.fromkeys(_LEVELS, _PRIOR) for name in fields}
    for one, count in counted.items():
        weight = count * (matched[one] if match else 1 - matched[one])
        for name, how in one[0]:
            sums[name][how] += weight
    return {
        name: {how: value / sum(levels.values()) for how, value in levels.items()}
        for name, levels in sums.items()
    }
