"""How many studies an hour may be asked of an older archive, by the hour of the day.

A clinic that still works with its old PACS wants it left alone by day: ``07-19:60,19-07:`` asks for
sixty studies an hour between seven and seven, and for as many as come at night.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from digitizer.errors import UsageError

__all__ = ["Pace", "read_pace"]

_SPAN = re.compile(r"(\d{1,2})-(\d{1,2}):(\d*)")
_CAUGHT_UP = timedelta(minutes=1)
"""Of the time that turns came too late: more is not made up for, lest the peer be overrun."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Spans of hours (local time) with the most studies an hour; None is as many as come."""

    spans: tuple[tuple[int, int, int | None], ...] = ()

    def allowed(self, at: datetime) -> int | None:
        """Return how many studies an hour are allowed at a time; None: as many as come."""
        hour = at.astimezone().hour
        for first, last, most in self.spans:
            inside = first <= hour < last if first < last else hour >= first or hour < last
            if inside:
                return most
        return None

    def due(self, at: datetime, last: datetime | None) -> tuple[int, datetime] | None:
        """Return how many studies may be started now, evenly over the hour; None: as many as come.

        Parameters
        ----------
        at : datetime
            Now.
        last : datetime or None
            Up to when studies have been started, as the last answer told; None: none yet.

        Returns
        -------
        tuple of int and datetime, or None
            How many, and up to when they are started once these are.
        """
        most = self.allowed(at)
        if most is None:
            return None
        if most == 0:
            return 0, at
        apart = timedelta(hours=1) / most
        since = max(last or at - apart, at - apart - _CAUGHT_UP)
        number = max((at - since) // apart, 0)
        return number, since + number * apart


def read_pace(text: str) -> Pace:
    """Read a pace; empty text is none.

    Raises
    ------
    UsageError
        It is not written as it must be.
    """
    spans = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _SPAN.fullmatch(part)
        if found is None or int(found[1]) > 24 or int(found[2]) > 24:
            raise UsageError(
                f"{part!r} is no pace.", remedy="Write it as 07-19:60,19-07: (hours: studies)."
            )
        spans.append((int(found[1]), int(found[2]), int(found[3]) if found[3] else None))
    return Pace(tuple(spans))
