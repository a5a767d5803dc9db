"""What is worth a second look: a number that engines doubt or do not agree on, or do not find."""

import re
from collections.abc import Iterator, Sequence

from digitizer.model.reading import Line

__all__ = ["bears_number", "doubtful_number", "numbers"]

_TOKEN = re.compile(r"[A-Z0-9][A-Z0-9\-]{5,}", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}-\d{1,2}-\d{2,4}|\d{1,2}-[A-Z0-9]{3}-\d{2,4}", re.IGNORECASE)
_LEAST_DIGITS = 4


def doubtful_number(line: Line, others: Sequence[str]) -> bool:
    """Tell whether a line bears a number that the engine doubts, or another engine reads otherwise.

    Parameters
    ----------
    line : Line
    others : sequence of str
        What other engines read there.
    """
    told = [
        "".join(sign for sign in text.upper() if sign.isalnum() or sign.isspace())
        for text in others
    ]
    doubted = {one.at for one in line.doubts}
    return any(
        doubted & set(range(*found.span()))
        or not _stands(found.group().replace("-", "").upper(), told)
        for found in _numbers(line.text)
    )


def bears_number(text: str) -> bool:
    """Tell whether a line's text bears a number of some length that is no date."""
    return any(True for _ in _numbers(text))


def numbers(text: str) -> list[tuple[int, int]]:
    """Return the spans of the numbers of a line's text, but for dates."""
    return [found.span() for found in _numbers(text)]


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """Yield the numbers of a text, but for dates."""
    for found in _TOKEN.finditer(text):
        word = found.group()
        if sum(map(str.isdigit, word)) >= _LEAST_DIGITS and not _DATE.fullmatch(word):
            yield found


def _stands(word: str, texts: Sequence[str]) -> bool:
    """Tell whether a number stands in a text, spaces passed over, and as no part of a longer one.

    ``168548`` is not what another engine read that read ``1685484``.
    """
    spaced = r"\s*".join(map(re.escape, word))
    return any(re.search(rf"(?<!\d){spaced}(?!\d)", text) for text in texts)
