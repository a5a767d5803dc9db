"""What stands before a date, also misread: a birth's caption heads no exam's day, nor inversely."""

from random import Random

import pytest

from digitizer.model.reading import FieldName, FieldSource
from digitizer.reading import ReadingRules, parse_lines
from digitizer.reading.captions import Caption, announced, segments
from digitizer.reading.likeness import misreading
from digitizer.rehearsal.misreading import Wear, misread

RULES = ReadingRules()
STATED = 0.8
WEAR = Wear(sign=0.12, dropped=0, merged=0, cut=0, space=0.05, junk=0)
BIRTHS = ("DATE OF BIRTH:", "BIRTHDATE:", "BORN", "GEBURTSDATUM", "DOB:", "D.O.B.", "GEB.")
EXAMS = ("EXAM DATE:", "DATE OF EXAM", "DATE OF SERVICE:", "STUDY DATE", "DATE:")


def on_film(*lines: str) -> dict[FieldName, tuple[str, float]]:
    said = parse_lines(["LARSEN, JANE", "MRN 1234567", *lines], (), FieldSource.FILM, RULES)
    return {name: (one.value, one.confidence) for name, one in said.items()}


@pytest.mark.parametrize(
    "heading",
    ["BIRTHDATE:", "BIBTHDOAYE:", "DATE OF BIRIH", "DAIE OF B1RTH:", "BIRTI-I DATE", "IRTHDATE:",
     "GEB DATUN", "GEBURTSOATUM"],
)  # fmt: skip
def test_a_long_caption_of_a_birth_is_told_misread(heading: str) -> None:
    assert announced(heading) is Caption.BIRTH


@pytest.mark.parametrize("heading", ["DCB:", "D.C.B.", "O.O.B", "DO3", "CORN", "GE8.", "D.O,3,"])
def test_a_short_one_only_perhaps(heading: str) -> None:
    """Too few letters to tell a birth, enough to make no exam's day of it."""
    assert announced(heading) is Caption.PERHAPS_BIRTH


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("DOE:", Caption.EXAM_DATE),
        ("D.O.S.", Caption.EXAM_DATE),
        ("DATE OF SERVICE:", Caption.EXAM_DATE),
        ("DATE OF SERVIGE", Caption.EXAM_DATE),
        ("EXAN DAIE:", Caption.EXAM_DATE),
        ("F DATE", Caption.EXAM_DATE),
        ("DOR", Caption.OTHER),
        ("DATE OF DEATH:", Caption.OTHER),
        ("DATE OF DEAIH:", Caption.OTHER),
        ("CHEST PA", None),
        ("SINGH LINDA", None),
        ("HORTON, BJORN", None),
        ("R78-01234", None),
        ("", None),
    ],
)
def test_what_is_none_of_a_birth_is_not_taken_for_one(heading: str, told: Caption | None) -> None:
    assert announced(heading) is told


def test_a_misread_caption_of_a_birth_heads_no_exams_day() -> None:
    said = on_film("B1BTHD0AYE: 1988.07-04", "CHEST PA")
    assert FieldName.STUDY_DATE not in said
    assert said[FieldName.BIRTH_DATE][0] == "1988-07-04"
    assert FieldName.STUDY_DATE not in on_film("DCB: 07/04/1988", "CHEST PA")
    assert FieldName.STUDY_DATE not in on_film("BIRTI-I DATE: 07/04/1988", "CHEST PA")
    assert FieldName.STUDY_DATE not in on_film("B1BTHD0AYE:", "07/04/1988", "CHEST PA")
    said = on_film("DCB: 07/04/1938", "CHEST PA 12/03/1971")
    assert said[FieldName.STUDY_DATE][0] == "1971-12-03"


def test_a_day_of_death_or_report_is_no_exams() -> None:
    said = on_film("DATE OF DEATH: 07/04/1988", "CHEST PA")
    assert not {FieldName.STUDY_DATE, FieldName.BIRTH_DATE} & said.keys()


def test_few_exams_days_come_of_misread_captions_of_births() -> None:
    """And no birth of a misread one of an exam, as long as it is no other caption by chance."""
    rng = Random(5)
    days: list[bool] = []
    for number in range(300):
        (caption,) = misread([BIRTHS[number % len(BIRTHS)]], WEAR, rng) or [""]
        days.append(on_film(f"{caption} 07/04/1938", "CHEST PA").get(
            FieldName.STUDY_DATE, ("", 0.0))[1] >= 0.6)  # fmt: skip
        (caption,) = misread([EXAMS[number % len(EXAMS)]], WEAR, rng) or [""]
        said = on_film(f"{caption} 07/04/1978", "CHEST PA")
        assert said.get(FieldName.BIRTH_DATE, ("", 0.0))[1] < STATED
    assert sum(days) < 0.05 * len(days)


def test_a_name_is_found_behind_its_misread_caption() -> None:
    """An M falls in two."""
    said = on_film("NAINE: CLARK, MELISSA")
    assert said[FieldName.FAMILY_NAME][0] in ("LARSEN", "CLARK")
    alone = parse_lines(["NAINE: CLARK, MELISSA"], (), FieldSource.LABEL, RULES)
    assert alone[FieldName.FAMILY_NAME].value == "CLARK"
    assert alone[FieldName.GIVEN_NAME].value == "MELISSA"


@pytest.mark.parametrize(
    ("read", "printed", "cost"),
    [
        ("BIRTH", "BIRTH", 0.0),
        ("8IRTH", "BIRTH", 0.4),
        ("BIRTIL", "BIRTH", None),
        ("NAINE", "NAME", 0.4),
        ("BIRXH", "BIRTH", 1.0),
        ("CHEST", "BIRTHDATE", None),
    ],
)
def test_signs_that_look_alike_cost_less(read: str, printed: str, cost: float | None) -> None:
    found = misreading(read, printed)
    if cost is None:
        assert found is None or found > 1
    else:
        assert found == pytest.approx(cost)


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("DATE 20.11.1992 FLM NO. 92878638", Caption.ACCESSION),
        ("F1LM NO: 92878638", Caption.ACCESSION),
        ("FIL NO. 92878638", Caption.RECORD),
        ("H0SP NO. 92878638", Caption.RECORD),
        ("DOE, CASEY NO. 92878638", Caption.RECORD),
        ("DOE, CASS NO. 92878638", Caption.RECORD),
        ("DOE, CASF NO. 92878638", Caption.RECORD),
        ("CARE NO. 92878638", Caption.RECORD),
        ("PLATT NO. 92878638", Caption.RECORD),
        ("PATE NO. 92878638", Caption.RECORD),
    ],
)
def test_what_a_number_is_the_word_before_it_tells_though_misread(
    line: str, caption: Caption
) -> None:
    """A film's own number is no patient's; what may be either stays the patient's."""
    assert segments(line)[-1].caption is caption
