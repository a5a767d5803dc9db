"""A number is settled sign by sign, by what each engine saw and what else it thought of."""

from digitizer.model.reading import Doubt, FieldName, FieldSource, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import ReadingRules, parse

BOX = (Point(0, 0), Point(9, 0), Point(9, 2), Point(0, 2))
RULES = ReadingRules()


def line(engine: str, text: str, *doubts: tuple[int, str, float, str, float]) -> Line:
    told = tuple(Doubt(at, ((a, p), (b, q))) for at, a, p, b, q in doubts)
    return Line(text=text, confidence=0.95, box=BOX, engine=engine, doubts=told)


def number(*lines: Line) -> tuple[str, float]:
    said = parse(Reading(lines=lines), FieldSource.LABEL, RULES)[FieldName.PATIENT_ID]
    return said.value, said.confidence


def test_what_one_engine_doubts_the_other_settles() -> None:
    """RapidOCR thinks of a 3 or an 8; Tesseract reads an 8."""
    doubtful = line("rapidocr", "MRN 3387014", (5, "3", 0.6, "8", 0.37))
    assert number(doubtful, line("tesseract", "MRN 3887014"))[0] == "3887014"
    sure = line("rapidocr", "MRN 3387014")
    value, confidence = number(sure, line("tesseract", "MRN 3887014"))
    assert value == "3387014"
    assert confidence < 0.8


def test_what_else_a_number_may_be_is_kept() -> None:
    """For the reviewer, and for weighing a patient whose number is one sign off."""
    doubtful = line("rapidocr", "MRN 3387014", (5, "3", 0.6, "8", 0.37))
    said = parse(Reading(lines=(doubtful,)), FieldSource.LABEL, RULES)[FieldName.PATIENT_ID]
    assert said.value == "3387014"
    ((other, chance),) = said.others
    assert other == "3887014"
    assert 0.3 < chance < 0.45


def test_each_sign_is_chosen_by_itself() -> None:
    """Neither engine has the whole number."""
    one = line("rapidocr", "MRN 3387014", (5, "3", 0.5, "8", 0.45))
    other = line("tesseract", "MRN 3887019", (10, "9", 0.5, "4", 0.45))
    value, confidence = number(one, other)
    assert value == "3887014"
    assert confidence < 0.8


def test_a_look_without_grain_weighs_more_than_one_in_it() -> None:
    """It stands in for the line it was read of; the other lines are as they were."""
    rest = Line(text="DOE, JANE", confidence=0.95, box=(*BOX[:3], Point(0, 9)), engine="rapidocr")
    raw = line("rapidocr", "MRN 3387014", (5, "3", 0.8, "8", 0.18))
    clean = line("rapidocr:clean", "MRN 3887014", (5, "8", 0.9, "3", 0.08))
    assert number(raw, rest, clean)[0] == "3887014"


def test_a_letter_is_a_digit_where_the_number_then_has_its_form() -> None:
    """The engine thought of an 8 beside the E."""
    read = line("rapidocr", "MRN R17729E", (10, "E", 0.7, "8", 0.25))
    assert number(read)[0] == "R177298"


def test_a_number_that_another_engine_did_not_find_is_not_stated() -> None:
    """One that looked and saw none makes it doubtful."""
    read = line("rapidocr", "MRN 3887014")
    alone = number(read)[1]
    assert alone > 0.8
    assert number(read, line("tesseract", "MPN ZB87OLA"))[1] < 0.8


def test_numbers_of_different_length_are_not_mixed() -> None:
    """The better supported one stands as it was read."""
    value, _ = number(line("rapidocr", "MRN 3887014"), line("tesseract", "MRN 88701"))
    assert value == "3887014"


def test_a_number_that_stands_alone_may_be_broken_behind_its_letter() -> None:
    """One engine saw a space where a pen stroke crosses; a bullet before a number is none of it."""
    assert number(line("rapidocr", "A4 19303"))[0] == "A419303"
    assert number(line("rapidocr", "1 3387014"))[0] == "3387014"
