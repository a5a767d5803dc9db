"""When it will end."""

from digitizer.console.forecast import pace_of


def test_too_little_is_told_as_such() -> None:
    """Two hours of work say nothing; the hour that runs does not count."""
    assert "Too early" in pace_of([0] * 21 + [50, 60, 10], 1000).words


def test_breaks_are_no_work() -> None:
    """100 an hour in each working hour, whatever lies between."""
    words = pace_of([100, 0, 0, 100, 100, 0, 100, 3], 1000).words
    assert words.startswith("At 100 an hour")
    assert "9.2 to 11 more hours" in words


def test_the_interval_grows_with_the_spread() -> None:
    """An unsteady pace is told."""
    steady = pace_of([100] * 8 + [0], 1000).words
    unsteady = pace_of([20, 180] * 4 + [0], 1000).words
    assert "9.5 to 11" in steady
    assert "6.7 to 20" in unsteady


def test_nothing_left_needs_no_forecast() -> None:
    """And the bars are as high as the best hour."""
    pace = pace_of([0, 5, 10], 0)
    assert pace.words == "Nothing is on the way."
    assert (pace.bars, pace.last_hour, pace.last_day) == ((0, 28, 56), 10, 15)
