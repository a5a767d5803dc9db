"""Which characters of what was read are doubtful: the engines differ, or the best candidate does.

What this never does: mark a whole value because the candidate is somebody else's.
"""

from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from digitizer.model.reading import Field, FieldSource, Reading

__all__ = ["Piece", "pieces"]

_ONE_VALUE = 60.0
"""Likeness in per cent below which a candidate's value is another, not this one misread."""
_ONE_PLACE = 75.0
"""Likeness above which an engine's line bears the value."""
_LEAST = 4
"""Shorter values stand in lines by chance."""
_LOST = "_"
"""Shown where the candidate has a character more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of text, and whether it is doubtful."""

    text: str
    doubtful: bool


def pieces(read: Field | None, known: str, reading: Reading | None) -> tuple[Piece, ...]:
    """Return what was read of a field with its doubtful characters apart.

    Parameters
    ----------
    read : Field or None
    known : str
        What the index says of the best candidate; empty where it says nothing.
    reading : Reading or None
        All that was read of the sheet, by every engine.
    """
    if read is None:
        return ()
    value = read.value
    if read.source is FieldSource.PERSON:
        return (Piece(text=value, doubtful=False),)
    doubtful = _unlike(value, known) | _disputed(value, reading)
    lost = _lost(value, known)
    found: list[Piece] = []
    for at in range(len(value) + 1):
        if at in lost:
            found.append(Piece(text=_LOST, doubtful=True))
        if at < len(value):
            found.append(Piece(text=value[at], doubtful=at in doubtful))
    return _joined(found)


def _alike(value: str, known: str) -> bool:
    return bool(known) and fuzz.ratio(value, known.upper()) >= _ONE_VALUE


def _unlike(value: str, known: str) -> set[int]:
    """Return the places in which a value differs from what is known of the candidate."""
    if not _alike(value, known):
        return set()
    return {
        at
        for one in Indel.opcodes(value, known.upper())
        if one.tag in ("delete", "replace")
        for at in range(one.src_start, one.src_end)
    }


def _lost(value: str, known: str) -> set[int]:
    """Return the places before which the candidate has characters that were not read at all."""
    if not _alike(value, known):
        return set()
    codes = Indel.opcodes(value, known.upper())
    deleted = {end for one in codes if one.tag == "delete" for end in (one.src_start, one.src_end)}
    return {one.src_start for one in codes if one.tag == "insert"} - deleted


def _disputed(value: str, reading: Reading | None) -> set[int]:
    """Return the places in which one engine read another character than the value has.

    Dates are left out: their value is written otherwise than it stands on the sheet.
    """
    if reading is None or len(value) < _LEAST or (len(value) == 10 and value[4] == "-"):
        return set()
    places: set[int] = set()
    for line in reading.lines:
        there = fuzz.partial_ratio_alignment(
            value, line.text.upper(), score_cutoff=_ONE_PLACE
        )  # fmt: skip
        if there is None or there.src_end - there.src_start < len(value):
            continue
        said = line.text.upper()[there.dest_start : there.dest_end]
        for one in Indel.opcodes(value, said):
            if one.tag in ("delete", "replace"):
                places |= set(range(one.src_start, one.src_end))
    return places


def _joined(found: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for one in found:
        if joined and joined[-1].doubtful == one.doubtful:
            joined[-1] = Piece(text=joined[-1].text + one.text, doubtful=one.doubtful)
        else:
            joined.append(one)
    return tuple(joined)
