"""Which way up, and which side: told only where witnesses agree (DESIGN §6).

What this decides: a film's turn and mirror from the text of its ID block and its side marker. What
it never does: turn or mirror a picture on the word of one short line. What it may get wrong: a
block flashed turned against the picture, on a film without a marker; such films say so when the
marker or another block contradicts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from digitizer.model.reading import Reading
from digitizer.model.reasons import Code, Reason, reason

__all__ = ["OrientationWitness", "decide_orientation", "witnesses_of_reading"]

_MARKER = re.compile(r"[LR]")
_MARKER_ENGINE = "marker"
_ENOUGH_LETTERS = 12
"""Letters that must read one way before text is a witness: chance does not spell that much."""
_LONE_LETTERS = 24
"""Letters of one block that settle the orientation without a marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrientationWitness:
    """What one thing on the film says of its orientation, and how many letters say it."""

    kind: str
    turn_deg: int
    mirrored: bool
    letters: int


def witnesses_of_reading(reading: Reading) -> tuple[OrientationWitness, ...]:
    """Return the witnesses among the lines of a film: its block of text, its side marker."""
    votes: dict[tuple[int, bool], int] = {}
    found: list[OrientationWitness] = []
    for line in reading.lines:
        way = (line.turn_deg, line.mirrored)
        if line.engine == _MARKER_ENGINE:
            if _MARKER.match(line.text):
                found.append(_witness("marker", way, 1))
        else:
            letters = sum(sign.isalnum() for sign in line.text)
            votes[way] = votes.get(way, 0) + letters
    if votes:
        way = max(votes, key=lambda one: votes[one])
        if votes[way] >= _ENOUGH_LETTERS:
            found.append(_witness("text", way, votes[way]))
    return tuple(found)


def _witness(kind: str, way: tuple[int, bool], letters: int) -> OrientationWitness:
    return OrientationWitness(kind=kind, turn_deg=way[0], mirrored=way[1], letters=letters)


def decide_orientation(
    witnesses: Iterable[OrientationWitness],
) -> tuple[int | None, bool | None, tuple[Reason, ...]]:
    """Return turn and mirror, or None for both with the reason.

    Agreeing witnesses of different kinds settle it; so does a whole block of text alone, since
    blocks are flashed the way the film hangs. Contradiction settles nothing.
    """
    votes = list(witnesses)
    text = [one for one in votes if one.kind == "text"]
    marker = [one for one in votes if one.kind == "marker"]
    ways = {(one.turn_deg, one.mirrored) for one in votes}
    if len(ways) == 1 and (text or len(marker) > 1):
        turn, mirrored = ways.pop()
        if marker or text[0].letters >= _LONE_LETTERS:
            return turn, mirrored, ()
    if text and marker and len(ways) > 1:
        return None, None, (reason(Code.MARKER_CONTRADICTS), reason(Code.ORIENTATION_UNKNOWN))
    return None, None, (reason(Code.ORIENTATION_UNKNOWN),)
