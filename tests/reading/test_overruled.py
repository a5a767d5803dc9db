"""What one engine makes of a place that another surely read otherwise is no evidence."""

import pytest

from digitizer import reading
from digitizer.model.reading import FieldName, FieldSource, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import ReadingRules

RULES = ReadingRules()


def line(engine: str, row: int, text: str, score: float) -> Line:
    box = (Point(0, row), Point(90, row), Point(90, row + 9), Point(0, row + 9))
    return Line(text=text, confidence=score, box=box, engine=engine)


def film(score: float, other: str) -> Reading:
    """A block with a date that Tesseract reads as something else."""
    return Reading(
        lines=(
            line("rapidocr", 0, "DAFILUND, PATRICIA", 0.99),
            line("rapidocr", 20, "HOSP NO: 4980639", 0.99),
            line("rapidocr", 40, "EXAM DATE: 04/15/89", score),
            line("tesseract", 20, "HOSP NO? 4980639", 0.63),
            line("tesseract", 40, other, 0.19),
        )
    )


def test_a_number_made_of_a_line_that_was_surely_read_is_left_out() -> None:
    """It is nobody's number, neither of the exam nor of another patient."""
    said = reading.testimony(film(0.99, "Biiw babs 64715789"), FieldSource.FILM, RULES)
    assert FieldName.ACCESSION_NUMBER not in said.fields
    assert "Biiw babs 64715789" not in said.lines
    assert said.fields[FieldName.STUDY_DATE].value == "1989-04-15"
    assert said.fields[FieldName.PATIENT_ID].value == "4980639"


@pytest.mark.parametrize(
    ("score", "other"), [(0.9, "Biiw babs 64715789"), (0.99, "EXAM DATE; 04/15/88")]
)
def test_what_is_alike_or_stands_beside_nothing_sure_is_heard(score: float, other: str) -> None:
    """A doubtful reading overrules nothing, and a sure one not what differs in a sign."""
    assert other in reading.testimony(film(score, other), FieldSource.FILM, RULES).lines
