"""Names in the parts that the index has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.model.identity import PersonName
from digitizer.reading.names import looks_like_name, parse_name

GIVEN = frozenset({"JOHN", "JANE", "ANNE", "MARIA"})


def name(family: str, given: str, middle: str = "", suffix: str = "") -> PersonName:
    return PersonName(family=family, given=given, middle=middle, suffix=suffix)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("DOE, JOHN A", name("DOE", "JOHN", "A")),
        ("DOE,JOHN", name("DOE", "JOHN")),
        ("Doe, John A.", name("DOE", "JOHN", "A")),
        ("DOE^JOHN^A", name("DOE", "JOHN", "A")),
        ("DOE^JOHN^A^^JR", name("DOE", "JOHN", "A", "JR")),
        ('DOE"JOHN', name("DOE", "JOHN")),
        ("DOE*JOHN™™SR", name("DOE", "JOHN", "", "SR")),
        ("ST.JAMES GEORGE A JR", name("ST JAMES", "GEORGE", "A", "JR")),
        ("JOHN A DOE", name("DOE", "JOHN", "A")),
        ("DOE JOHN", name("DOE", "JOHN")),
        ("DOE ANNE-MARIE R", name("DOE", "ANNE-MARIE", "R")),
        ("KOCH BJORN J III", name("KOCH", "BJORN", "J", "III")),
        ("KOCH BJORN J ILL", name("KOCH", "BJORN", "J", "III")),
        ("DOE JR, JOHN", name("DOE", "JOHN", "", "JR")),
        ("DOE, JOHN SR.", name("DOE", "JOHN", "", "SR")),
        ("O'BRIEN, JANE", name("O'BRIEN", "JANE")),
        ("SMITH-JONES, JANE", name("SMITH-JONES", "JANE")),
        ("VAN DER BERG, JAN", name("VAN DER BERG", "JAN")),
        ("JAN VAN DER BERG", name("VAN DER BERG", "JAN")),
        ("DE LA CRUZ^MARIA", name("DE LA CRUZ", "MARIA")),
        ("DOE, BABY BOY", name("DOE", "BABY BOY")),
        ("BABY GIRL DOE", name("DOE", "BABY GIRL")),
        ("MÜLLER, RENÉE", name("MUELLER", "RENEE")),
        ("DOE, MRS JANE", name("DOE", "JANE")),
    ],
)
def test_a_name_is_read_in_its_parts(written: str, expected: PersonName) -> None:
    """Comma, caret or neither; particles, suffixes, newborns, accents, titles."""
    assert parse_name(written, GIVEN) == expected


@pytest.mark.parametrize("text", ["DOE", "", ",", "^^^", "12345", "R"])
def test_one_part_is_no_name(text: str) -> None:
    """A family name without a given name names nobody."""
    assert parse_name(text) is None


def test_only_comma_or_caret_give_the_shape_of_a_name() -> None:
    """Bare words may be anything."""
    assert looks_like_name("DOE, JOHN")
    assert looks_like_name("DOE^JOHN")
    assert not looks_like_name("CITY GENERAL HOSPITAL")
    assert not looks_like_name("A,B")


@given(st.text(max_size=300))
def test_any_text_gives_clean_parts_or_none(text: str) -> None:
    """No part begins or ends with a sign."""
    read = parse_name(text, GIVEN)
    for part in (read.family, read.given, read.middle, read.suffix) if read else ():
        assert part == part.strip(" .,^-'")
        assert part == part.upper()
