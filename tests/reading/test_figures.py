"""Letters in the places of figures are figures that lost ink, told by their shapes."""

import pytest

from digitizer.model.reading import Doubt, FieldName, FieldSource, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import ReadingRules, parse
from digitizer.reading.figures import figures_of, without_small_letters

BOX = (Point(0, 0), Point(9, 0), Point(9, 2), Point(0, 2))


def line(text: str, *doubts: Doubt, engine: str = "rapidocr") -> Line:
    return Line(text=text, confidence=0.95, box=BOX, engine=engine, doubts=doubts)


def number(source: FieldSource, *lines: Line) -> tuple[str, float]:
    said = parse(Reading(lines=lines), source, ReadingRules())[FieldName.PATIENT_ID]
    return said.value, said.confidence


def test_an_s_on_paper_is_rather_an_8_with_gaps_than_a_5() -> None:
    """And never stated as sure; film loses no ink, and there it is a 5."""
    read = line("MRN 4S71186")
    value, confidence = number(FieldSource.LABEL, read)
    assert value == "4871186"
    assert confidence < 0.8
    assert number(FieldSource.FILM, read)[0] == "4571186"


def test_an_engine_that_thought_of_the_figure_itself_tells_which() -> None:
    """A 5 beside the S."""
    doubtful = line("MRN 4S71186", Doubt(5, (("S", 0.5), ("5", 0.4))))
    assert number(FieldSource.LABEL, doubtful)[0] == "4571186"


def test_a_small_b_between_figures_is_a_6() -> None:
    """Its doubts go with it; a capital B has two bowls, as an 8 has."""
    read = line("MRN 43b1186", Doubt(6, (("b", 0.7), ("o", 0.05))))
    told = without_small_letters(read)
    assert told.text == "MRN 4361186"
    assert told.doubts == (Doubt(6, (("6", 0.7), ("o", 0.05))),)
    assert number(FieldSource.LABEL, read)[0] == "4361186"
    assert number(FieldSource.LABEL, line("MRN 43B1186"))[0] == "4381186"


@pytest.mark.parametrize("text", ["Bob 43", "43 bed", "b431186", "43117b"])
def test_a_small_b_elsewhere_is_a_letter(text: str) -> None:
    """At the beginning or the end of figures it may be one."""
    read = line(text)
    assert without_small_letters(read) is read


@pytest.mark.parametrize(("sign", "figure"), [("O", "0"), ("B", "8"), ("7", "7"), ("M", "M")])
def test_other_signs_look_like_one_figure_or_none(sign: str, figure: str) -> None:
    """On paper and on film."""
    assert figures_of(sign, paper=True) == figures_of(sign, paper=False) == {figure: 1.0}
