"""Dates in every form clerks write them, to ``YYYY-MM-DD``.

Confused characters (O for 0, I and L for 1 ...) are mended only inside what has the shape of a
date. What is no day of the calendar is no date: it is never made one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import OSA

__all__ = ["FoundDate", "find_dates", "is_day"]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FOREIGN = {
    "JANV": 1, "MAER": 3, "FEV": 2, "MARS": 3, "AVR": 4, "MAI": 5, "JUIN": 6, "JUIL": 7, "AOUT": 8,
    "SEPT": 9, "OKT": 10, "DEZ": 12, "ENE": 1, "ABR": 4, "AGO": 8, "DIC": 12, "MRZ": 3,
}  # fmt: skip
_NAMES = (
    "JANUARY JANUAR JANVIER JANUARI GENNAIO", "FEBRUARY FEBRUAR FEVRIER FEBRERO FEBBRAIO",
    "MARCH MAERZ MARZO MAART", "APRIL AVRIL ABRIL APRILE", "MAY MAYO MAGGIO", "JUNE JUNI JUNIO",
    "JULY JULI JULIO JUILLET", "AUGUST AUGUSTUS AGOSTO", "SEPTEMBER SEPTEMBRE SEPTIEMBRE",
    "OCTOBER OKTOBER OCTOBRE OCTUBRE", "NOVEMBER NOVEMBRE NOVIEMBRE",
    "DECEMBER DEZEMBER DECEMBRE DICIEMBRE DICEMBRE",
)  # fmt: skip
_WHOLE = tuple((name, number) for number, names in enumerate(_NAMES, 1) for name in names.split())
_MEND = str.maketrans("OQDILZSB|!", "0001125811")
_D = r"[0-9OQDILZSB|!]"
_SEP = r"(?:\s?[/.\-:,]\s?)"
_GAP = r"[\s.\-/,]{0,3}"
_AHEAD = r"(?<![0-9])"
_TH = r"(?:ST|ND|RD|TH)?"
_NAMED = r"([A-Z0-9]{3}[A-Z]{0,7})"
_YEAR = rf"({_D}{{4}}|{_D}{{2}})"
_MORE = r"\s?[/.\-]\s?\d(?!\d?\d?\s?Y)"
"""A further part of a date: an age is none (``- 27Y``)."""
_ENDS = rf"(?![0-9]|{_MORE}|,?\s(?:18|19|20)\d\d(?!\d))"
"""A year is the last of a date: in JUNE 04/02/1931 the month is no month but a name."""
_CLOSES = rf"(?![0-9])(?:(?<={_D}{{4}})|(?!{_MORE}))"
"""A year of two figures is none where the date goes on (D.C.B. 01/11/1985); one of four is the
last."""
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"{_AHEAD}({_D}{{4}}){_SEP}({_D}{{2}})(?:{_SEP}|\s)({_D}{{2}})(?![0-9])"), "YMD"),
    (re.compile(rf"{_AHEAD}({_D}{{4}})\s({_D}{{2}}){_SEP}({_D}{{2}})(?![0-9])"), "YMD"),
    (re.compile(rf"{_AHEAD}({_D}{{1,2}}){_TH}{_GAP}{_NAMED}{_GAP}{_YEAR}{_ENDS}"), "DNY"),
    (
        re.compile(rf"(?<![A-Z]){_NAMED}{_GAP}({_D}{{1,2}}){_TH}[\s.,\-/]{{1,3}}{_YEAR}{_ENDS}"),
        "NDY",
    ),
    (re.compile(rf"{_AHEAD}({_D}{{1,2}}){_SEP}({_D}{{1,2}})(?:{_SEP}){_YEAR}{_CLOSES}"), ""),
    (re.compile(rf"{_AHEAD}({_D}{{2}})\s({_D}{{2}}){_SEP}({_D}{{4}})(?![0-9])"), ""),
    (re.compile(rf"{_AHEAD}({_D}{{2}}){_SEP}({_D}{{2}})\s({_D}{{4}})(?![0-9])"), ""),
    # A separator lost between day and month, where the other still stands.
    (re.compile(rf"{_AHEAD}([0-3]{_D})([01]{_D}){_SEP}({_D}{{4}})(?![0-9])"), ""),
)
_CAPTIONED_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![0-9A-Z])((?:18|19|20)\d{2})(\d{2})(\d{2})(?![0-9A-Z])"), "YMD"),
    (re.compile(r"(?<![0-9A-Z])(\d{2})(\d{2})(\d{4}|\d{2})(?![0-9A-Z])"), ""),
    (re.compile(rf"{_AHEAD}({_D}{{1,2}})\s({_D}{{1,2}})\s{_YEAR}(?![0-9])"), ""),
)
"""Digits alone (19780312, 031278, 03 12 78) are a date only after a caption that says so."""
_ELIDED = re.compile(r"['‘’`´](?=\d{2}(?!\d))")
"""The apostrophe of '78."""
_OLDEST = 1850
_TWO_DIGIT_2000S = 2005
"""A year written 05 is 2005: film went out of use about then; 06 and later are of the 1900s."""


@dataclass(frozen=True, slots=True)
class FoundDate:
    """One date in a line.

    Attributes
    ----------
    value : str
        ISO form.
    start, end : int
        Where it stands in the line.
    full_year : bool
        Whether its century was written.
    exact : bool
        Whether no character had to be mended.
    written : str
        As it stands there.
    figures : tuple of int or None
        Where in ``written`` each of the eight figures of the day stands; None for one that is not
        written, as those of a month by its name.
    """

    value: str
    start: int
    end: int
    full_year: bool
    exact: bool = True
    written: str = ""
    figures: tuple[int | None, ...] = ()


def find_dates(
    line: str, *, day_first: bool, latest: int = 2035, compact: bool = False
) -> list[FoundDate]:
    """Find all dates of a line, in order.

    Parameters
    ----------
    line : str
        Upper case.
    day_first : bool
        What an ambiguous 03/04 is; dots tell day first whatever is set.
    latest : int
        No year lies after this one.
    compact : bool
        Whether digits alone (19780312, 031278) are a date; only after a caption that says so.
    """
    found: list[FoundDate] = []
    line = _ELIDED.sub(" ", line)
    shapes = (*_SHAPES, *_CAPTIONED_SHAPES) if compact else _SHAPES
    for pattern, order in shapes:
        for match in pattern.finditer(line):
            if any(match.start() < one.end and one.start < match.end() for one in found):
                continue
            one = _read(match, order, day_first=day_first or "." in match.group(), latest=latest)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def is_day(value: str) -> bool:
    """Tell whether a value of the form ``YYYY-MM-DD`` is a day of the calendar.

    Its year begins with a 1 or a 2: a worn 1 there was no 4.
    """
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return value[0] in "12"


def _read(match: re.Match[str], order: str, *, day_first: bool, latest: int) -> FoundDate | None:
    parts = dict(zip(order or ("DMY" if day_first else "MDY"), match.groups(), strict=True))
    figures = "".join(text for name, text in parts.items() if name != "N")
    if 2 * sum(sign.isdigit() for sign in figures) < len(figures):
        return None
    year_text = _digits(parts["Y"])
    year = int(year_text)
    if len(year_text) == 2:
        year += 2000 if 2000 + year <= _TWO_DIGIT_2000S else 1900
    month = _month(parts["N"]) if "N" in parts else int(_digits(parts["M"]))
    if month is None:
        return None
    day = int(_digits(parts["D"]))
    swapped = not order and month > 12 >= day
    if swapped:
        month, day = day, month
    if not _OLDEST <= year <= latest:
        return None
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    exact = figures.isdigit() and parts.get("N", "JAN")[:3] in _MONTHS
    spans = dict(zip(parts, (match.span(at) for at in range(1, len(parts) + 1)), strict=True))
    if swapped:
        spans["M"], spans["D"] = spans["D"], spans["M"]
    return FoundDate(
        value.isoformat(),
        match.start(),
        match.end(),
        len(year_text) == 4,
        exact,
        match.group(),
        _figures(spans, match.start()),
    )


def _figures(spans: Mapping[str, tuple[int, int]], start: int) -> tuple[int | None, ...]:
    """Return where behind ``start`` each figure of year, month and day stands, if it does."""
    places: list[int | None] = []
    for part, count in (("Y", 4), ("M", 2), ("D", 2)):
        first, end = spans.get(part, (0, 0))
        written = range(first - start, end - start)
        places += [None] * (count - len(written)) + list(written)
    return tuple(places)


def _month(word: str) -> int | None:
    """Return the number of a month by its whole name or abbreviation, one character misread.

    JANE, MARY, HAND and AUGUSTA begin like months, or nearly, and are none.
    """
    if word in _FOREIGN:
        return _FOREIGN[word]
    # MARIO and MARCO are one letter from MARZO and MARCH; no name holds a figure.
    long_enough = len(word) >= (4 if any(map(str.isdigit, word)) else 6)
    for name, number in _WHOLE:
        misread = long_enough and len(word) <= len(name) and OSA.distance(word, name) <= 1
        if name.startswith(word) or misread:
            return number
    if len(word) != 3:
        return None
    near = [number for number, name in enumerate(_MONTHS, 1) if OSA.distance(word, name) == 1]
    return near[0] if len(near) == 1 else None


def _digits(text: str) -> str:
    return text.translate(_MEND)
