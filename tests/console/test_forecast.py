"""When it will end."""

from datetime import UTC, datetime

from digitizer.console.forecast import pace_of

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def test_too_little_is_told_as_such() -> None:
    """Two hours of work say nothing; the hour that runs does not count."""
    assert "Too early" in pace_of([0] * 21 + [50, 60, 10], 1000, NOON).words


def test_breaks_are_no_work() -> None:
    """100 an hour in each working hour, whatever lies between."""
    words = pace_of([100, 0, 0, 100, 100, 0, 100, 3], 1000, NOON).words
    assert words.startswith("At 100 an hour")
    assert "9.2 to 11 more hours" in words


def test_the_interval_grows_with_the_spread() -> None:
    """An unsteady pace is told."""
    steady = pace_of([100] * 8 + [0], 1000, NOON).words
    unsteady = pace_of([20, 180] * 4 + [0], 1000, NOON).words
    assert "9.5 to 11" in steady
    assert "6.7 to 20" in unsteady


def test_nothing_left_needs_no_forecast() -> None:
    """And the bars are as high as the best hour."""
    pace = pace_of([0, 5, 10], 0, NOON)
    assert pace.words == "Nothing is on the way."
    assert (pace.bars, pace.last_hour, pace.last_day) == ((0, 28, 56), 10, 15)


def test_the_end_is_a_date_by_the_hours_worked_of_late() -> None:
    """Eight hours a day on two days of seven: what takes 40 hours takes more than two weeks."""
    day = [0] * 8 + [100] * 8 + [0] * 8
    week = day + [0] * 24 * 5 + day
    words = pace_of([*week, 0], 4000, NOON).words
    assert "at 2 a day it ends between 2025-03-" in words
    busy = pace_of([*day * 7, 0], 4000, NOON).words
    assert busy.startswith("At 100 an hour, what is on the way takes 39 to 41")
    assert "at 8 a day it ends on 2025-03-08." in busy
