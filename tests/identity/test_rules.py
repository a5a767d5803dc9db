"""DESIGN §5, rule by rule: whose film, of which exam, and why a person is asked."""

from functools import partial

import pytest

from digitizer.model.identity import PersonName

person = partial(PersonName, family="DOE")

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
JOAN = ["OKONKWO, JOAN", "MRN 4711823", "DOB 04/02/1931"]
NOBODY = ["WESTERGAARD, INGE", "MRN 3141592", "DOB 06/07/1944"]


def codes(answer):
    return [one["code"] for one in answer["reasons"]]


def filed(answer):
    return answer["patient_id"], answer["issuer"], answer["accession_number"]


# -- evidence on the film itself -------------------------------------------------------------


def test_a_full_block_files_its_film(ask):
    """Number, name, birth date and an exam of that day and number."""
    answer = ask(*JANE, "03/12/1978 ACC R78-01234", jacket=JANE)
    assert filed(answer) == ("4711822", "GEN", "R78-01234")
    assert codes(answer) == []


def test_a_film_is_filed_without_a_label_by_its_own_block(ask):
    """The label speaks for the jacket, the film for itself."""
    assert filed(ask(*JANE, "R78-01234")) == ("4711822", "GEN", "R78-01234")


@pytest.mark.parametrize("film", [[], ["R"], ["KVP 80"], ["CITY GENERAL HOSPITAL"], ["03/12/1978"]])
def test_a_silent_film_is_never_filed_on_its_jackets_word(ask, film):
    """However clear the label is."""
    answer = ask(*film, jacket=JANE)
    assert answer["outcome"] == "review"
    assert codes(answer) == ["film_silent"]


@pytest.mark.parametrize(
    "film", [["8880001", "01/01/1981"], ["OKONKWO, JANE", "DATE 03/12/1978"], ["ACC R70-00001"]]
)
def test_one_identifier_is_not_enough(ask, film):
    """Two independent ones are wanted, one of them a number."""
    assert codes(ask(*film)) == ["below_threshold"]


def test_a_birth_date_alone_names_nobody(ask):
    """It is no key to search by."""
    assert codes(ask("DOB 04/02/1931", "03/12/1978")) == ["no_candidate"]


def test_name_and_birth_date_without_a_number_are_not_enough(ask):
    """Namesakes are born on one day oftener than numbers are misread."""
    assert "below_threshold" in codes(ask("OKONKWO, JANE", "DOB 04/02/1931", "DATE 03/12/1978"))


def test_the_labels_number_needs_more_than_a_name_on_the_film(ask):
    """A namesake's film may have slipped in; the birth date ties it, or the day of a known exam."""
    assert ask("OKONKWO, JANE", "CHEST PA", jacket=JANE)["outcome"] == "review"
    log = [*JANE, "03/13/1978 CHEST PA"]
    assert ask("OKONKWO, JANE", "DATE 03/13/1978", jacket=log)["outcome"] == "review"
    assert ask("OKONKWC, JANE", "DATE 03/12/1978", jacket=JANE)["outcome"] == "review"
    assert filed(ask("OKONKWO, JANE", "DATE 03/12/1978", jacket=JANE))[2] == "R78-01234"
    tied = ask("OKONKWO, JANE", "DOB 04/02/1931", "DATE 03/12/1978", jacket=JANE)
    assert tied["patient_id"] == "4711822"


def test_a_field_on_film_and_label_is_one_identifier(ask):
    """Two witnesses of a number are no second identifier."""
    assert codes(ask("8880001", "DATE 01/01/1981", jacket=["MRN 8880001"])) == ["below_threshold"]


def test_a_number_of_two_issuers_alone_is_ambiguous(ask):
    """It is somebody of the index, and nobody knows who."""
    assert codes(ask("4711822", "DATE 03/12/1978"))[0] == "ambiguous"


def test_a_barcode_on_the_film_is_evidence_on_the_film(ask):
    """Its number counts as one read."""
    answer = ask("OKONKWO, JANE", "DATE 03/12/1978", barcodes=("4711822",))
    assert filed(answer) == ("4711822", "GEN", "R78-01234")


def test_the_second_engines_right_number_is_heard(ask):
    """The grammar's choice between two readings of one line does not decide alone."""
    answer = ask("OKONKWO, JANE", "MRN 4711B22", "MRN 4711822", "DOB 04/02/1931", "R78-01234")
    assert answer["patient_id"] == "4711822"


# -- contradictions and look-alikes ----------------------------------------------------------


def test_a_strangers_film_in_a_jacket_is_named_with_both(ask):
    """The film says one name, the jacket another."""
    answer = ask("SMITH, JOHN", "5550001", "R70-00001", jacket=JANE)
    assert answer["outcome"] == "review"
    assert "film_contradicts_jacket" in codes(answer)
    text = next(r["text"] for r in answer["reasons"] if r["code"] == "film_contradicts_jacket")
    assert "SMITH, JOHN" in text
    assert "OKONKWO, JANE" in text


def test_a_twins_film_in_a_jacket_is_noticed(ask):
    """Same family, same birth date, number one digit away."""
    assert "film_contradicts_jacket" in codes(ask(*JOAN, "R78-01240", jacket=JANE))


def test_a_twins_film_is_filed_to_the_twin(ask):
    """And never to her sister."""
    assert filed(ask(*JOAN, "R78-01240", jacket=JOAN)) == ("4711823", "GEN", "R78-01240")


def test_a_twins_misread_number_files_nothing(ask):
    """Jane's name with Joan's number: one of the two was misread, and nobody knows which."""
    answer = ask("OKONKWO, JANE", "MRN 4711823", "DOB 04/02/1931", "DATE 03/12/1978")
    assert answer["outcome"] == "review"
    assert "ambiguous" in codes(answer)


def test_two_people_nobody_knows_are_told_apart(ask):
    """Film and label name two who are both not in the index."""
    label = ["ABERNATHY, CLARA", "MRN 2718281", "DOB 08/09/1922"]
    answer = ask(*NOBODY, "DATE 03/12/1978", jacket=label)
    assert "film_contradicts_jacket" in codes(answer)


@pytest.mark.parametrize(
    ("name", "more", "filed_alone"),
    [
        ("OKONKVVO", [], True),  # as engines misread it
        ("OKANKWO", [], False),  # a letter that is not misread so
        ("OKANKWO", ["DOB 04/02/1931"], True),  # but the birth date bears it out
    ],
)
def test_a_name_one_letter_off_is_believed_where_it_looks_misread(ask, name, more, filed_alone):
    """Both numbers agree; a namesake of another spelling may not be in the index."""
    answer = ask(f"{name}, JANE", "MRN 4711822", *more, "03/12/1978 ACC R78-01234")
    assert (answer["outcome"] == "auto") is filed_alone


def test_the_namesakes_film_in_a_jacket_is_noticed(ask):
    """Same name, other number and birth date."""
    label = ["SMITH, JOHN", "MRN 5550002", "DOB 09/30/1948"]
    answer = ask("SMITH, JOHN", "5550001", "DOB 01/05/1920", "R70-00001", jacket=label)
    assert "film_contradicts_jacket" in codes(answer)


def test_father_and_son_are_told_by_suffix_and_number(ask):
    """JR with the father's number is nobody's proof."""
    son = ask("LINDQVIST JR, PAUL", "6660002", "R75-00002")
    assert son["patient_id"] == "6660002"
    assert ask("LINDQVIST JR, PAUL", "6660001", "R75-00001")["outcome"] == "review"


def test_a_sheet_that_bears_a_second_patients_number_is_asked_about(ask):
    """Whatever else it says."""
    answer = ask(*JANE, "R78-01234", "SEE ALSO 5550001")
    assert "several_identities" in codes(answer)


def test_a_misread_label_does_not_contradict(ask):
    """Its number agrees; a birth date with two wrong digits is a misreading."""
    label = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/12/1981"]
    assert ask(*JANE, "R78-01234", jacket=label)["outcome"] == "auto"


# -- in the index or not ---------------------------------------------------------------------


def test_a_patient_who_is_not_in_the_index_is_told_so(ask):
    """In his own jacket, which says the same."""
    answer = ask(*NOBODY, "DATE 03/12/1978", jacket=NOBODY)
    assert answer["outcome"] == "review"
    assert set(codes(answer)) <= {"not_in_index", "no_candidate"}


def test_a_stranger_one_digit_from_a_patient_is_not_that_patient(ask):
    """Number nearly right, all else another's."""
    answer = ask("WESTERGAARD, INGE", "MRN 5550011", "DOB 06/07/1944", "DATE 01/02/1970")
    assert answer["patient_id"] is None
    assert "not_in_index" in codes(answer)


def test_an_unknown_namesake_is_not_the_known_one(ask):
    """Name right, number and birth date another's."""
    answer = ask("OKONKWO, JANE", "MRN 3141592", "DOB 06/07/1944", "DATE 03/12/1978")
    assert answer["outcome"] == "review"


def test_another_issuers_number_is_not_ours(ask):
    """One number, two issuers: the name tells whose it is, and a foreign name nobody's."""
    assert ask("ROSSI, MARIO", "4711822", "DOB 12/12/1933")["issuer"] in {None, "EAST"}
    assert ask("WESTERGAARD, INGE", "4711822", "DATE 03/12/1978")["outcome"] == "review"


def test_former_names_and_merged_numbers_are_evidence(ask):
    """Old films bear what was true then."""
    assert ask("PRYOR, ROSE", "7770001", "R79-00001")["patient_id"] == "7770001"
    assert ask("TANAKA, YUKI", "8080915", "R81-00001")["patient_id"] == "8880001"


# -- the exam --------------------------------------------------------------------------------


def test_the_part_tells_which_exam_of_a_day(ask):
    """Two exams of one day; the film shows one of them."""
    hand = ask(*JANE, "DATE 05/01/1980", "RT HAND")
    assert hand["accession_number"] == "R80-00010"
    assert codes(ask(*JANE, "DATE 05/01/1980")) == ["exam_ambiguous"]


def test_another_number_of_a_known_day_is_another_exam(ask):
    """The next number in the row may be an exam that the index lacks."""
    assert codes(ask(*JANE, "03/12/1978 ACC R78-01235")) == ["exam_ambiguous"]


@pytest.mark.parametrize("day", ["03/12/1978", "03/12/19g8"])
@pytest.mark.parametrize("number", ["R78-01237", "R78-01249"])
def test_the_next_number_in_a_row_is_another_exam(ask, day, number):
    """However well its day is read, where days hold two exams at times."""
    assert ask(*JANE, f"DATE {day} ACC {number}")["outcome"] == "review"


def test_an_accession_number_whose_date_differs_is_asked_about(ask):
    """Two exams are named."""
    assert codes(ask(*JANE, "05/02/1979 ACC R78-01234")) == ["exam_ambiguous"]


def test_an_exam_of_an_unknown_day_is_unknown(ask):
    """One witness mints nothing."""
    assert codes(ask(*JANE, "DATE 07/07/1977", jacket=JANE)) == ["exam_unknown"]


def test_a_study_is_minted_on_two_witnesses(ask):
    """The film's date, and the jacket's log."""
    answer = ask(*JANE, "DATE 07/07/1977", jacket=[*JANE, "07/07/1977 CHEST PA"])
    assert filed(answer) == ("4711822", "GEN", None)


def test_a_day_one_digit_from_a_known_exams_mints_nothing(ask):
    """Film and log may show one and the same misreading."""
    answer = ask(*JANE, "DATE 03/12/1979", jacket=[*JANE, "03/12/1979 CHEST PA"])
    assert codes(answer) == ["exam_unknown"]


@pytest.mark.parametrize("day", ["01/05/1920", "05/01/1920", "01/06/1920"])
def test_a_day_that_may_be_that_of_birth_mints_nothing(ask, day):
    """Its word misread on film and jacket alike, and with it the order of day and month."""
    john = ["SMITH, JOHN", "MRN 5550001"]
    answer = ask(*john, f"BORM {day}", jacket=[*john, "DOB 01/05/1920", f"BOPN {day}"])
    assert codes(answer) == ["exam_unknown"]


@pytest.mark.parametrize("day", ["01/01/1925", "DATE 01/01/1925"])
def test_a_film_before_birth_is_implausible(ask, day):
    """Nobody is filmed before birth."""
    assert "implausible_date" in codes(ask(*JANE, day))


def test_a_film_after_death_is_implausible(ask):
    """Nor long after death."""
    answer = ask("KOWALSKI, ADAM", "9990001", "DOB 01/01/1900", "DATE 06/01/1990")
    assert "implausible_date" in codes(answer)


def test_day_and_month_may_stand_the_other_way_round(ask):
    """12/03 for 03/12, where only one of them is an exam and the part agrees."""
    assert ask(*JANE, "DATE 12/03/1978", "CHEST PA")["accession_number"] == "R78-01234"


# -- budget and shadow -----------------------------------------------------------------------


def test_no_posterior_is_claimed_beyond_what_was_measured(ask):
    """However much agrees."""
    assert ask(*JANE, "R78-01234", jacket=JANE)["posterior"] < 1 - 1e-6


def test_a_budget_of_nothing_files_nothing(ask):
    """The threshold follows from the budget."""
    answer = ask(*JANE, "R78-01234", jacket=JANE, budget_per_100k=0.0)
    assert codes(answer) == ["below_threshold"]


def test_shadow_mode_decides_and_files_nothing(ask):
    """It says so."""
    assert codes(ask(*JANE, "R78-01234", shadow=True)) == ["shadow_mode"]


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (person(given="JANE"), person(given="JOHN"), True),
        (person(given="JOHN"), person(given="JOHN", middle="ALBERT"), False),
        (person(given="JOHN", suffix="SR"), person(given="JOHN", suffix="JR"), True),
        (person(), person(given="JOHN"), False),
    ],
)
def test_names_differ_in_what_both_say(one, other, differ):
    """A film without a middle name is not told from its jacket by the name."""
    assert one.differs_from(other) is differ
