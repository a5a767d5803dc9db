"""How many people a sheet names: spellings of one name are one person, two labels are two."""

import pytest

from digitizer import reading
from digitizer.model.reading import FieldSource, Line, Reading
from digitizer.model.units import Point

BOX = (Point(0, 0), Point(9, 0), Point(9, 9), Point(0, 9))


def people(**engines: list[str]) -> int:
    lines = tuple(
        Line(text=text, confidence=0.9, box=BOX, engine=engine)
        for engine, texts in engines.items()
        for text in texts
    )
    return reading.testimony(Reading(lines=lines), FieldSource.LABEL, reading.ReadingRules()).people


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([], 0),
        (["DOE, JANE", "MRN 1234567"], 1),
        (["DOE, JANE M", "DOE, JANE"], 1),
        (["DOE, JANE", "D0E, JANF"], 1),
        (["DOE, JANE", "NAME: BRANDT, THEODOR"], 2),
        (["DOE^JANE", "BRANDT^THEODOR", "YOUNG, YUKI L"], 3),
        (["MRN 1234567", "DOE, JANE", "MRN 1234507"], 1),
        (["MRN 1234567", "DOE, JANE", "UNIT NO. 9155302"], 2),
        (["DOE, JANE", "MRN 1234567", "01/07/1969 CHEST PA", "FILM NO. A69-12345"], 1),
    ],
)
def test_people_are_counted(lines, count):
    """By names and record numbers that are plainly such."""
    assert people(rapidocr=lines) == count


def test_engines_that_read_a_name_differently_name_one_person():
    """Each engine's word is counted by itself."""
    assert people(rapidocr=["DOE, JANE"], tesseract=["OGLE, IRENE"]) == 1
