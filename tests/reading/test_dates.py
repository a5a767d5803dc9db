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


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("OKONKWO, JANE 04/02/1931", "1931-04-02"),
        ("DOE, MARY 03/12/1978", "1978-03-12"),
        ("HAND 03/12/1978", "1978-03-12"),
        ("DOE, JUNE 04/02/1931", "1931-04-02"),
        ("DOE, APRIL 04-02-1931", "1931-04-02"),
        ("DOE, MAY 1978-03-12", "1978-03-12"),
        ("JAN. 03/12/1978", "1978-03-12"),
    ],
)
def test_a_name_before_a_date_is_no_month(line: str, day: str) -> None:
    """Nor is a part of the body; the date beside it is read."""
    assert found(line) == [day]


@pytest.mark.parametrize(
    "line",
    ["MARY 3 1978", "HAND 12 78", "12 HAND 1978", "MARTIN 12 1978", "AUGUSTA 05 1931",
     "DECKER 3 1978", "MAYER 12 78", "JUNE 04 02 1931", "JULIE 4 1950", "MARIO 3 1978",
     "MARCO 3 1978"],
)  # fmt: skip
def test_what_begins_like_a_month_is_none(line: str) -> None:
    """The whole word is the month's name or its abbreviation."""
    assert found(line) == []


@pytest.mark.parametrize(
    "line",
    ["MAR12 1978", "MARCH12 1978", "12 MAERZ 1978", "12MARZO1978", "M4RCH 12 1978",
     "NAR 12 1978", "12 MARCH 78", "MARCH 12 78", "MAR. 12, 1978", "MAR 12 1978."],
)  # fmt: skip
def test_a_month_is_read_whole_short_and_misread(line: str) -> None:
    """With one character wrong, and with the day stuck to it."""
    assert found(line) == ["1978-03-12"]


@pytest.mark.parametrize(
    ("line", "month"),
    [("SEPTEMBER 5 31", 9), ("SEPT 5 1931", 9), ("5 JANVIER 1931", 1), ("5 OKTOBER 1931", 10),
     ("5 DEZ 1931", 12), ("AUGUST 5, 1931", 8), ("NOVEWBER 5 1931", 11), ("FEBR. 5, 1931", 2),
     ("5 JUILLET 1931", 7),
     ("5DEC1931", 12)],
)  # fmt: skip
def test_months_of_several_languages(line: str, month: int) -> None:
    """Films came from everywhere."""
    assert found(line) == [f"1931-{month:02d}-05"]


def test_mended_characters_are_told() -> None:
    """An exact date is not doubted; a mended one is."""
    assert [one.exact for one in find_dates("03/12/1978", day_first=False)] == [True]
    assert [one.exact for one in find_dates("O3/12/1978", day_first=False)] == [False]


@given(text=st.text(max_size=200))
def test_any_text_gives_days_of_the_calendar_or_none(text: str) -> None:
    """Hostile text is read without a fault."""
    for value in found(text.upper(), compact=True):
        assert date.fromisoformat(value).isoformat() == value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DCB JUL 17, 1972", "1972-07-17"),
        ("D.C.B. 07/28/1989", "1989-07-28"),
        ("D.C.B. 01/11/1985", "1985-01-11"),
    ],
)
def test_the_end_of_a_misread_caption_is_no_figure(line: str, expected: str) -> None:
    """The B is no 8 of a date whose year would be the 17 or the 11."""
    assert found(line) == [expected]


@given(day=DAYS)
def test_it_is_told_where_each_figure_stands(day: date) -> None:
    """Whatever the form; figures that are not written are told as such."""
    plain = day.strftime("%Y%m%d")
    for form in ("%m/%d/%Y", "%d.%m.%Y", "%d %b %Y", "%b %d, %Y", "%Y-%m-%d"):
        (one,) = find_dates(f"DOB {day.strftime(form).upper()} M", day_first=False)
        for sign, at in zip(plain, one.figures, strict=True):
            assert at is None or one.written[at] == sign
        assert sum(at is None for at in one.figures) == (2 if "%b" in form else 0)


@pytest.mark.parametrize(
    "line",
    ["03/12/1951 - 27Y", "03/12/1951-27Y", "03/12/51 - 27Y", "03/12/51 / 27 YRS",
     "12 MAR 1951 - 27Y", "MAR 12, 1951 - 27Y", "03/12/1951 - 2 VIEWS", "03/12/1951 /2"],
)  # fmt: skip
def test_what_follows_a_date_is_none_of_it(line: str) -> None:
    """An age, or a count of views."""
    assert found(line) == ["1951-03-12"]


@pytest.mark.parametrize("line", ["JUNE 04 - 02 - 1931", "8. 01/11/1985", "8 - 01 - 11 - 1985"])
def test_a_part_of_a_date_is_not_its_year(line: str) -> None:
    """However its parts are set apart."""
    assert not {"1902-06-04", "2011-08-01", "1911-08-01"} & set(found(line))
