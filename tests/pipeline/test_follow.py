"""Silent films: one look of a person files them, each in its exam, and no film of another."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jackets import Site, an_exam, somebody

from digitizer.errors import StaleRecord, UnknownRecord, UsageError
from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import ExamRecord, JacketRecord
from digitizer.model.reasons import Code, reason
from digitizer.model.states import State
from digitizer.pipeline.follow import follow
from digitizer.pipeline.review import accept, assign, hold
from digitizer.ports import Ledger, Transaction

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
FULL = [*JANE, "DATE 03/12/1978 ACC R78-01234"]
PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("5550001", "LINDQVIST^PAUL", "1920-01-05", "M"),
)
CHEST = an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 3)
HAND = an_exam("R80-00010", "4711822", "1980-05-01", "HAND", 1)
OTHERS = an_exam("R70-00001", "5550001", "1970-01-02", "CHEST", 1)

Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(*exams: ExamRecord, jackets: tuple[JacketRecord, ...] = ()) -> Site:
        return Site.at(tmp_path / "data", PEOPLE, [*exams, OTHERS], jackets)

    return made


def test_silent_films_go_to_the_one_exam_that_lacks_just_so_many(make: Make) -> None:
    """Three films are expected, one is filed by its block, two are silent."""
    site = make(CHEST)
    full, *silent = site.jacket("J1", JANE, FULL, [], ["R"])
    assert site.film(full).state is State.APPROVED
    done = follow(site.services, "BOX-1/J1", user="ann", patient_id="4711822")
    assert done.filed == dict.fromkeys(silent, CHEST)
    for film in silent:
        decision = site.film(film).decision
        assert decision is not None
        assert (decision.decided_by, decision.patient) == ("ann", PEOPLE[0])
        assert decision.exam == CHEST
    studies = {
        one.study_instance_uid for one in (site.film(f).decision for f in [full, *silent]) if one
    }
    assert len(studies) == 1


def test_a_look_is_written_down(make: Make) -> None:
    """Who looked, at which jacket, and what the film was held for."""
    site = make(CHEST)
    _, *silent = site.jacket("J1", JANE, FULL, [], [])
    follow(site.services, "J1", user="ann", patient_id="GEN:4711822")
    with site.services.ledger.reading() as view:
        (matched,) = [one for one in view.events(silent[0]) if one.name == "matched"]
    assert matched.actor == "ann"
    assert matched.payload["followed"] == "BOX-1-J1"
    assert matched.payload["held_for"][0]["code"] == "film_silent"


@pytest.mark.parametrize("silent", [1, 3])
def test_too_few_or_too_many_films_for_an_exam_are_asked_about(make: Make, silent: int) -> None:
    """What an exam lacks must be just what lies here."""
    site = make(CHEST)
    _, *films = site.jacket("J1", JANE, FULL, *([[]] * silent))
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert done.filed == {}
    assert set(done.asked) == set(films)
    assert {one.code for one in done.asked.values()} == {Code.EXAM_AMBIGUOUS}
    assert all("R78-01234" in one.text for one in done.asked.values())
    assert set(site.codes(films[0])) == {"film_silent", "exam_ambiguous"}
    with_exam = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert with_exam.filed == dict.fromkeys(films, CHEST)


def test_two_exams_that_lack_films_are_asked_about(make: Make) -> None:
    """Which of them a film without a day is of, nobody can tell."""
    site = make(CHEST, HAND)
    _, *films = site.jacket("J1", JANE, FULL, [], [])
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert set(done.asked) == set(films)
    assert "R80-00010" in done.asked[films[0]].text


def test_an_exam_of_unknown_size_is_asked_about(make: Make) -> None:
    """Nobody knows what it lacks."""
    site = make(an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", None))
    _, film = site.jacket("J1", JANE, FULL, [])
    assert set(follow(site.services, "J1", user="ann", patient_id="4711822").asked) == {film}


def test_a_jacket_with_another_open_film_is_asked_about(make: Make) -> None:
    """The film that nobody has decided may be what the exam lacks."""
    site = make(CHEST)
    _, _, *films = site.jacket("J1", JANE, FULL, ["OKONKWO, JANE"], [], [])
    assert set(follow(site.services, "J1", user="ann", patient_id="4711822").asked) == set(films)


def test_a_films_own_day_tells_its_exam(make: Make) -> None:
    """A day is no identifier; it tells the exam once the patient is known."""
    site = make(CHEST, HAND)
    _, hand = site.jacket("J1", JANE, FULL, ["DATE 05/01/1980"])
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert done.filed == {hand: HAND}


def test_a_day_no_exam_is_known_of_mints_nothing(make: Make) -> None:
    """A person is asked; their word files the film under its day."""
    site = make(CHEST)
    _, film = site.jacket("J1", JANE, FULL, ["DATE 07/07/1977"])
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert done.asked[film].code is Code.EXAM_UNKNOWN
    assert site.film(film).decision is None
    accept(site.services, film, user="ann", study_date=CHEST.study_date)
    decision = site.film(film).decision
    assert decision is not None
    assert (decision.exam, decision.study_date) == (None, "1978-03-12")


def test_the_exam_named_is_not_taken_where_the_film_denies_it(make: Make) -> None:
    """Its own day is of another exam."""
    site = make(CHEST, HAND)
    _, film = site.jacket("J1", JANE, FULL, ["DATE 05/01/1980"])
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert done.filed == {}
    assert "1980-05-01" in done.asked[film].text


def test_a_film_of_somebody_else_is_refused_by_name(make: Make) -> None:
    """It lies among the silent ones, and stays as it was."""
    site = make(CHEST)
    stranger = ["LINDQVIST, PAUL", "5550001", "R70-00001"]
    _, other, *silent = site.jacket("J1", JANE, FULL, stranger, [], [])
    before = site.film(other)
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert set(done.filed) == set(silent)
    assert set(done.refused) == {other}
    assert "LINDQVIST, PAUL" in done.refused[other].text
    assert site.film(other) == before


def test_a_patient_who_is_not_the_jackets_is_refused(make: Make) -> None:
    """A number mistyped must not carry a jacket off."""
    site = make(CHEST)
    _, film = site.jacket("J1", JANE, FULL, [])
    done = follow(site.services, "J1", user="ann", patient_id="5550001")
    assert done.filed == {}
    assert "OKONKWO, JANE" in done.refused[film].text
    assert site.film(film).decision is None


def test_the_jacket_list_may_deny_the_patient(make: Make) -> None:
    """Where the label says nothing."""
    record = JacketRecord(jacket="J1", box="BOX-1", patient_id="5550001", issuer="GEN")
    site = make(CHEST, jackets=(record,))
    (film,) = site.jacket("J1", ["FILM LIBRARY"], [])
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert "5550001" in done.refused[film].text


def test_a_jacket_whose_films_are_anothers_is_refused(make: Make) -> None:
    """The label says nothing; a film filed for Paul says whose jacket it is."""
    site = make(CHEST)
    stranger = ["LINDQVIST, PAUL", "5550001", "DOB 01/05/1920", "R70-00001"]
    pauls, silent = site.jacket("J1", ["FILM LIBRARY"], stranger, [])
    decided = site.film(pauls).decision
    assert decided is not None
    assert decided.patient == PEOPLE[1]
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert done.filed == {}
    assert "LINDQVIST, PAUL" in done.refused[silent].text
    assert site.film(silent).decision is None


def test_one_stray_film_does_not_hold_up_a_jacket(make: Make) -> None:
    """It was decided for whom it names; two films here are decided for the jacket's patient."""
    site = make(CHEST)
    stray = ["LINDQVIST, PAUL", "5550001", "DOB 01/05/1920", "R70-00001"]
    *_, film, silent = site.jacket("J1", ["FILM LIBRARY"], FULL, FULL, stray, [])
    decided = site.film(film).decision
    assert decided is not None
    assert decided.patient == PEOPLE[1]
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert set(done.filed) == {silent}


def test_a_jacket_whose_open_films_say_another_is_refused(make: Make) -> None:
    """Nobody has decided them yet, and none is the patient's."""
    site = make(CHEST)
    open_film, silent = site.jacket("J1", ["FILM LIBRARY"], ["LINDQVIST, PAUL", "5550001"], [])
    assert site.film(open_film).state is State.REVIEW
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert done.filed == {}
    assert "LINDQVIST, PAUL" in done.refused[silent].text


def test_an_exam_of_two_volumes_is_not_filled_over(make: Make) -> None:
    """Of three films two are filed from the first jacket: the second's two are too many."""
    site = make(CHEST)
    site.jacket("J1", JANE, FULL, FULL)
    _, *silent = site.jacket("J2", JANE, FULL, [], [])
    done = follow(site.services, "J2", user="ann", patient_id="4711822")
    assert done.filed == {}
    assert set(done.asked) == set(silent)


def test_the_films_of_a_record_that_changed_count(make: Make) -> None:
    """The index was imported anew between: the number is the patient, not each word about them."""
    site = make(CHEST)
    _, *silent = site.jacket("J1", JANE, FULL, [], [])
    assert isinstance(site.services.index, SqlPatientIndex)
    married = somebody("4711822", "OKONKWO^JANE", "1931-04-02", death_date=date(1999, 1, 1))
    assert not site.services.index.import_patients([married]).refused
    done = follow(site.services, "J1", user="ann", patient_id="4711822")
    assert set(done.filed) == set(silent)


@dataclass
class Meanwhile:
    """A ledger in which something happens between the look and what is written."""

    ledger: Ledger
    what: Callable[[], None] | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    def transaction(self) -> AbstractContextManager[Transaction]:
        what, self.what = self.what, None
        if what is not None:
            what()
        return self.ledger.transaction()


def test_a_reason_that_came_meanwhile_is_not_settled_unseen(make: Make) -> None:
    """A suspicion that nobody looked at stays."""
    site = make(CHEST)
    _, first, second = site.jacket("J1", JANE, FULL, [], [])
    suspected = reason(Code.SAME_FILM_SUSPECTED)
    busy = Meanwhile(site.services.ledger, lambda: site.hold_for(second, suspected))
    with pytest.raises(StaleRecord):
        follow(replace(site.services, ledger=busy), "J1", user="ann", patient_id="4711822")
    assert site.film(first).decision is None
    assert suspected in site.film(second).reasons


def test_a_film_that_needs_a_look_of_its_own_is_refused(make: Make) -> None:
    """A suspicion of the same film twice is not settled in passing; a film on hold neither."""
    site = make(CHEST)
    _, twice, held, taken = site.jacket("J1", JANE, FULL, [], [], [])
    site.hold_for(twice, reason(Code.SAME_FILM_SUSPECTED))
    hold(site.services, held, user="bob")
    assign(site.services, taken, user="bob")
    done = follow(
        site.services, "J1", user="ann", patient_id="4711822", accession_number="R78-01234"
    )
    assert done.filed == {}
    assert {film: one.code for film, one in done.refused.items()} == {
        twice: Code.SAME_FILM_SUSPECTED,
        held: Code.ON_HOLD,
        taken: Code.ON_HOLD,
    }


def test_a_jacket_is_found_by_box_and_name(make: Make) -> None:
    """By its name alone where that is unique."""
    site = make(CHEST)
    site.jacket("J1", JANE, FULL, [])
    site.jacket("J2", JANE, FULL)
    with pytest.raises(UnknownRecord):
        follow(site.services, "BOX-9/J1", user="ann", patient_id="4711822")
    with pytest.raises(UsageError, match="No silent film"):
        follow(site.services, "J2", user="ann", patient_id="4711822")
    with pytest.raises(UsageError, match="not in the index"):
        follow(site.services, "J1", user="ann", patient_id="9")
