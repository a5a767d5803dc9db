"""Letters that engines read where figures stand, and which figures those may be.

An engine tells a whole figure surely; a letter it sees in its place is a figure that lost ink. Of
eight printed labels in whose numbers RapidOCR read an S (seeds 511, 1511, 1512, 1601 and 1603) five
bear an 8 there, which two gaps turn into one, and one a 5.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from digitizer.model.reading import Doubt, Line

__all__ = ["LIKE_DIGITS", "figures_of", "without_small_letters"]

LIKE_DIGITS = str.maketrans("OQDILZSBG", "000112586")
"""The figure that a whole letter looks like most."""
_WORN: Mapping[str, Mapping[str, float]] = {"S": {"8": 0.6, "5": 0.4}}
_SMALL_B = re.compile(r"(?<=\d)b(?=\d)")
"""An 8 has two bowls as a B has; a small b between figures has one, and a stem: that is a 6."""


def figures_of(sign: str, *, paper: bool) -> Mapping[str, float]:
    """Return the figures that a sign may be where one stands, with their shares.

    Parameters
    ----------
    sign : str
        A letter in upper case, or a figure, which is itself.
    paper : bool
        Whether it is print on paper, which loses ink.
    """
    worn = _WORN.get(sign) if paper else None
    return worn or {sign.translate(LIKE_DIGITS): 1.0}


def without_small_letters(line: Line) -> Line:
    """Return a line in which a small b between figures is a 6; each sign stays in its place."""
    places = {found.start() for found in _SMALL_B.finditer(line.text)}
    if not places:
        return line
    return replace(
        line,
        text=_SMALL_B.sub("6", line.text),
        doubts=tuple(_without_b(one) if one.at in places else one for one in line.doubts),
    )


def _without_b(doubt: Doubt) -> Doubt:
    return replace(
        doubt, signs=tuple(("6" if sign == "b" else sign, share) for sign, share in doubt.signs)
    )
