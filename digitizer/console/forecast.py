"""When will it end? From how many films each hour brought, with an interval that says how sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

__all__ = ["Pace", "pace_of"]

_LEAST_HOURS = 3
"""Hours of work from which a forecast is dared."""
_HEIGHT = 56
_DAY = 24
_NORMAL_90 = 1.645


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the last day brought, and what is left.

    Attributes
    ----------
    bars : tuple of int
        Heights in the chart, the oldest hour first, 0 to 56.
    words : str
        The forecast.
    """

    last_hour: int
    last_day: int
    left: int
    most: int
    bars: tuple[int, ...]
    words: str


def pace_of(per_hour: Sequence[int], left: int, now: datetime) -> Pace:
    """Return the pace of the last hours and the forecast for what is left.

    Hours in which nothing was verified are breaks: they tell nothing about the pace of work, but
    how many hours a day are worked. The interval is that of the mean of the working hours (normal,
    90 %).

    Parameters
    ----------
    per_hour : sequence of int
        Films verified in each hour, the oldest first; the last one is not over.
    left : int
        Films on the way.
    """
    day = per_hour[-_DAY:]
    most = max(day, default=0)
    bars = tuple(round(_HEIGHT * one / most) if most else 0 for one in day)
    return Pace(
        last_hour=per_hour[-1] if per_hour else 0,
        last_day=sum(day),
        left=left,
        most=most,
        bars=bars,
        words=_forecast(per_hour[:-1], left, now),
    )


def _forecast(per_hour: Sequence[int], left: int, now: datetime) -> str:
    worked = [one for one in per_hour if one]
    if left == 0:
        return "Nothing is on the way."
    if len(worked) < _LEAST_HOURS:
        return "Too early for a forecast: it needs three full hours of work in the last week."
    mean = sum(worked) / len(worked)
    spread = sum((one - mean) ** 2 for one in worked) / (len(worked) - 1)
    slack = _NORMAL_90 * sqrt(max(spread, mean) / len(worked))
    fast, slow = left / (mean + slack), left / max(mean - slack, mean / 10)
    first = next(n for n, one in enumerate(per_hour) if one)
    a_day = len(worked) / max(1.0, (len(per_hour) - first) / _DAY)
    early, late = (now + timedelta(days=hours / a_day) for hours in (fast, slow))
    return (
        f"At {mean:.0f} an hour, what is on the way takes {_hours(fast)} to {_hours(slow)} more "
        f"hours of work (90 %): at {a_day:.0f} a day it ends {_day(early, late)}."
    )


def _day(early: datetime, late: datetime) -> str:
    days = [f"{one.astimezone():%Y-%m-%d}" for one in (early, late)]
    return f"on {days[0]}" if days[0] == days[1] else f"between {days[0]} and {days[1]}"


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours < 10 else f"{hours:.0f}"
