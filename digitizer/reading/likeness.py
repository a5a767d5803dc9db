"""How far a word that an engine read lies from a word that may have been printed.

An edit distance (Damerau 1964) in which signs that look alike cost less, and one sign that falls in
two (M in IN), two that run together, and a sign seen twice count as one confusion each.
"""

from functools import lru_cache

from rapidfuzz.distance import OSA

__all__ = ["misreading"]

_CONFUSED = 0.4
"""Cost of taking a sign for one that looks like it; any other change costs 1."""
_LIKE = (
    "B8 B3 BR BE BP BD O0 OQ OC OD OU 0Q 0C 0D 08 I1 IL IT IJ IF I7 1L 17 LE LT T7 TY TF TJ HN HM "
    "HK NM NW MW EF EC FP RP RK RA RH S5 S8 53 58 38 Z2 Z7 A4 UV UJ VY VW G6 GC GO CE KX XY DQ PD "
    "60 68 B6"
)
_ALIKE = frozenset(map(frozenset, _LIKE.split()))
_TWO = frozenset({("M", "IN"), ("M", "RN"), ("M", "NI"), ("M", "TN"), ("N", "RI"), ("N", "TI"),
                  ("H", "LI"), ("H", "II"), ("H", "TI"), ("W", "VV"), ("D", "CL"), ("U", "LI"),
                  ("B", "IS"), ("B", "I3"), ("K", "IC"), ("R", "IZ")})  # fmt: skip
_FURTHEST = 0.5
"""Plain edits to the length of a word beyond which no confusion explains what was read."""


@lru_cache(maxsize=20_000)
def misreading(read: str, printed: str) -> float | None:
    """Return the cost of the likeliest confusions that make one word of another; None if too many.

    Parameters
    ----------
    read : str
        Letters and digits in upper case.
    printed : str
        Likewise.
    """
    most = int(_FURTHEST * len(printed)) + 1
    if abs(len(read) - len(printed)) > most:
        return None
    if OSA.distance(read, printed, score_cutoff=most) > most:
        return None
    costs = {(0, 0): 0.0}
    for i in range(len(read) + 1):
        for j in range(len(printed) + 1):
            if i or j:
                costs[i, j] = min(_last(read[:i], printed[:j], costs))
    return costs[len(read), len(printed)]


def _last(read: str, printed: str, costs: dict[tuple[int, int], float]) -> list[float]:
    """Return what words cost by what may have become of their last signs."""
    i, j = len(read), len(printed)
    ways: list[float] = []
    if i and j:
        ways.append(costs[i - 1, j - 1] + _instead(read[-1], printed[-1]))
    if i:
        again = j and (read[-1] == printed[-1] or _is_alike(read[-1], printed[-1]))
        ways.append(costs[i - 1, j] + (_CONFUSED if again else 1.0))
    if j:
        ways.append(costs[i, j - 1] + 1.0)
    if i > 1 and j and (printed[-1], read[-2:]) in _TWO:
        ways.append(costs[i - 2, j - 1] + _CONFUSED)
    if i and j > 1 and (read[-1], printed[-2:]) in _TWO:
        ways.append(costs[i - 1, j - 2] + _CONFUSED)
    return ways


def _instead(read: str, printed: str) -> float:
    if read == printed:
        return 0.0
    return _CONFUSED if _is_alike(read, printed) else 1.0


def _is_alike(one: str, other: str) -> bool:
    return frozenset(one + other) in _ALIKE
