"""Synthetic film rooms with known truth, and scoring a batch against it."""

from digitizer.rehearsal.room import Room, make_room
from digitizer.rehearsal.score import Score, score

__all__ = ["Room", "Score", "make_room", "score"]
