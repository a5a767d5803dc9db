"""A number is settled sign by sign, by what each engine saw and what else it thought of."""

from dataclasses import replace

import pytest

from digitizer.model.reading import Doubt, FieldName, FieldSource, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import ReadingRules, parse
from digitizer.reading.hearing import Witness
from digitizer.reading.looks import Heard, Told, before_wear
from digitizer.reading.voting import undoubted

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
    doubtful = line("rapidocr", "MRN 3487014", (5, "4", 0.6, "9", 0.37))
    said = parse(Reading(lines=(doubtful,)), FieldSource.LABEL, RULES)[FieldName.PATIENT_ID]
    assert said.value == "3487014"
    ((other, chance),) = said.others
    assert other == "3987014"
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


def test_no_number_is_stated_of_whose_figure_an_engine_thinks_as_worn() -> None:
    """All read a 3; one of them thinks that it may be what is left of a 9."""
    read = line("rapidocr", "NO. R693440")
    assert number(read, line("tesseract", "NO. R693440"))[1] > 0.9
    worn = line("tesseract", "NO. R693440", (7, "3", 0.8, "9", 0.17))
    value, confidence = number(read, worn)
    assert value == "R693440"
    assert confidence < 0.8
    # No figure loses ink and looks like a 2.
    other = line("tesseract", "NO. R693440", (7, "3", 0.8, "2", 0.17))
    assert number(read, other)[1] > 0.8
    # Print from which coloured ink was faded lost some of its own.
    faded = line("rapidocr:ink", "NO. R693440", (7, "3", 0.8, "9", 0.17))
    assert number(read, line("tesseract", "NO. R693440"), faded)[1] > 0.8
    # Tesseract thinks of a 4 beside many a 1.
    one, other = line("rapidocr", "NO. R613440"), line("tesseract", "NO. R613440")
    beside = replace(other, doubts=(Doubt(6, (("1", 0.8), ("4", 0.17))),))
    assert number(one, beside)[1] > 0.8
    # Film does not wear.
    said = parse(Reading(lines=(read, worn)), FieldSource.FILM, RULES)[FieldName.PATIENT_ID]
    assert said.confidence > 0.8


def test_what_a_mark_lies_across_is_read_where_the_mark_is_faded() -> None:
    """All looks that contain the mark are misled alike; elsewhere they count as ever."""
    raw, clean = line("rapidocr", "MRN 4795278"), line("rapidocr:clean", "MRN 4795278")
    other, faded = line("tesseract", "MRN 4795278"), line("rapidocr:ink", "MRN 4755278")
    assert number(raw, clean, other, faded)[0] == "4795278"
    marked = [replace(one, covered=(6,)) for one in (raw, clean, other)]
    value, confidence = number(*marked, faded)
    assert value == "4755278"
    assert confidence < 0.8
    elsewhere = [replace(one, covered=(9,)) for one in (raw, clean, other)]
    assert number(*elsewhere, faded)[0] == "4795278"
    # Where no look is without the mark, all see it and none is worth less than another.
    unsure = line("tesseract", "MRN 4755278", (6, "5", 0.5, "9", 0.4))
    value, confidence = number(*marked[:2], replace(unsure, covered=(6,)))
    assert (value, pytest.approx(confidence)) == number(raw, clean, unsure)


def seen(text: str, *looks: tuple[int, str, float, str, float]) -> tuple[Doubt, ...]:
    """Return what the network saw at each sign of ``MRN 1234567``: that, but for the looks."""
    told = {at: ((a, p), (b, q)) for at, a, p, b, q in looks}
    places = [at for at, sign in enumerate(text) if at >= 4 and sign.isalnum()]
    return tuple(Doubt(at, told.get(at, ((text[at], 1.0),))) for at in places)


def test_a_look_at_worn_figures_settles_what_engines_doubt() -> None:
    """RapidOCR reads a 3 and thinks of an 8; the network sees an 8."""
    read = line("rapidocr", "MRN 3387014", (5, "3", 0.8, "8", 0.18))
    assert number(read)[0] == "3387014"
    looked = replace(read, figures=seen(read.text, (5, "8", 1.0, "3", 0.05)))
    assert number(looked)[0] == "3887014"
    # Against two that are sure of what is no part of it, it stands alone; they are less sure then.
    sure = line("rapidocr", "MRN 3387014"), line("tesseract", "MRN 3387014")
    before = number(*sure)
    for seven in (("7", 1.0, "3", 0.05), ("7", 1.0, "7", 1.0)):
        figures = seen(read.text, (5, *seven))
        value, confidence = number(replace(sure[0], figures=figures), sure[1])
        assert value == before[0] == "3387014"
        assert confidence < before[1]


SURE = line("rapidocr", "MRN 3387014"), line("tesseract", "MRN 3387014")


@pytest.mark.parametrize(("eight", "value"), [(0.2, "3887014"), (0.06, "3387014")])
def test_two_that_are_sure_of_a_3_leave_the_choice_where_an_8_left_a_trace(
    eight: float, value: str
) -> None:
    """Both see what is left of an 8; what was printed the network tells, and nobody is sure."""
    figures = seen("MRN 3387014", (5, "3", 1.0, "8", eight))
    told, confidence = number(replace(SURE[0], figures=figures), SURE[1])
    assert told == value
    assert (confidence < 0.5) == (value == "3887014")
    # An engine that saw the 8 itself loses nothing.
    eights = line("rapidocr", "MRN 3887014"), line("tesseract", "MRN 3887014")
    assert number(replace(eights[0], figures=figures), eights[1])[0] == "3887014"


def test_a_trace_of_an_8_counts_in_no_look_without_coloured_ink() -> None:
    """Print lost ink there too; nor does a trace of another figure: that is no half of it."""
    faded = line("rapidocr:ink", "MRN 3387014")
    looked = replace(faded, figures=seen(faded.text, (5, "3", 1.0, "8", 0.2)))
    assert number(*SURE, looked)[0] == "3387014"
    six = line("rapidocr", "MRN 5587014"), line("tesseract", "MRN 5587014")
    figures = seen("MRN 5587014", (5, "5", 1.0, "6", 0.2))
    assert number(replace(six[0], figures=figures), six[1])[0] == "5587014"


def test_the_network_tells_figures_of_no_letter() -> None:
    """It says of each sign which figure it is if it is one; no engine thought of any here."""
    read = line("rapidocr", "MRN R580214")
    looks = seen(read.text, (4, "R", 1.0, "8", 1.0))
    assert number(replace(read, figures=looks)) == number(read)


def test_a_look_at_part_of_a_number_is_none() -> None:
    """It was looked at where another engine had split the number."""
    read = line("rapidocr", "MRN 3387014", (5, "3", 0.8, "8", 0.18))
    looks = seen(read.text, (5, "8", 1.0, "3", 0.05))
    assert number(replace(read, figures=looks[:4])) == number(read)


def test_what_a_mark_lies_across_the_network_sees_no_better() -> None:
    """It counts less there, as other looks do."""
    other = line("tesseract", "MRN 3387014", (5, "3", 0.9, "8", 0.05))
    read = line("rapidocr", "MRN 3387014", (5, "3", 0.8, "8", 0.18))
    looked = replace(read, figures=seen(read.text, (5, "8", 1.0, "3", 0.05)))
    assert number(looked, other)[0] == "3887014"
    assert number(replace(looked, covered=(5,)), other)[0] == "3387014"


def test_readings_of_one_length_speak_for_it_together() -> None:
    """Under a pen stroke one look misses the last sign; two others see it, and not alike."""
    short = line("rapidocr", "MRN 168548")
    ink = line("rapidocr:ink", "MRN 1685481")
    other = line("tesseract", "MRN 1685484", (10, "4", 0.5, "1", 0.4))
    value, confidence = number(short, ink, other)
    assert value == "1685481"
    assert confidence < 0.8
    # One look against another of the same engine is no majority.
    assert number(short, ink)[0] == "168548"


def test_a_look_without_the_mark_across_a_number_tells_its_length() -> None:
    """A pen stroke took a sign from the look with it, and from another engine's."""
    stroke = {"covered": (5, 6)}
    marked = line("rapidocr", "MRN 360586"), line("tesseract", "MRN 300586")
    ink = line("rapidocr:ink", "MRN 3610586")
    assert number(*marked, ink)[0] == "360586"
    value, confidence = number(*(replace(one, **stroke) for one in marked), ink)
    assert value == "3610586"
    assert confidence < 0.8
    # A mark costs a sign, it adds none.
    longer = line("rapidocr", "MRN 3610586"), line("tesseract", "MRN 3610586")
    short = line("rapidocr:ink", "MRN 360586")
    assert number(*(replace(one, **stroke) for one in longer), short)[0] == "3610586"
    # Where all looks have the mark in them, none is the better one.
    assert number(*(replace(one, **stroke) for one in (*marked, ink)))[0] == "360586"


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


def born(*lines: Line) -> tuple[str, float]:
    said = parse(Reading(lines=lines), FieldSource.LABEL, RULES)[FieldName.BIRTH_DATE]
    return said.value, said.confidence


def test_a_date_is_settled_figure_by_figure() -> None:
    """Wherever its figures stand in the writing, and however the month is written."""
    for written, at, value in (
        ("DOB 06/30/1919", 5, "1919-08-30"),
        ("DOB: 16.03.1919", 6, "1919-03-18"),
        ("BORN 16 MAR 1919", 6, "1919-03-18"),
        ("DOB 1919-03-16", 13, "1919-03-18"),
    ):
        other = written[:at] + "8" + written[at + 1 :]
        doubtful = line("rapidocr", written, (at, "6", 0.5, "8", 0.45))
        assert born(doubtful, line("tesseract", other))[0] == value


def test_a_date_that_one_engine_alone_found_and_doubts_is_not_stated() -> None:
    """A worn 8 is read as a 3, and the other engine sees no date at all."""
    junk = line("tesseract", "wax 7206")
    doubtful = line("rapidocr", "DOB 03/12/1960", (11, "9", 0.91, "2", 0.07))
    assert born(doubtful, junk)[1] < 0.8
    very = line("rapidocr", "DOB 03/12/1960", (11, "9", 0.5, "2", 0.4))
    # Below that linkage takes a date for a guess, which contradicts nobody.
    assert 0.6 <= born(very, junk)[1] < 0.8
    value, confidence = born(line("rapidocr", "DOB 03/12/1960"), junk)
    assert value == "1960-03-12"
    assert confidence > 0.8


def test_a_date_that_engines_read_differently_is_not_stated() -> None:
    """One figure apart, and none of them doubts it."""
    one, other = line("rapidocr", "DOB 03/12/1960"), line("tesseract", "DOB 08/12/1960")
    assert born(one, other)[1] < 0.8


def test_figures_are_not_mixed_to_what_is_no_day() -> None:
    """31 APR would fit best, figure by figure."""
    one = line("rapidocr", "DOB 31 MAR 1960")
    other = line("tesseract", "DOB 21 APR 1960", (4, "2", 0.4, "3", 0.39))
    value, confidence = born(one, other)
    assert value in ("1960-03-31", "1960-04-21")
    assert confidence < 0.8


def test_paper_loses_ink_and_gains_none() -> None:
    """A 3 that may be an 8 is rather an 8 that wore off, and no surer than it was seen."""
    worn = line("rapidocr", "MRN 3387014", (5, "3", 0.6, "8", 0.37))
    value, confidence = number(worn)
    assert value == "3887014"
    assert confidence < 0.5
    whole = line("rapidocr", "MRN 3887014", (5, "8", 0.6, "3", 0.37))
    assert number(whole)[0] == "3887014"
    on_film = parse(Reading(lines=(worn,)), FieldSource.FILM, RULES)[FieldName.PATIENT_ID]
    assert on_film.value == "3387014"
    assert number(line("rapidocr", "MRN 3187024", (5, "1", 0.6, "4", 0.37)))[0] == "3487024"


def test_a_name_that_one_engine_alone_found_and_doubts_is_not_stated() -> None:
    """Handwriting that the other engine does not see; a known given name speaks for itself."""

    def named(*lines: Line) -> tuple[float, float]:
        said = parse(Reading(lines=lines), FieldSource.LABEL, RULES)
        return said[FieldName.FAMILY_NAME].confidence, said[FieldName.GIVEN_NAME].confidence

    junk = line("tesseract", "%< a 4")
    doubtful = line("rapidocr", "NAME IONSON, ALICE", (5, "I", 0.8, "J", 0.19))
    family, given = named(doubtful, junk)
    assert family < 0.8 < given
    assert min(named(line("rapidocr", "NAME JONSON, ALICE"), junk)) > 0.8
    assert named(doubtful)[0] > 0.8
    # Another look of the same engine read it otherwise.
    again = line("rapidocr:ink", "NAME JONSON, ALICE")
    assert named(line("rapidocr", "NAME IONSON, ALICE"), junk, again)[0] < 0.8


def test_only_a_whole_word_vouches_for_a_name() -> None:
    """And only where no sign of it is doubted, wherever else it stands."""

    def family(*texts: Line) -> float:
        said = parse(Reading(lines=(*texts, line("tesseract", "%< a 4"))), FieldSource.LABEL, RULES)
        assert said[FieldName.FAMILY_NAME].value == "JONSON"
        return said[FieldName.FAMILY_NAME].confidence

    assert family(line("rapidocr", "NAME: JONSON, XAVER")) > 0.8
    doubtful = line("rapidocr", "NAME: JONSON, XAVER", (6, "J", 0.8, "I", 0.19))
    assert family(doubtful) < 0.8
    for other in ("DR JONSONBERG", "DR JONSON-BERG", "DR JONSON"):
        assert family(line("rapidocr", other), doubtful) < 0.8
    # Put together from what engines saw as words of another kind, it was seen nowhere.
    assert family(line("rapidocr", "NAME: J0NSON, XAVER")) < 0.8


def test_what_stands_in_no_line_is_doubted() -> None:
    """And a date that stands twice, doubted once."""
    junk = line("tesseract", "wax 7206")
    sure = line("rapidocr", "DOB 03/12/1960")
    doubtful = line("rapidocr", "DOB 03/12/1960", (11, "6", 0.91, "8", 0.07))
    assert born(sure, sure, junk)[1] > 0.8
    assert born(sure, doubtful, junk)[1] < 0.8
    witness = Witness()
    witness.add(FieldName.BIRTH_DATE, "1960-03-12", 0.9)
    (claim,) = witness.claims[FieldName.BIRTH_DATE]
    by = Heard(witness, 1.0, "rapidocr", (line("rapidocr", "DOB"),))
    assert not undoubted([Told(claim, by)])


@pytest.mark.parametrize(
    "text", ["DOB 12/04/195!", "DOB 12/04/!951", "DOB !2/04/1951", "DOB 12/04/|951"]
)
def test_a_sign_taken_for_a_1_is_no_letter_nor_digit_of_the_line(text: str) -> None:
    """At the end of a date as well."""
    value, confidence = born(line("rapidocr", text), line("tesseract", "wax"))
    assert value == "1951-12-04"
    assert confidence < 0.8
    ahead = line("rapidocr", text, (9, "4", 0.5, "9", 0.45))
    assert born(ahead)[0] == "1951-12-04"


def test_what_wore_off_is_told_by_all_pairs_together() -> None:
    """The order of the pairs decides nothing, and what is impossible stays so."""
    look = before_wear({"5": 0.4, "6": 0.3, "8": 0.2, "2": 0.1})
    assert look["5"] < look["6"] < look["8"]
    assert look["6"] / look["5"] == pytest.approx(4 * 0.3 / 0.4)
    assert look["8"] / look["6"] == pytest.approx(4 * 0.2 / 0.3)
    look = before_wear({"3": 0.5, "8": 0.25, "9": 0.25})
    assert look["8"] == look["9"] == pytest.approx(0.4)
    assert sum(look.values()) == pytest.approx(1.0)
    assert before_wear({"2": 0.6, "3": 0.0, "8": 0.0}) == {"2": 0.6, "3": 0.0, "8": 0.0}
    assert before_wear({"3": 0.0, "8": 0.4}) == {"3": 0.0, "8": pytest.approx(0.4)}


def test_a_year_begins_with_no_worn_4() -> None:
    """A number may."""
    doubtful = line("rapidocr", "DOB 03/12/1960", (10, "1", 0.6, "4", 0.37))
    assert born(doubtful)[0] == "1960-03-12"


def test_what_else_a_date_may_be_is_a_day() -> None:
    """31 FEB is none."""
    doubtful = line(
        "rapidocr", "DOB 21 FEB 1960", (4, "2", 0.6, "3", 0.3), (13, "6", 0.6, "8", 0.3)
    )
    said = parse(Reading(lines=(doubtful,)), FieldSource.FILM, RULES)[FieldName.BIRTH_DATE]
    assert [value for value, _ in said.others] == ["1980-02-21"]


def test_on_film_one_engine_is_believed_of_a_name_and_an_exams_day() -> None:
    """No ink wears off there, and none that was stated so was wrong; a birth date is doubted."""
    junk = line("tesseract", "%< a 4")
    for source, stated in ((FieldSource.FILM, True), (FieldSource.LABEL, False)):
        lines = (
            line("rapidocr", "NAME IONSON, XAVER", (5, "I", 0.8, "J", 0.19)),
            line("rapidocr", "DOB 03/12/1960", (11, "6", 0.91, "8", 0.07)),
            line("rapidocr", "EXAM DATE 03/12/1987", (18, "8", 0.91, "6", 0.07)),
            junk,
        )
        said = parse(Reading(lines=lines), source, RULES)
        assert (said[FieldName.FAMILY_NAME].confidence > 0.8) is stated
        assert (said[FieldName.STUDY_DATE].confidence > 0.8) is stated
        assert said[FieldName.BIRTH_DATE].confidence < 0.8


def test_a_look_that_left_nothing_to_settle_weighs_what_both_would() -> None:
    """Without grain only doubted numbers are read: the look without coloured ink, where worse."""
    first = line("rapidocr", "HOSP NO: 6074170")
    faded = line("rapidocr:ink", "HCSP NO: 3974370")
    clean = line("rapidocr:ink:clean", "HOSP NO: 3974170")
    other = line("tesseract", "HOSP NO: 6074170", (10, "0", 0.5, "8", 0.2))
    assert number(first, other, faded, clean)[0] == "6074170"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("BIRTHDATE 1/05/1960", False),
        ("BIRTHDATE 01/5/1960", False),
        ("BIRTHDATE 11/05/1960", True),
        ("BIRTHDATE 1/5/1960", True),
        ("BIRTHDATE 1/15/1960", True),
    ],
)
def test_a_date_that_lost_a_figure_is_not_stated(text: str, *, stated: bool) -> None:
    """Who writes 05 for a month writes no day 1 beside it; here one engine alone found it."""
    said = parse(Reading(lines=(line("rapidocr:ink", text),)), FieldSource.LABEL, RULES)
    assert (said[FieldName.BIRTH_DATE].confidence >= 0.8) is stated


def stated(*lines: Line) -> set[FieldName]:
    sure = tuple(replace(one, confidence=1.0) for one in lines)
    said = parse(Reading(lines=sure), FieldSource.LABEL, RULES)
    return {name for name, one in said.items() if one.confidence >= 0.8}


def test_a_name_that_looks_exchange_is_not_stated() -> None:
    """A look that lost the comma takes the family name for the given one."""
    first = line("rapidocr", "PATIENT: SINGH, LINDA G")
    faded = line("rapidocr:ink", "PATIENT: SINGH LINDANG")
    assert FieldName.FAMILY_NAME in stated(first)
    assert FieldName.FAMILY_NAME not in stated(first, faded)


@pytest.mark.parametrize("text", ["PT NAME ERNEST T CLA RK", "DOERING JANETA^C"])
def test_a_name_parted_or_run_together_is_not_stated(text: str) -> None:
    """Lost ink parts a word; the initial behind a lone caret is no given name."""
    assert not {FieldName.FAMILY_NAME, FieldName.GIVEN_NAME} & stated(line("rapidocr", text))
    assert FieldName.FAMILY_NAME in stated(line("rapidocr", "PT NAME ERNEST T CLARK"))


def test_a_number_that_a_look_without_grain_denies_is_not_stated() -> None:
    """Neither though the other looks and the other engine agree."""
    first = line("rapidocr", "X-RAY NO. 2930579", (11, "9", 0.85, "0", 0.15))
    clean = line("rapidocr:clean", "X-RAY NO. 2030579", (11, "0", 0.62, "9", 0.38))
    faded = line("rapidocr:ink", "X-RAY NO. 2930579")
    other = line("tesseract", "X-RAY NO, 2930579")
    value, confidence = number(first, other, clean, faded)
    assert value == "2930579"
    assert confidence < 0.8
