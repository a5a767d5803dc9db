"""Names in the parts that the index has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.model.identity import PersonName
from digitizer.reading.names import carets, looks_like_name, parse_name

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


FAMILIES = st.sampled_from(
    ["DOE", "O'BRIEN", "SMITH-JONES", "DE LA CRUZ", "VAN DER BERG", "MC DONALD", "LE", "NGUYEN"]
)


@given(
    family=FAMILIES,
    given_name=st.sampled_from(sorted(GIVEN)),
    middle=st.sampled_from(["", "A", "Q", "RUTH"]),
    suffix=st.sampled_from(["", "JR", "SR", "III"]),
    title=st.sampled_from(["", "MR ", "MRS. ", "Miss "]),
)
def test_a_name_written_in_any_form_is_read_back(
    family: str, given_name: str, middle: str, suffix: str, title: str
) -> None:
    """With comma, with carets, and given names first; a title before it changes nothing."""
    expected = name(family, given_name, middle, suffix)
    above = f"{family} {suffix}".strip()
    behind = " ".join(part for part in (given_name, middle) if part)
    assert parse_name(f"{title}{above}, {behind}", GIVEN) == expected
    assert parse_name(f"{family}, {behind} {suffix}".strip(), GIVEN) == expected
    assert parse_name(f"{family}^{given_name}^{middle}^^{suffix}".rstrip("^"), GIVEN) == expected
    natural = " ".join(part for part in (given_name, middle, family, suffix) if part)
    assert parse_name(f"{title}{natural}", GIVEN) == expected


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ^, ", max_size=40))
def test_carets_are_put_back_only_where_a_given_name_tells_them(text: str) -> None:
    """Letters are neither lost nor made, save an A that was a caret."""
    told = carets(text, GIVEN)
    assert told.replace("^", "").replace("A", "") == text.replace("^", "").replace(
        "A", ""
    ) or told.replace(" ", "").replace("^", "") == text.replace(" ", "").replace("^", "")
    if told != text:
        assert any(one in told.split("^") for one in GIVEN)
