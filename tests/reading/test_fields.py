"""Readings to fields: captions, witnesses, stamps, hostile text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitizer.model.film import ScanKind
from digitizer.model.reading import Barcode, FieldName, FieldSource, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import (
    GrammarSettings,
    ReadingRules,
    Vocabulary,
    kind_of,
    parse,
    parse_lines,
)

RULES = ReadingRules()
BOX = (Point(0, 0), Point(9, 0), Point(9, 9), Point(0, 9))


def read(*lines: str, source: FieldSource = FieldSource.LABEL, **more: object) -> dict[str, str]:
    fields = parse_lines(lines, more.get("barcodes", ()), source, more.get("rules", RULES))  # type: ignore[arg-type]
    return {name.value: field.value for name, field in fields.items()}


def reading(**engines: list[str]) -> Reading:
    return Reading(
        lines=tuple(
            Line(text=text, confidence=0.9, box=BOX, engine=engine)
            for engine, texts in engines.items()
            for text in texts
        )
    )


# -- captions and layouts --------------------------------------------------------------------

WHO = {
    "family_name": "DOE",
    "given_name": "JANE",
    "patient_id": "1234567",
    "birth_date": "1931-04-02",
}


@pytest.mark.parametrize(
    "lines",
    [
        ["DOE, JANE", "MRN 1234567", "DOB 04/02/1931"],
        ["NAME: DOE, JANE  MRN# 1234567", "D.O.B. APR 2, 1931"],
        ["Pat.No. 1234567", "Doe^Jane", "Geb.-Datum: 02.04.1931"],
        ["Surname: Doe", "First Name: Jane", "Hosp. # 1234567", "born 2 APR 1931"],
        ["NAME", "DOE, JANE", "ID:", "1234567", "Birthdate:1931-04-02"],
        ["1234567", "JANE DOE", "04/02/1931"],
        ["NAMF DOE, JANE", "H0SP NO 1234567", "8IRTHDATE: 04/02/1931"],
        ["DOE, JANE", "MRN 1234567", "D.O.8. 04/02/1931"],
        ["FIRST", "NAME: JANE", "LAST NAME: DOE", "MRN:1234567 DOB:04/02/1931"],
        ["DOE,", "JANE", "1234567 F 04/02/1931"],
    ],
)
def test_a_label_is_read_in_every_layout(lines: list[str]) -> None:
    """Captions or none, on one line or several, misread by a character."""
    said = read(*lines)
    assert {name: said.get(name) for name in WHO} == WHO


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["LAST: DOE", "FIRST: JANE", "MI: R"], ("DOE", "JANE", "R")),
        (["LAST NAME: DOE", "FIRST NAME: JANE", "MIDDLE NAME: RUTH"], ("DOE", "JANE", "RUTH")),
        (["NAME", "DOE", "JANE R", "MRN 1234567"], ("DOE", "JANE", "R")),
        (["DOE", "JANE R"], ("DOE", "JANE", "R")),
        (["DOE, JANE R  F 45Y"], ("DOE", "JANE", "R")),
        (["MRS. DOE, JANE"], ("DOE", "JANE", None)),
        (["JANE R WRIGHT"], ("WRIGHT", "JANE", "R")),
        (["COLON, MARIA"], ("COLON", "MARIA", None)),
        (["PT NAME WATERS^MARY^J"], ("WATERS", "MARY", "J")),
        (["KHANADONNAAC"], ("KHAN", "DONNA", "C")),
        (["NAME: KAUR^MARYAJ"], ("KAUR", "MARY", "J")),
        (["FLORESMARIA^M"], ("FLORES", "MARIA", "M")),
        (["FLORES MARIA^M"], ("FLORES", "MARIA", "M")),
        (["DAVIS^ALBERT'T"], ("DAVIS", "ALBERT", "T")),
    ],
)
def test_a_name_is_told_from_what_stands_about_it(
    lines: list[str], expected: tuple[str, str, str | None]
) -> None:
    """Lines of its own, titles, ages, words of exams that are names, carets taken for letters."""
    said = read(*lines)
    assert (said["family_name"], said["given_name"], said.get("middle_name")) == expected


@pytest.mark.parametrize(
    "caption",
    ["DOE", "DOS", "DOA", "DOD", "DOR", "DOP", "DOH", "D0S", "D.O.S.", "D.O.E", "D.O.A.", "D.O.",
     "DO", "DC", "D.C."],
)  # fmt: skip
@pytest.mark.parametrize("sign", [":", "", "#"])
def test_a_date_of_something_else_is_no_birth_date(caption: str, sign: str) -> None:
    """Of exam, service, admission, death, report: a doctor of osteopathy signs DO beside a day."""
    for day in ("08/12/1978", "8/12/1978", "8-12-78"):
        label = ["DOE, JANE", "MRN 1234567", f"{caption}{sign} {day}"]
        stated = parse_lines(label, (), FieldSource.LABEL, RULES).get(FieldName.BIRTH_DATE)
        assert stated is None or stated.confidence < 0.6
        said = read(*label, "DOB 04/02/1931")
        assert said["birth_date"] == "1931-04-02"


def test_a_number_that_begins_like_a_misread_caption_is_a_number() -> None:
    """D08 is the beginning of a record number here."""
    said = read("DOE, JANE", "MRN D0812345", "DOB 04/02/1931")
    assert said["patient_id"] == "D0812345"


@pytest.mark.parametrize("line", ["CHEST, PA", "IVP 10 MIN", "HEEL RT", "BOTH KNEES STANDING"])
def test_an_exam_is_nobody(line: str) -> None:
    """Nor does it become a name by a comma."""
    assert "family_name" not in read(line)


@pytest.mark.parametrize(
    ("line", "sex"),
    [
        ("SEX: FEMALE", "F"), ("GESCHLECHT: W", "F"), ("M/F: F", "F"), ("MALE", "M"),
        ("DOE, JOHN 45 YRS M", "M"), ("45Y/F", "F"), ("SEX/DOB: M 03/12/1945", "M"),
    ],
)  # fmt: skip
def test_a_sex_is_read_in_every_form(line: str, sex: str) -> None:
    """Captioned, beside an age, alone."""
    assert read(line)["sex"] == sex


@pytest.mark.parametrize(
    ("line", "part", "side", "kind"),
    [
        ("R KNEE AP LAT", "KNEE", "R", None),
        ("L. ANKLE", "ANKLE", "L", None),
        ("KNEE (R)", "KNEE", "R", None),
        ("L SPINE", "LSPINE", None, None),
        ("BOTH KNEES STANDING", "KNEE", "B", None),
        ("CXR PA", "CHEST", None, None),
        ("UGI", "ABDOMEN", None, "RF"),
        ("MRI BRAIN", "BRAIN", None, "MR"),
        ("US ABDOMEN", "ABDOMEN", None, "US"),
        ("BILAT MAMMO", "BREAST", "B", "MG"),
        ("TIB FIB LEFT", "LEG", "L", None),
        ("KNIE", None, None, None),
    ],
)
def test_an_exam_tells_part_side_and_kind(
    line: str, part: str | None, side: str | None, kind: str | None
) -> None:
    """By the vocabulary; a lone letter is a side only beside what everybody has twice."""
    said = read(line, source=FieldSource.FILM)
    assert (said.get("body_part"), said.get("laterality"), said.get("modality")) == (
        part, side, kind,
    )  # fmt: skip


def test_a_sites_vocabulary_replaces_the_tables_it_has() -> None:
    """And leaves the others as they come."""
    words = Vocabulary.load('[body_part]\nKNEE = ["KNIE"]\n')
    rules = ReadingRules(vocabulary=words)
    assert read("RT KNIE", source=FieldSource.FILM, rules=rules)["body_part"] == "KNEE"
    assert "body_part" not in read("RT KNEE", source=FieldSource.FILM, rules=rules)
    assert words.stamps == RULES.vocabulary.stamps


@pytest.mark.parametrize("text", ["[body_part", "[stampz]\nwords = []", '[body_part]\nA = "X"'])
def test_a_garbled_vocabulary_is_refused(text: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError):  # of tomllib, or of our own with the word
        Vocabulary.load(text)


def test_a_film_bears_its_exam() -> None:
    """The date of the exam is not the birth date; the text tells part, side and kind."""
    said = read(
        "DOE, JANE", "1234567", "DOB 04/02/1931 F", "03/12/1978 ACC# R78-01234", "RT HAND 3V",
        source=FieldSource.FILM,
    )  # fmt: skip
    assert said["study_date"] == "1978-03-12"
    assert said["birth_date"] == "1931-04-02"
    assert said["accession_number"] == "R78-01234"
    assert (said["body_part"], said["laterality"], said["sex"]) == ("HAND", "R", "F")


@pytest.mark.parametrize(
    "stamp", ["COPY", "LOANED", "DO NOT DESTROY", "DONOTDESTROY", "PURGED 1991", "OUT ON LOAN"]
)
def test_a_stamp_is_nobody(stamp: str) -> None:
    """Stamps lie across labels and name no patient."""
    assert read(stamp) == {}


def test_a_hospital_and_a_doctor_are_not_the_patient() -> None:
    """Neither the heading nor the referrer."""
    said = read("CITY GENERAL HOSPITAL", "REFERRED BY: SMITH, PETER", "DOE, JANE")
    assert said["family_name"] == "DOE"


def test_a_jacket_that_lists_several_exams_bears_none_as_its_own() -> None:
    """A log is no exam."""
    said = read("DOE, JANE", "03/12/1978 CHEST PA", "05/01/1980 RT HAND")
    assert "description" not in said
    assert "study_date" not in said


def test_a_log_of_the_same_exam_on_several_days_is_no_exam() -> None:
    """However alike its lines are."""
    assert "description" not in read("DOE, JANE", "03/12/1978 CHEST PA", "05/01/1980 CHEST PA")


def test_a_damaged_birth_date_is_no_record_number() -> None:
    """What follows its caption is no number of another kind."""
    assert "patient_id" not in read("BIRTHDATE. NOV 15. 19731", "DOE, JANE")


def test_the_year_in_an_accession_number_tells_the_exams_date() -> None:
    """So that it is not taken for the birth date."""
    said = read("DOE, JANE", "ACC: R78-01234", "03/12/1978", "RIGHT KNEE")
    assert (said["study_date"], said.get("birth_date")) == ("1978-03-12", None)


@pytest.mark.parametrize("number", ["X90 -92427", "X90 - 92427", "X90- 92427"])
def test_an_accession_number_with_a_space_at_its_dash_is_no_record_number(number: str) -> None:
    """Engines see spaces in blurred print."""
    said = read("9960066", f"DATE AUG 4, 1990 ACC {number}", source=FieldSource.FILM)
    assert said["accession_number"] == "X90-92427"
    assert said["patient_id"] == "9960066"


def test_a_space_before_a_sign_within_a_date_is_passed_over() -> None:
    """A number before a date stays one of its own."""
    said = read("MRN 4711822 -12/05/1978", "DOB 21.01 .1916", source=FieldSource.FILM)
    assert said["patient_id"] == "4711822"
    assert said["birth_date"] == "1916-01-21"
    assert said["study_date"] == "1978-12-05"


def test_a_date_that_cannot_be_read_is_not_a_name() -> None:
    """BORN FEB 6, 1g00 names nobody."""
    assert read("BORN FEB 6, 1g00") == {}
    assert "family_name" not in read("BCRN 3l JAN 194g")


def test_a_birth_date_under_a_stamp_is_not_guessed() -> None:
    """Its caption stands there; the other date is the exam's."""
    assert "birth_date" not in read("HALL, ARTHUR", "D.O.B.", "COPY", "03/04/75 CHAS? PA")


def test_a_birth_in_the_century_before_is_told_by_the_exam() -> None:
    """Nobody is filmed before birth: 02/04/01 was 1901 on a film of 1978."""
    said = read("DOE, JANE", "DOB 04/02/01", "DATE 03/12/1978", source=FieldSource.FILM)
    assert said["birth_date"] == "1901-04-02"


def test_the_order_of_dates_is_the_sites() -> None:
    """A setting, not a guess."""
    rules = ReadingRules(grammar=GrammarSettings(day_first=True))
    assert read("DOB 02/04/1931", rules=rules)["birth_date"] == "1931-04-02"


# -- witnesses -------------------------------------------------------------------------------


def test_two_engines_that_agree_are_surer_than_one() -> None:
    """And than two that do not."""

    def sure(**engines: list[str]) -> float:
        fields = parse(reading(**engines), FieldSource.LABEL, RULES)
        return fields[FieldName.PATIENT_ID].confidence

    both = sure(rapidocr=["MRN 1234567"], tesseract=["MRN 1234567"])
    alone = sure(rapidocr=["MRN 1234567"])
    apart = sure(rapidocr=["MRN 1234567"], tesseract=["MRN 1284567"])
    assert both > alone > apart


def test_a_number_taken_for_the_wrong_thing_by_one_engine_is_put_right() -> None:
    """What both know as the accession number is not the record number."""
    fields = parse(
        reading(
            rapidocr=["T980868", "FILM NO: X3638357"],
            tesseract=["T980868", "MRN NO: X3638357", "ACC: X3638357"],
        ),
        FieldSource.FILM,
        RULES,
    )
    assert fields[FieldName.PATIENT_ID].value == "T980868"
    assert fields[FieldName.ACCESSION_NUMBER].value == "X3638357"


def test_a_number_that_engines_caption_differently_does_not_displace_another() -> None:
    """One takes the accession number for the record number, which both read without a caption."""
    fields = parse(
        reading(rapidocr=["T980868", "MRN NO: X3638357"], tesseract=["T980868", "ACC: X3638357"]),
        FieldSource.FILM,
        RULES,
    )
    assert fields[FieldName.PATIENT_ID].value == "T980868"
    assert fields[FieldName.ACCESSION_NUMBER].value == "X3638357"


def test_a_number_behind_its_caption_is_not_given_up_for_a_caption_misread() -> None:
    """Tesseract read MRN as MEN, and, unsurely, a number of its own out of a birth date."""
    surely = reading(rapidocr=["MRN: R307594", "D.O.B. 1929-09-19"], tesseract=["MEN, R307594"])
    unsurely = Line(text="D.Y.B 18205 OP 4", confidence=0.2, box=BOX, engine="tesseract")
    fields = parse(Reading(lines=(*surely.lines, unsurely)), FieldSource.LABEL, RULES)
    assert fields[FieldName.PATIENT_ID].value == "R307594"
    assert fields[FieldName.PATIENT_ID].confidence > 0.5


def test_a_second_look_of_one_engine_is_no_second_witness() -> None:
    """What it misreads it misreads twice."""

    def sure(**engines: list[str]) -> tuple[str, float]:
        lines = reading(**{"rapidocr": ["HOSP NO: 3012202"], **engines}).lines
        again = Line(text="HOSP NO: 3012202", confidence=0.9, box=BOX, engine="rapidocr:ink")
        fields = parse(Reading(lines=(*lines, again)), FieldSource.LABEL, RULES)
        return fields[FieldName.PATIENT_ID].value, fields[FieldName.PATIENT_ID].confidence

    alone = parse(reading(rapidocr=["HOSP NO: 3012202"]), FieldSource.LABEL, RULES)
    assert sure()[1] == pytest.approx(alone[FieldName.PATIENT_ID].confidence)
    assert sure(tesseract=["HOSP NO: 8012202"])[1] < 0.6
    assert sure(tesseract=["HOSP NO: 3012202"])[1] > 0.9


@pytest.mark.parametrize("more", [[], ["ACCESSION: 84261381"]])
def test_a_letter_before_a_number_is_kept_against_a_digit_like_it(more: list[str]) -> None:
    """B942336 fits both a record and an accession number; 8942336 only one of them."""
    fields = parse(
        reading(rapidocr=["ANDERSON, JANE", "B942336", *more],
                tesseract=["ANDERSON, JANE", "8942336", *more]),
        FieldSource.FILM,
        RULES,
    )  # fmt: skip
    assert fields[FieldName.PATIENT_ID].value == "B942336"


def test_a_captioned_number_of_which_a_part_is_missing_is_doubted() -> None:
    """Digits alone that are too few for the site's numbers; a form with dashes is another form."""
    short = parse_lines(["X-RAY NO. 6732"], (), FieldSource.FILM, RULES)[FieldName.PATIENT_ID]
    other = parse_lines(["X-RAY NO. 12-34-56"], (), FieldSource.FILM, RULES)[FieldName.PATIENT_ID]
    assert short.confidence < 0.5 < other.confidence


def test_a_given_name_is_no_misread_part_of_the_body() -> None:
    """BRIAN is one transposition from BRAIN."""
    said = read("BRIAN T DAVIS H213459", source=FieldSource.FILM)
    assert (said["family_name"], said["given_name"]) == ("DAVIS", "BRIAN")


def test_names_of_two_engines_are_not_mixed() -> None:
    """No given name is set to another reading's family name."""
    fields = parse(
        reading(rapidocr=["NAME: DOE, JANE"], tesseract=["NAME: ROE, JANET"]),
        FieldSource.LABEL,
        RULES,
    )
    name = fields[FieldName.FAMILY_NAME].value, fields[FieldName.GIVEN_NAME].value
    assert name in {("DOE", "JANE"), ("ROE", "JANET")}


def test_a_lost_space_is_put_right_by_the_other_engine() -> None:
    """APRIL J is a name, APRILJ none; where both say the same letters."""
    fields = parse(
        reading(rapidocr=["OWENS, APRILJ"], tesseract=["OWENS, APRIL J"]), FieldSource.LABEL, RULES
    )
    assert fields[FieldName.GIVEN_NAME].value == "APRIL"


def test_a_barcode_is_believed_before_letters() -> None:
    """It has its own check."""
    barcode = Barcode(text="7654321", format="Code128", box=BOX)
    lines = reading(rapidocr=["MRN 7654327"]).lines
    fields = parse(Reading(lines=lines, barcodes=(barcode,)), FieldSource.LABEL, RULES)
    assert fields[FieldName.PATIENT_ID].value == "7654321"
    assert fields[FieldName.PATIENT_ID].source is FieldSource.BARCODE


def test_a_jackets_barcode_is_the_jackets_number() -> None:
    """Not the patient's."""
    assert read(barcodes=["J123456"]) == {"jacket": "J123456"}


def test_a_number_whose_check_digit_fails_is_doubted_and_kept() -> None:
    """It stays as read."""
    grammar = GrammarSettings(issuers=(r"CITY=\d{11}",), check_digits=("CITY=luhn",),
                              record_number=r"\d{11}")  # fmt: skip
    rules = ReadingRules(grammar=grammar)
    right = parse_lines(["MRN 49927398716"], (), FieldSource.LABEL, rules)[FieldName.PATIENT_ID]
    wrong = parse_lines(["MRN 49927398717"], (), FieldSource.LABEL, rules)[FieldName.PATIENT_ID]
    assert wrong.value == "49927398717"
    assert wrong.confidence < 0.5 < right.confidence


def test_of_two_readings_the_one_whose_check_digit_holds_is_believed() -> None:
    """Though the better engine read the other."""
    grammar = GrammarSettings(issuers=(r"CITY=\d{11}",), check_digits=("CITY=luhn",),
                              record_number=r"\d{11}")  # fmt: skip
    fields = parse(
        reading(rapidocr=["MRN 49927398776"], tesseract=["MRN 49927398716"]),
        FieldSource.LABEL,
        ReadingRules(grammar=grammar),
    )
    assert fields[FieldName.PATIENT_ID].value == "49927398716"


# -- kinds of paper --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DOE, JANE", "MRN 1234567"], ScanKind.LABEL),
        (["SEPARATOR SHEET"], ScanKind.SEPARATOR),
        (["RADIOLOGY REPORT FINDINGS", *["the lungs are clear and the heart is normal"] * 6],
         ScanKind.DOCUMENT),
    ],
)  # fmt: skip
def test_paper_is_told_by_its_words(lines: list[str], expected: ScanKind) -> None:
    """A label, a separator, a report."""
    assert kind_of(reading(rapidocr=lines), None) is expected


# -- hostile text ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=12), st.lists(st.text(max_size=40), max_size=3))
def test_any_lines_give_values_in_one_form(lines: list[str], barcodes: list[str]) -> None:
    """Whatever an engine hands over."""
    for source in (FieldSource.LABEL, FieldSource.FILM):
        fields = parse_lines(lines, barcodes, source, RULES)
        assert all(field.value for field in fields.values())
        assert all(0 <= field.confidence <= 1 for field in fields.values())
        sex = fields.get(FieldName.SEX)
        assert sex is None or sex.value in "MFO"


@pytest.mark.parametrize("text", ["A," * 50_000, "1/" * 50_000, "ACC# " * 20_000, "'" * 100_000])
def test_a_line_of_a_hundred_thousand_characters_takes_no_time(text: str) -> None:
    """No pattern blows up on it."""
    began = time.process_time()
    parse_lines([text] * 20, [text], FieldSource.FILM, RULES)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("given", "stated"), [("HEIDI", True), ("HIDI", False), ("XANTHIPPE", True)]
)
def test_on_film_a_name_of_one_engine_is_doubted_where_it_is_rather_a_known_one_misread(
    given: str, stated: bool
) -> None:
    """One sign from a known given name is not stated; what is known, or far from all, is."""
    below = (Point(0, 20), Point(9, 20), Point(9, 29), Point(0, 29))
    lines = [
        Line(text=f"HARRIS, {given} F", confidence=0.975, box=BOX, engine="rapidocr"),
        Line(text="UME", confidence=0.4, box=below, engine="tesseract"),
    ]
    fields = parse(Reading(lines=tuple(lines)), FieldSource.FILM, RULES)
    assert fields[FieldName.GIVEN_NAME].value == given
    assert (fields[FieldName.GIVEN_NAME].confidence >= 0.8) is stated
    assert fields[FieldName.FAMILY_NAME].confidence >= 0.8
