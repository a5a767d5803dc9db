"""Dates as clerks write them become days of the calendar, and nothing else does."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.reading.dates import find_dates

DAYS = st.dates(date(1900, 1, 1), date(2030, 12, 31))


def found(line: str, *, day_first: bool = False, compact: bool = False) -> list[str]:
    return [one.value for one in find_dates(line, day_first=day_first, compact=compact)]


@pytest.mark.parametrize(
    "written",
    [
        "03/12/1978", "3/12/1978", "03-12-1978", "12.03.1978", "1978-03-12", "12 MAR 1978",
        "12-MAR-1978", "12MAR1978", "MAR 12 1978", "MAR 12, 1978", "MARCH 12, 1978",
        "12. MAERZ 1978", "12 MRZ 1978", "O3/12/1978", "03/12/I978", "I2MAR1978",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_form(written: str) -> None:
    """US and international order, names of months, characters that look like digits."""
    assert found(written) == ["1978-03-12"]


@given(day=DAYS)
def test_a_named_month_tells_any_day(day: date) -> None:
    """Whatever the site's order of day and month."""
    for form in ("%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%Y-%m-%d"):
        text = day.strftime(form).upper()
        assert found(text) == [day.isoformat()]
        assert found(text, day_first=True) == [day.isoformat()]


def test_slashes_follow_the_site_and_dots_the_day_first() -> None:
    """03/04 is a matter of setting; 03.04. is the third of April."""
    assert found("03/04/1978") == ["1978-03-04"]
    assert found("03/04/1978", day_first=True) == ["1978-04-03"]
    assert found("03.04.1978") == ["1978-04-03"]


def test_a_month_above_twelve_is_a_day() -> None:
    """25/12 can be read in one way only."""
    assert found("25/12/1978") == ["1978-12-25"]


@pytest.mark.parametrize("text", ["31/02/1978", "00/00/0000", "13-13-1978", "1978-02-30", "9/9/9"])
def test_what_is_no_day_is_never_made_one(text: str) -> None:
    """Nothing is clipped or rolled over."""
    assert found(text) == []


def test_two_digit_years_are_of_the_age_of_film() -> None:
    """05 is 2005; 06 and later were the 1900s."""
    assert found("01/02/05") == ["2005-01-02"]
    assert found("01/02/31") == ["1931-01-02"]
    assert [one.full_year for one in find_dates("01/02/31", day_first=False)] == [False]


def test_eight_digits_are_a_date_only_after_a_caption() -> None:
    """Else they are a number."""
    assert found("19780312") == []
    assert found("19780312", compact=True) == ["1978-03-12"]


@pytest.mark.parametrize(
    "written",
    ["031278", "03121978", "03 12 1978", "03 12 78", "3/12/'78", "12TH MARCH 1978",
     "MARCH 12TH, 1978"],
)  # fmt: skip
def test_a_captioned_date_needs_no_signs(written: str) -> None:
    """The caption says that it is one."""
    assert found(written, compact=True) == ["1978-03-12"]


def test_digits_alone_are_no_date() -> None:
    """Without a caption they are a number."""
    assert found("031278") == found("03121978") == found("03 12 1978") == []


def test_mended_characters_are_told() -> None:
    """An exact date is not doubted; a mended one is."""
    assert [one.exact for one in find_dates("03/12/1978", day_first=False)] == [True]
    assert [one.exact for one in find_dates("O3/12/1978", day_first=False)] == [False]


@given(text=st.text(max_size=200))
def test_any_text_gives_days_of_the_calendar_or_none(text: str) -> None:
    """Hostile text is read without a fault."""
    for value in found(text.upper(), compact=True):
        assert date.fromisoformat(value).isoformat() == value
