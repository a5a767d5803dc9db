"""Comparing, blocking, and looking for a candidate among the words as read."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.identity import keys_of_patient, keys_of_testimony
from digitizer.identity.compare import (
    NUMBER_BITS,
    compare_birth,
    compare_number,
    compare_person,
)
from digitizer.identity.evidence import gather_for
from digitizer.identity.heard import Heard
from digitizer.identity.linkage import compared
from digitizer.model import reading
from digitizer.model.identity import Agreement, PatientRecord, PersonName
from digitizer.model.reading import Field, FieldName, FieldSource

JANE = PatientRecord(
    patient_id="4711822",
    issuer="GEN",
    name=PersonName(family="OKONKWO", given="JANE"),
    birth_date="1931-04-02",
)
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def said(**fields):
    return reading.Testimony(
        fields={
            FieldName(name): Field(value=value, confidence=0.9, source=FieldSource.FILM)
            for name, value in fields.items()
        }
    )


def person(read, known):
    names = [PersonName(family=known[0], given=known[1])]
    family, given = compare_person(PersonName(family=read[0], given=read[1]), names, lambda _: 0.01)
    return family.agreement, given.agreement


@given(at=st.integers(0, 6), sign=st.sampled_from(SIGNS), how=st.sampled_from("wma"))
def test_no_single_wrong_character_of_a_number_hides_the_patient(at, sign, how):
    """Wrong, missing or added."""
    number = JANE.patient_id
    read = {
        "w": number[:at] + sign + number[at + 1 :],
        "m": number[:at] + number[at + 1 :],
        "a": number[:at] + sign + number[at:],
    }[how]
    assert keys_of_testimony(said(patient_id=read)) & keys_of_patient(JANE)


@given(at=st.integers(0, 3), sign=st.sampled_from(SIGNS[:26]), part=st.sampled_from(["f", "g"]))
def test_no_single_wrong_character_of_a_name_hides_the_patient(at, sign, part):
    """In the family name or the given name."""
    family, given_name = "OKONKWO", "JANE"
    if part == "f":
        family = family[:at] + sign + family[at + 1 :]
    else:
        given_name = given_name[:at] + sign + given_name[at + 1 :]
    read = said(family_name=family, given_name=given_name)
    assert keys_of_testimony(read) & keys_of_patient(JANE)


@pytest.mark.parametrize(
    ("read", "known", "agreement"),
    [
        ("4711822", "4711822", Agreement.AGREES),
        ("4711-822", "4711822", Agreement.AGREES),
        ("4711B22", "4711822", Agreement.SIMILAR),
        ("4711823", "4711822", Agreement.SIMILAR),
        ("471182", "4711822", Agreement.SIMILAR),
        ("4711933", "4711822", Agreement.DISAGREES),
        ("", "4711822", Agreement.MISSING),
    ],
)
def test_a_number_agrees_exactly_or_by_one_misreading(read, known, agreement):
    """Two wrong characters are another number."""
    assert compare_number(read, [known]).agreement is agreement


@pytest.mark.parametrize(
    ("read", "known"),
    [
        (("DOE", "JANE"), ("DOE", "JANE")),
        (("JANE", "DOE"), ("DOE", "JANE")),
        (("BERG", "JAN VAN DER"), ("VAN DER BERG", "JAN")),
        (("SMITH JONES", "ANN"), ("SMITH-JONES", "ANN")),
        (("OBRIEN", "PAT"), ("O'BRIEN", "PAT")),
        (("MULLER", "HANS"), ("MÜLLER", "HANS")),
        (("MUELLER", "HANS"), ("MÜLLER", "HANS")),
        (("DOE", "ANNA"), ("DOE", "ANNA MARIA")),
    ],
)
def test_a_name_agrees_however_it_is_written(read, known):
    """Order, particles, hyphens, apostrophes, umlauts."""
    assert person(read, known) == (Agreement.AGREES, Agreement.AGREES)


@pytest.mark.parametrize(
    ("read", "known"),
    [(("DOE", "JANE"), ("DOE", "JOHN")), (("ROE", "JANE"), ("DOE", "JANE")),
     (("THOMAS", "JAMES"), ("THOMAS", "NANCY"))],
)  # fmt: skip
def test_another_persons_name_disagrees(read, known):
    """Siblings and strangers; short names are read exactly or not at all."""
    assert Agreement.DISAGREES in person(read, known)


def test_a_partial_birth_date_is_compared_as_far_as_it_goes():
    """The index may know the year alone."""
    assert compare_birth("1931-04-02", "1931").agreement is Agreement.SIMILAR
    assert compare_birth("1932-04-02", "1931").agreement is Agreement.DISAGREES
    assert compare_birth("1931-02-04", "1931-04-02").agreement is Agreement.AGREES
    assert compare_birth("1931-04-03", "1931-04-02").agreement is Agreement.SIMILAR
    assert compare_birth("1950-04-02", "1931-04-02").agreement is Agreement.DISAGREES


@pytest.mark.parametrize(
    "line", ["MRN4711822", "MRN: 4711822.", "47 11 822", "4711-822", "47118Z2"]
)
def test_a_number_is_heard_as_a_whole_word(line):
    """Glued to its caption, in groups, mended."""
    assert Heard(reading.Testimony(lines=(line,))).number("4711822")


@pytest.mark.parametrize("line", ["14711822", "47118221", "4711 82"])
def test_a_number_inside_a_longer_one_is_not_heard(line):
    """That is another number."""
    assert not Heard(reading.Testimony(lines=(line,))).number("4711822")


@pytest.mark.parametrize("line", ["DOB 04/02/1931", "02.04.1931", "2APR1931", "1931-04-02"])
def test_a_date_is_heard_in_any_form(line):
    """Day first or month first."""
    assert Heard(reading.Testimony(lines=(line,))).date("1931-04-02")


def test_a_name_is_heard_in_one_line_or_two():
    """And joined by a lost space, but not in parts of other words."""
    okonkwo = PersonName(family="OKONKWO", given="JANE")
    assert Heard(reading.Testimony(lines=("SURNAME OKONKWO", "FIRST NAME JANE"))).name(okonkwo)
    assert Heard(reading.Testimony(lines=("NAMEOKONKWOJANE",))).name(okonkwo)
    assert not Heard(reading.Testimony(lines=("JANET OKONKWOS",))).name(okonkwo)


@pytest.mark.parametrize(
    "line", ["ACC X8323457", "ACCX832345", "X83-2345T1 CHEST", "XB3-23451", "1/2/83 X8323457"]
)
def test_a_number_with_one_character_wrong_is_heard_wherever_it_stands(line):
    """Glued, wrong, missing or added."""
    assert Heard(reading.Testimony(lines=(line,))).near_glued("X83-23451")


@pytest.mark.parametrize("line", ["X83-23445", "X83-2354", "832344", "X83-2315", "ACC X83-234459"])
def test_a_number_with_two_characters_wrong_is_another(line):
    """The neighbour in the row has as much in common."""
    assert not Heard(reading.Testimony(lines=(line,))).near_glued("X8323451")


def test_a_date_with_one_character_wrong_is_heard():
    """But not the birth date, nor one too like it."""
    heard = Heard(reading.Testimony(lines=("DOB 04/02/1931", "DATE: 07/14/19g7")))
    assert heard.near_date("1997-07-14", but="1931-04-02")
    assert not heard.near_date("1996-07-15", but="1931-04-02")
    assert not heard.near_date("1931-04-03", but="1931-04-02")


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (("03/12/1978 HAND L", "03/12/1978 HAND R"), 2),
        (("03/12/1978 LEFT HAND AP", "03/12/1978 RT HAND AP"), 2),
        (("03/12/1978 CHEST PA AND LAT R78-01234", "03/12/1978 CHEST PA AND LAT R78-01299"), 2),
        (("12MAR1978 CHEST PA R78-01234", "12MAR1978 CHEST PA R78-01235"), 2),
        (("03/12/1978 CHEST PA R78-01234", "O3/12/1978 CHEST PA R78-O1234"), 1),
        (("03/12/1978 CHEST PA AND LATERAL R78-01234", "03/12/1978 CHE5T PA AND LATERAL"), 1),
        (("03/12/1978 HAND L", "03/12/1978 HAND"), 1),
        (("03/12/1978 CHEST PA", "03/12/1978 CHEST P4"), 1),
    ],
)
def test_two_exams_of_a_day_are_two_lines(lines, times):
    """One line read twice is one; another side or number is another exam."""
    assert Heard(reading.Testimony(lines=lines)).times("1978-03-12") == times


def test_a_number_one_sign_off_weighs_what_the_engines_gave_it(index):
    """Patient 4711822, read as 4711828: an engine that thought of the 2 says more for her."""

    def weight(*others):
        number = Field(value="4711828", confidence=0.6, source=FieldSource.FILM, others=others)
        film = reading.Testimony(lines=("4711828",), fields={FieldName.PATIENT_ID: number})
        evidence = gather_for([film], "4711822", index)
        (jane,) = (one for one in evidence.patients if one.name.given == "JANE")
        how = compared(Heard(film), jane, evidence)[FieldName.PATIENT_ID]
        assert how.agreement is Agreement.SIMILAR
        return how.bits

    assert weight(("4711822", 0.4)) == pytest.approx(NUMBER_BITS + log2(0.4))
    assert weight(("4711822", 0.001)) == weight(("4711829", 0.4)) == weight()
    assert weight() < weight(("4711822", 0.1))
