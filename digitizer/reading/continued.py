"""Lines that belong together: what one begins the next goes on with."""

import re
from collections.abc import Iterable, Iterator

from digitizer.reading.rules import Vocabulary
from digitizer.reading.words import is_known_word, names_institution

__all__ = ["continued"]

_GOES_ON = re.compile(r"[A-Za-z'\- .]{2,40}")
_HALF_CAPTION = re.compile(r"FIRST|LAST|GIVEN|FAMILY|PATIENT", re.IGNORECASE)
_FAMILY_LINE = re.compile(r"(?:(?:PATIENT|PT\.? )?NAME\s?:?\s?)?[A-Z][A-Z'\-]{2,}", re.IGNORECASE)
_NAME_CAPTION = re.compile(r"NAME\b", re.IGNORECASE)


def continued(
    lines: Iterable[tuple[str, float]], vocabulary: Vocabulary
) -> Iterator[tuple[str, float]]:
    """Yield lines; one that is plainly half of something together with the next.

    ``DOE,`` ``JOHN A``; ``FIRST`` ``NAME: JOHN``; ``DOE`` ``JOHN A``; ``CHEST PA AND`` ``LATERAL``.
    """
    open_line: tuple[str, float] | None = None
    for text, score in lines:
        plain = text.strip()
        if open_line is not None:
            head, sure = open_line
            if _GOES_ON.fullmatch(plain) or _NAME_CAPTION.match(plain):
                open_line = None
                if not _is_half_name(head):
                    yield f"{head} {plain}", min(sure, score)
                    continue
                if _begins_with_given(plain, head, vocabulary):
                    yield f"{head}, {plain}", min(sure, score)
                    continue
                yield head, sure
            else:
                yield open_line
                open_line = None
        if _is_half(plain) or _is_half_name(plain):
            open_line = plain, score
        else:
            yield text, score
    if open_line is not None:
        yield open_line


def _is_half(plain: str) -> bool:
    return plain.endswith((",", "&", " AND", " and")) or _HALF_CAPTION.fullmatch(plain) is not None


def _is_half_name(plain: str) -> bool:
    return _FAMILY_LINE.fullmatch(plain) is not None and not _HALF_CAPTION.fullmatch(plain)


def _begins_with_given(text: str, family: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a line is the given names that belong to the lone word above it."""
    words = re.findall(r"[A-Z'\-]+", text.upper())
    above = re.findall(r"[A-Z'\-]+", family.upper())[-1]
    return (
        1 <= len(words) <= 3
        and words[0] in vocabulary.given_names
        and above not in vocabulary.given_names
        and not is_known_word(above, vocabulary, loosely=True)
        and not names_institution(above, vocabulary)
    )
