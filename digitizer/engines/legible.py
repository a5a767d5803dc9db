"""What was read of the lines of a place, and how much that is worth.

What this decides: whether lines make up a block, are sharp print, tell of whom or when, or say
more than what was read there before. It reads nothing itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitizer.engines.rapid import ReadLine
from digitizer.engines.strips import Way
from digitizer.engines.twice import bears_number

__all__ = [
    "FEW_LINES",
    "LEAST_LETTERS",
    "LEAST_WAY_SCORE",
    "NOTHING",
    "Strip",
    "bear_number",
    "is_block",
    "is_line",
    "is_plausible",
    "is_sharp",
    "letters",
    "makes_sense",
    "says_more",
    "tells_who",
    "worth",
]

Grey = NDArray[np.uint8]

FEW_LINES = 3
"""With fewer lines read a place is looked at once more: most blocks have more."""
LEAST_WAY_SCORE = 0.75
_SHARP_SCORE, _WORDS = 0.97, 8
"""Score of every line of sharp print, and letters and digits of one that is no chance."""
_AS_SURE = 0.03
"""Of a score: what stands beyond a line's end and is no text costs more."""
LEAST_LETTERS = 3
NOTHING = ReadLine("", 0.0)
_PLAUSIBLE = re.compile(
    r"\d{1,4}[/.\-]\d{2}[/.\-]\d{2}|\d{5,}"
    r"|\b(?:NAME|PATIENT|DOB|BORN|MRN|SEX|CHEST|HOSPITAL|CLINIC|DATE|EXAM|NO)\b|, ?[A-Z]{3}",
    re.IGNORECASE,
)

_WHO = re.compile(r"\d{1,4}[/.\-]\d{2}[/.\-]\d{2}|\d{5,}|, ?[A-Z]{3}|\bNAME\b", re.IGNORECASE)
"""A number, a date or a name; a hospital's name may be the one sharp line of a worn block."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One line cut out upright, where it stands, how it lies, and what was already read of it."""

    pixels: Grey
    box: NDArray[np.float32]
    way: Way
    text: ReadLine | None = None


def is_plausible(strips: Sequence[Strip]) -> bool:
    """Tell whether lines say what a block says: a number, a date, a name or a caption."""
    return any(makes_sense(one.text.text) for one in strips if one.text)


def is_sharp(strips: Sequence[Strip]) -> bool:
    """Tell whether all lines are sharp print: such the detector sees at once, if there is more."""
    read = [one.text for one in strips if one.text]
    return any(letters(one) >= _WORDS for one in read) and all(
        one.score >= _SHARP_SCORE for one in read
    )


def tells_who(strips: Sequence[Strip]) -> bool:
    """Tell whether all lines are sharp print, and one of them tells of whom or when."""
    return is_sharp(strips) and any(_WHO.search(one.text.text) for one in strips if one.text)


def is_block(strips: Sequence[Strip]) -> bool:
    """Tell whether a block was read: then what else bears text is looked at only as it is."""
    return len(strips) >= FEW_LINES and bear_number(strips)


def bear_number(strips: Sequence[Strip]) -> bool:
    """Tell whether a line bears a number."""
    return any(bears_number(one.text.text) for one in strips if one.text)


def is_line(strip: Strip) -> bool:
    """Tell whether what was read where a line may stand is one, and no grain."""
    read = strip.text or NOTHING
    return read.score >= LEAST_WAY_SCORE and letters(read) >= LEAST_LETTERS


def says_more(strip: Strip, before: Strip) -> bool:
    """Tell whether a line read as far as its strokes go says more than before, and as surely."""
    read, first = strip.text or NOTHING, before.text or NOTHING
    return letters(read) > letters(first) and read.score >= first.score - _AS_SURE


def worth(strips: Sequence[Strip]) -> float:
    """Tell how much was read, and how well: letters by their scores."""
    return sum(letters(one.text) * one.text.score**3 for one in strips if one.text)


def makes_sense(text: str) -> bool:
    """Tell whether a line says what a block or a label says: a number, date, name or caption."""
    return _PLAUSIBLE.search(text) is not None


def letters(read: ReadLine) -> int:
    """Return how many letters and digits were read."""
    return sum(sign.isalnum() for sign in read.text)
