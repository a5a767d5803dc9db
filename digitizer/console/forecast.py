"""When will it end? From how many films each hour brought, with an interval that says how sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

__all__ = ["Pace", "pace_of"]

_LEAST_HOURS = 3
"""Hours of work from which a forecast is dared."""
_HEIGHT = 56
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


def pace_of(per_hour: Sequence[int], left: int) -> Pace:
    """Return the pace of the last hours and the forecast for what is left.

    Hours in which nothing was verified are breaks: they tell nothing about the pace of work. The
    interval is that of the mean of the working hours (normal, 90 %).

    Parameters
    ----------
    per_hour : sequence of int
        Films verified in each hour, the oldest first; the last one is not over.
    left : int
        Films on the way.
    """
    most = max(per_hour, default=0)
    bars = tuple(round(_HEIGHT * one / most) if most else 0 for one in per_hour)
    return Pace(
        last_hour=per_hour[-1] if per_hour else 0,
        last_day=sum(per_hour),
        left=left,
        most=most,
        bars=bars,
        words=_forecast([one for one in per_hour[:-1] if one], left),
    )


def _forecast(worked: Sequence[int], left: int) -> str:
    if left == 0:
        return "Nothing is on the way."
    if len(worked) < _LEAST_HOURS:
        return "Too early for a forecast: it needs three full hours of work in the last day."
    mean = sum(worked) / len(worked)
    spread = sum((one - mean) ** 2 for one in worked) / (len(worked) - 1)
    slack = _NORMAL_90 * sqrt(max(spread, mean) / len(worked))
    fast, slow = left / (mean + slack), left / max(mean - slack, mean / 10)
    return (
        f"At {mean:.0f} an hour, what is on the way takes {_hours(fast)} to {_hours(slow)} more "
        "hours of work (90 %)."
    )


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours < 10 else f"{hours:.0f}"
