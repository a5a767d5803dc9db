"""Dates in every form clerks write them, to ``YYYY-MM-DD``.

Confused characters (O for 0, I and L for 1) are mended only inside what has the shape of a date.
"""

import re
from dataclasses import dataclass
from datetime import date

__all__ = ["FoundDate", "find_dates"]

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_D = r"[0-9OIL]"
_SEP = r"\s?[/.\-]\s?"
_NAMED = "(" + "|".join(_MONTHS) + r")[A-Z]{0,6}\.?"
_NUMERIC = re.compile(rf"(?<![0-9A-Z])({_D}{{1,2}}){_SEP}({_D}{{1,2}}){_SEP}({_D}{{4}}|{_D}{{2}})(?![0-9])")
_ISO = re.compile(rf"(?<![0-9A-Z])({_D}{{4}}){_SEP}({_D}{{2}}){_SEP}({_D}{{2}})(?![0-9])")
_DAY_MONTH = re.compile(rf"(?<![0-9])({_D}{{1,2}})[\s.\-/,]{{0,2}}{_NAMED}[\s.\-/,]{{0,2}}({_D}{{4}}|{_D}{{2}})(?![0-9])")
_MONTH_DAY = re.compile(rf"(?<![A-Z]){_NAMED}[\s.\-/]{{0,2}}({_D}{{1,2}})[\s.,\-/]{{1,3}}({_D}{{4}}|{_D}{{2}})(?![0-9])")


@dataclass(frozen=True, slots=True)
class FoundDate:
    """One date in a line: ISO value, where it stands, and whether its century was written."""

    value: str
    start: int
    end: int
    full_year: bool


def find_dates(line: str, *, day_first: bool, latest: int = 2035) -> list[FoundDate]:
    """Find all dates of a line, in order.

    Parameters
    ----------
    line : str
        Upper case.
    day_first : bool
        What an ambiguous 03/04 is; dots tell day first whatever is set.
    latest : int
        Two-digit years are taken as the latest year that is not after this.
    """
    found: list[FoundDate] = []
    for pattern, order in ((_ISO, "YMD"), (_DAY_MONTH, "DNY"), (_MONTH_DAY, "NDY"), (_NUMERIC, "")):
        for match in pattern.finditer(line):
            if any(match.start() < one.end and one.start < match.end() for one in found):
                continue
            one = _read(match, order, day_first=day_first or "." in match.group(), latest=latest)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def _read(
    match: re.Match[str], order: str, *, day_first: bool, latest: int
) -> FoundDate | None:
    parts = dict(zip(order or ("DMY" if day_first else "MDY"), match.groups(), strict=True))
    year_text = _digits(parts["Y"])
    year = int(year_text)
    if len(year_text) == 2:
        year += 2000 if 2000 + year <= min(latest, 2005) else 1900
    month = _MONTHS.index(parts["N"]) + 1 if "N" in parts else int(_digits(parts["M"]))
    day = int(_digits(parts["D"]))
    if not order and month > 12 >= day:
        month, day = day, month
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    if not 1850 <= year <= latest:
        return None
    return FoundDate(value.isoformat(), match.start(), match.end(), len(year_text) == 4)


def _digits(text: str) -> str:
    return text.translate(str.maketrans("OIL", "011"))
