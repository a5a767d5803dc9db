"""Which way up, and which side: told only where witnesses agree (DESIGN §6).

What this decides: a film's turn and mirror from its text, its side marker and its anatomy; those of
a sheet of many pictures from what their console wrote into each. What it never does: turn a picture
on the word of a block alone. What it may get wrong: a block flashed in mirror writing on a film
that lies right.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from digitizer.model.film import TileGrid
from digitizer.model.reading import Line, Reading
from digitizer.model.reasons import Code, Reason, reason

__all__ = ["OrientationWitness", "decide_orientation", "witnesses_of_reading"]

_MARKER = re.compile(r"[LR]")
_MARKER_ENGINE = "marker"
_ENOUGH_LETTERS = 12
"""Letters that must read one way before text is a witness: chance does not spell that much."""
_ENOUGH_PICTURES = 3
"""Pictures of a sheet with text of their own: a block may lie across two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrientationWitness:
    """What one thing on the film says of its orientation, and how many letters say it.

    ``kind`` is ``text`` (a block), ``marker`` (of the side) or ``printed`` (what a console wrote
    into the pictures of a sheet of many).
    """

    kind: str
    turn_deg: int
    mirrored: bool
    letters: int


def witnesses_of_reading(
    reading: Reading, tiles: TileGrid | None = None
) -> tuple[OrientationWitness, ...]:
    """Return the witnesses among the lines of a film: its block of text, its side marker.

    Parameters
    ----------
    reading : Reading
        With ``tiles``, its boxes are in pixels of the scan, as theirs are.
    tiles : TileGrid, optional
        The pictures of a sheet of many: what stands in each is one more witness.
    """
    votes: dict[tuple[int, bool], int] = {}
    printed: dict[tuple[int, bool], set[int]] = {}
    found: list[OrientationWitness] = []
    for line in reading.lines:
        way = (line.turn_deg, line.mirrored)
        if line.engine == _MARKER_ENGINE:
            if _MARKER.match(line.text):
                found.append(_witness("marker", way, 1))
        else:
            letters = sum(sign.isalnum() for sign in line.text)
            votes[way] = votes.get(way, 0) + letters
            if tiles is not None:
                printed.setdefault(way, set()).update(_pictures_under(line, tiles))
    if votes:
        way = max(votes, key=lambda one: votes[one])
        if votes[way] >= _ENOUGH_LETTERS:
            is_printed = len(printed.get(way, ())) >= _ENOUGH_PICTURES
            found.append(_witness("printed" if is_printed else "text", way, votes[way]))
    return tuple(found)


def _pictures_under(line: Line, tiles: TileGrid) -> list[int]:
    """Return the picture of a sheet in which the middle of a line lies, if it lies in one."""
    middle = np.mean(line.box, axis=0)
    at = (float(middle[0]), float(middle[1]))
    return [
        number
        for number, box in enumerate(tiles.boxes)
        if cv2.pointPolygonTest(np.array(box, np.float32), at, measureDist=False) >= 0
    ]


def _witness(kind: str, way: tuple[int, bool], letters: int) -> OrientationWitness:
    return OrientationWitness(kind=kind, turn_deg=way[0], mirrored=way[1], letters=letters)


def decide_orientation(
    witnesses: Iterable[OrientationWitness], chest_turn: tuple[int, bool] | None = None
) -> tuple[int | None, bool | None, tuple[Reason, ...]]:
    """Return turn and mirror, or None for both with the reason.

    Text tells the mirror (letters read one way only), and the turn when a second witness agrees:
    blocks are flashed turned against the picture often enough. A frontal chest tells the turn
    whichever way its block was flashed, where it is clear or the marker agrees; without a chest,
    text and marker must agree. What a console wrote into many pictures is a part of them.

    Parameters
    ----------
    witnesses : iterable of OrientationWitness
    chest_turn : (int, bool) or None
        From :func:`digitizer.film.turn_of_chest`.
    """
    votes = list(witnesses)
    sides = {one.mirrored for one in votes}
    unknown = reason(Code.ORIENTATION_UNKNOWN)
    if len(sides) > 1:
        return None, None, (reason(Code.MARKER_CONTRADICTS), unknown)
    ways = {one.turn_deg for one in votes}
    if len(ways) == 1 and any(one.kind == "printed" for one in votes):
        return ways.pop(), sides.pop(), ()
    if sides and chest_turn is not None:
        turn, sure = chest_turn
        # Marker and anatomy are of the picture itself; the block may have been flashed turned.
        marked = any(one.kind == "marker" and one.turn_deg == turn for one in votes)
        if sure or marked or ways == {turn}:
            return turn, sides.pop(), ()
    if len(votes) > 1 and len(ways) == 1:
        return ways.pop(), sides.pop(), ()
    return None, None, (unknown,)
