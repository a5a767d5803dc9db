"""Numbers: their forms, what was misread in them, their check digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.reading import GrammarSettings
from digitizer.reading.numbers import check_holds, fitting, issuer_of, leading_number, other_form

RECORD = r"[A-Z]?\d{5,10}"
ACCESSION = GrammarSettings().accession_number


@pytest.mark.parametrize(
    ("text", "expected", "mended"),
    [("1234567", "1234567", False), ("I2345B7", "I234587", True), ("A123456", "A123456", False)],
)
def test_letters_that_look_like_digits_are_mended(text: str, expected: str, mended: bool) -> None:
    """The first letter may be the number's own, and is kept where that fits."""
    number = fitting(text, RECORD)
    assert number == expected
    assert number is not None
    assert number.mended is mended


def test_a_prefix_of_letters_is_not_made_digits() -> None:
    """RAD1234567 is a number of another form, not RA01234567."""
    assert fitting("RAD1234567", ACCESSION) is None


def test_groups_set_apart_are_one_number() -> None:
    """If together they fit."""
    assert leading_number("70 028 12 WARD 3", RECORD) == ("7002812", "  WARD 3")


@pytest.mark.parametrize("text", ["12-34-56", "123456-7", "1987-079843", "RAD1234567"])
def test_a_captioned_number_of_another_form_is_kept_as_written(text: str) -> None:
    """The caption says what it is."""
    assert other_form(f": {text} M") == (text, " M")


@pytest.mark.parametrize("text", ["03/12/1978", "12.03.1978", "1978-03-12", "WARD", "12"])
def test_a_date_or_a_word_is_no_number(text: str) -> None:
    """However it is captioned."""
    assert other_form(text) is None


@given(
    body=st.text("0123456789", min_size=4, max_size=10), check=st.sampled_from(["luhn", "mod11"])
)
def test_a_check_digit_finds_every_single_wrong_digit(body: str, check: str) -> None:
    """Of ten last digits one holds; a number with one digit changed does not (Luhn)."""
    holding = [last for last in "0123456789" if check_holds(body + last, check)]
    assert len(holding) <= 1 if check == "mod11" else len(holding) == 1
    if check == "luhn":
        changed = str((int(body[0]) + 1) % 10) + body[1:]
        assert not check_holds(changed + holding[0], check)


def test_the_known_example_of_luhn_holds() -> None:
    """ISO/IEC 7812-1, annex B."""
    assert check_holds("49927398716", "luhn")
    assert not check_holds("49927398717", "luhn")


def test_an_issuer_is_told_by_the_only_form_that_fits() -> None:
    """Two that fit tell nothing."""
    grammar = GrammarSettings(issuers=(r"CITY=\d{7}", r"MERCY=[A-Z]\d{6}"))
    assert issuer_of("1234567", grammar) == "CITY"
    assert issuer_of("M123456", grammar) == "MERCY"
    assert issuer_of("123", grammar) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A/86215", ("A786215", " ")),
        (": M137/32 SEX F", ("M137732", "  SEX F")),
        ("358G/90", ("3586790", " ")),
        ("1234567/2", ("1234567", " /2")),
        ("03/12/1978", None),
    ],
)
def test_a_seven_that_lost_its_bar_is_not_where_a_number_begins(text, expected) -> None:
    """What stands before it belongs to the number; a whole number before it is that."""
    found = leading_number(text, RECORD)
    assert found == expected
    assert found is None or found[0].mended is ("/2" not in text)


def test_a_digit_misread_behind_the_numbers_own_letter_is_mended() -> None:
    """The letter is kept; a caption is no part of it."""
    assert fitting("RO49424", RECORD) == "R049424"
    assert fitting("65592C4", RECORD) == "6559204"
    assert fitting("NO49424", RECORD) is None
    assert leading_number("M6 40691", RECORD) == ("M640691", " ")


def test_a_bar_before_a_number_is_no_figure_of_it() -> None:
    """The frame of the label or the rule of a table: what fits without it is the number."""
    for text in ("|266675", "| 266675", ": |266675 M", "!266675"):
        beside = leading_number(text, RECORD)
        assert beside is not None
        assert beside[0] == "266675"
