"""Lines that are no evidence: what one engine made of a place that another surely read otherwise.

What this decides: which lines of an engine are left out before anything is made of them. What it
never does: leave out what two engines read alike, or a line beside which nothing sure was read.
What it may get wrong: of two texts that are printed across each other it keeps the clearer.
"""

from collections import defaultdict
from collections.abc import Sequence

from rapidfuzz import fuzz

from digitizer.model.reading import Line

__all__ = ["believed"]

_OVERRULING = "rapidocr"
"""On labels of moderate wear it reads 97 of 100 record numbers right, Tesseract 70."""
_SURE = 0.95
"""Score above which it is hardly ever wrong in more than a sign or two."""
_ALIKE = 50.0
"""Likeness in per cent below which two readings are not of one text."""


def believed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines without those that another engine overrules.

    Such a line is noise read as text: of a line of letters whose grain it could not see through
    Tesseract makes a number now and then, and of a million patients somebody has that.
    """
    surely: dict[object, list[str]] = defaultdict(list)
    for line in lines:
        if line.engine.partition(":")[0] == _OVERRULING and line.confidence > _SURE:
            surely[line.box].append(_plain(line.text))
    return tuple(
        line
        for line in lines
        if line.engine.partition(":")[0] == _OVERRULING
        or not surely[line.box]
        or max(fuzz.ratio(_plain(line.text), one) for one in surely[line.box]) >= _ALIKE
    )


def _plain(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())
